//! One request from its parameters to its answer, and its line in the log.
//!
//! The order of checks is part of the interface: form, lockout and credentials,
//! the user's actions and networks, the action's parameters, the organization's
//! agents and queues, and the PBX last.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use tracing::info;

use super::accounts::Accounts;
use super::answer::{Answer, written};
use super::command::{ActionName, Command, shown_queues};
use super::error::{ApiError, Code};
use super::execute::execute;
use super::fragments::Fragments;
use super::part::Pbx;
use super::query::{Form, LAST_EVENT_ID};
use super::refusal::no_change_sent;
use super::stream::{EventStream, Scope};
use crate::ami::noting_changes;
use crate::organizations::{Directory, Organization, User};
use crate::queues::live::Live;

/// A request to the documented endpoint. Not `Debug`: it holds the password.
pub struct Call {
    /// The query string.
    pub query: Option<String>,
    /// A form body.
    pub body: Option<String>,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// Where the client is.
    pub address: IpAddr,
    /// The request's id.
    pub request_id: String,
    /// When it was there as a whole.
    pub arrived: Instant,
    /// Set before its first change is sent to the PBX.
    pub change_sent: Arc<AtomicBool>,
}

/// What is needed to answer.
#[derive(Debug)]
pub struct Api {
    accounts: Accounts,
    links: Arc<Links>,
    reject_unknown: bool,
}

/// The PBXes, by their names.
pub type Links = HashMap<String, Link>;

/// A PBX as the interface needs it.
#[derive(Debug)]
pub struct Link {
    /// The state of its queues, and the way to it.
    pub live: Live,
    /// Bound on a whole request.
    pub action_timeout: Duration,
    /// What is kept of its answers.
    pub kept: Arc<Fragments>,
}

/// The action of users who may follow the event stream.
const EVENTS: &str = "events";

/// What the log tells of a request; filled in as it becomes known.
#[derive(Default)]
struct Facts {
    user: Option<Arc<User>>,
    action: Option<&'static str>,
    command: Option<Command>,
    queues: Option<Vec<String>>,
    /// The password was right.
    is_known: bool,
}

impl Api {
    /// Puts together what was configured.
    #[must_use]
    pub fn new(accounts: Accounts, links: Arc<Links>, reject_unknown: bool) -> Self {
        Self {
            accounts,
            links,
            reject_unknown,
        }
    }

    /// The organizations and their users.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.accounts.directory
    }

    /// Answers a request and logs it.
    pub async fn serve(&self, call: Call) -> Answer {
        let mut facts = Facts::default();
        let mut answer = match self.answer(&call, &mut facts).await {
            Ok(answer) => answer,
            Err(error) => Answer::error(&error, &call.request_id),
        };
        answer.is_known = facts.is_known;
        self.count_and_log(&call, &facts, &answer);
        answer
    }

    /// Opens a stream of events, and logs it. `last_event_id` is that of the last
    /// event that the client had, from its header; the parameter counts without one.
    ///
    /// # Errors
    /// The refusal, as an answer.
    pub async fn follow(
        &self,
        call: Call,
        last_event_id: Option<&str>,
    ) -> Result<EventStream, Answer> {
        let mut facts = Facts::default();
        let stream = self.open_stream(&call, last_event_id, &mut facts).await;
        let stream = stream.map_err(|error| Answer {
            is_known: facts.is_known,
            ..Answer::error(&error, &call.request_id)
        });
        match &stream {
            Ok(_) => self.count_and_log(&call, &facts, &Answer::ok("success", Vec::new())),
            Err(answer) => self.count_and_log(&call, &facts, answer),
        }
        stream
    }

    fn count_and_log(&self, call: &Call, facts: &Facts, answer: &Answer) {
        let seconds = call.arrived.elapsed().as_secs_f64();
        let requests = &self.accounts.requests;
        requests.count(facts.action, answer.outcome, seconds);
        requests.count_unknown(answer.unknown);
        log(call, facts, answer, seconds);
    }

    async fn answer(&self, call: &Call, facts: &mut Facts) -> Result<Answer, ApiError> {
        let parts = [call.query.as_deref(), call.body.as_deref()].map(Option::unwrap_or_default);
        let form = Form::parse(&parts, self.reject_unknown)?;
        let credentials = form.credentials(call.authorization.as_deref())?;
        let action = ActionName::from_form(&form)?;
        facts.action = Some(action.as_str());
        let credentials = credentials.ok_or_else(ApiError::unauthorized)?;
        facts.user = self.accounts.named(&credentials);
        let authorized = self
            .accounts
            .authorize(&credentials, action.as_str(), call.address);
        let organization = &authorized.await?.organization;
        facts.is_known = true;

        let command = &*facts.command.insert(Command::from_form(action, &form)?);
        facts.queues = command.queues().map(<[String]>::to_vec);
        let link = self.link(organization);
        let pbx = Pbx {
            live: &link.live,
            deadline: call.arrived + link.action_timeout,
            request_id: &call.request_id,
        };
        let work = execute(command, organization, pbx);
        let outcome = noting_changes(Arc::clone(&call.change_sent), work).await;
        let sent = call.change_sent.load(Ordering::Acquire);
        let outcome = outcome.map_err(|error| match error.code {
            Code::OutcomeUnknown if command.is_change() && !sent => no_change_sent(),
            _ => error,
        })?;
        let (command, organization) = (command.clone(), Arc::clone(organization));
        let (request_id, kept) = (call.request_id.clone(), Arc::clone(&link.kept));
        written(outcome.is_large(), move || {
            Answer::of(
                action,
                &command,
                &organization,
                &outcome,
                &request_id,
                &kept,
            )
        })
        .await
    }

    async fn open_stream(
        &self,
        call: &Call,
        last_event_id: Option<&str>,
        facts: &mut Facts,
    ) -> Result<EventStream, ApiError> {
        let query = call.query.as_deref().unwrap_or_default();
        let form = Form::parse_events(query, self.reject_unknown)?;
        let credentials = form.credentials(call.authorization.as_deref())?;
        facts.action = Some(EVENTS);
        let credentials = credentials.ok_or_else(ApiError::unauthorized)?;
        facts.user = self.accounts.named(&credentials);
        let authorized = self.accounts.authorize(&credentials, EVENTS, call.address);
        let user = authorized.await?;
        facts.is_known = true;
        let queues = shown_queues(&form)?;
        facts.queues.clone_from(&queues);
        let link = self.link(&user.organization);
        let scope = Scope::new(link, &user, queues, &call.request_id);
        let last_event_id = last_event_id.or_else(|| form.get(LAST_EVENT_ID));
        EventStream::open(scope, last_event_id).await
    }

    fn link(&self, organization: &Organization) -> &Link {
        match self.links.get(&organization.pbx) {
            Some(link) => link,
            None => unreachable!("the configuration names only PBXes that it has"),
        }
    }
}

/// One line for each request. What the client sent shows only where it was
/// checked: a password that was typed into the wrong field is in no log.
fn log(call: &Call, facts: &Facts, answer: &Answer, seconds: f64) {
    let user = facts.user.as_deref();
    let command = facts.command.as_ref();
    let queues = facts.queues.as_ref().map(|queues| queues.join(","));
    macro_rules! line {
        ($target:literal, $text:literal, $($more:tt)*) => {
            info!(
                target: $target,
                request_id = call.request_id,
                client = %call.address,
                pbx = user.map(|user| &*user.organization.pbx),
                organization = user.map(|user| &*user.organization.name),
                user = user.map(|user| &*user.username),
                action = facts.action,
                agent = command.and_then(Command::agent),
                queue = queues,
                outcome = answer.outcome,
                $($more)*
                $text
            )
        };
    }
    let ms = (seconds * 100_000.0).round() / 100.0;
    line!("ami_bridge::request", "request", status = answer.status, ms,);
    if command.is_some_and(Command::is_change) {
        let reason = command.and_then(Command::reason);
        line!("audit", "change", reason, results = answer.results,);
    }
}
