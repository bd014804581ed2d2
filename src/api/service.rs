//! One request from its parameters to its answer, and its line in the log.
//!
//! The order of checks is part of the interface: form, lockout and credentials,
//! the user's actions and networks, the action's parameters, the organization's
//! agents and queues, and the PBX last.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::Instant;
use tracing::info;

use super::accounts::Accounts;
use super::answer::{Response, written};
use super::command::{ActionName, Command, shown_queues};
use super::error::{ApiError, Code};
use super::execute::execute;
use super::member_json::MemberJsonCache;
use super::query::{Form, LAST_EVENT_ID};
use super::refusal::no_change_sent;
use super::stream::{EventStream, Scope};
use super::tenant::Tenant;
use crate::ami::noting_changes;
use crate::organizations::{Directory, Organization, User};
use crate::queues::{Pbx, Pbxes};

/// A request to the documented endpoint. Not `Debug`: it holds the password.
pub struct ApiRequest {
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
    pbxes: Arc<Pbxes>,
    member_json: Arc<MemberJsonCache>,
    reject_unknown: bool,
}

/// The action of users who may follow the event stream.
const EVENTS: &str = "events";

/// What the log tells of a request; filled in as it becomes known.
#[derive(Default)]
struct LogFields {
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
    pub fn new(accounts: Accounts, pbxes: Arc<Pbxes>, reject_unknown: bool) -> Self {
        Self {
            accounts,
            pbxes,
            member_json: Arc::default(),
            reject_unknown,
        }
    }

    /// The organizations and their users.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.accounts.directory
    }

    /// Answers a request and logs it.
    pub async fn serve(&self, call: ApiRequest) -> Response {
        let mut log_fields = LogFields::default();
        let mut answer = match self.answer(&call, &mut log_fields).await {
            Ok(answer) => answer,
            Err(error) => Response::error(&error, &call.request_id),
        };
        answer.is_known = log_fields.is_known;
        self.count_and_log(&call, &log_fields, &answer);
        answer
    }

    /// Opens a stream of events, and logs it. `last_event_id` is that of the last
    /// event that the client had, from its header; the parameter counts without one.
    ///
    /// # Errors
    /// The refusal, as an answer.
    pub async fn follow(
        &self,
        call: ApiRequest,
        last_event_id: Option<&str>,
    ) -> Result<EventStream, Response> {
        let mut log_fields = LogFields::default();
        let stream = self
            .open_stream(&call, last_event_id, &mut log_fields)
            .await;
        let stream = stream.map_err(|error| Response {
            is_known: log_fields.is_known,
            ..Response::error(&error, &call.request_id)
        });
        match &stream {
            Ok(_) => self.count_and_log(&call, &log_fields, &Response::ok("success", Vec::new())),
            Err(answer) => self.count_and_log(&call, &log_fields, answer),
        }
        stream
    }

    fn count_and_log(&self, call: &ApiRequest, log_fields: &LogFields, answer: &Response) {
        let seconds = call.arrived.elapsed().as_secs_f64();
        let requests = &self.accounts.requests;
        requests.count(log_fields.action, answer.outcome, seconds);
        requests.count_unknown(answer.unknown);
        log(call, log_fields, answer, seconds);
    }

    async fn answer(
        &self,
        call: &ApiRequest,
        log_fields: &mut LogFields,
    ) -> Result<Response, ApiError> {
        let parts = [call.query.as_deref(), call.body.as_deref()].map(Option::unwrap_or_default);
        let form = Form::parse(&parts, self.reject_unknown)?;
        let credentials = form.credentials(call.authorization.as_deref())?;
        let action = ActionName::from_form(&form)?;
        log_fields.action = Some(action.as_str());
        let credentials = credentials.ok_or_else(ApiError::unauthorized)?;
        log_fields.user = self.accounts.named(&credentials);
        let authorized = self
            .accounts
            .authorize(&credentials, action.as_str(), call.address);
        let organization = &authorized.await?.organization;
        log_fields.is_known = true;

        let command = &*log_fields
            .command
            .insert(Command::from_form(action, &form)?);
        log_fields.queues = command.queues().map(<[String]>::to_vec);
        let pbx = self.pbx(organization);
        let tenant = Tenant {
            organization,
            pbx,
            deadline: call.arrived + pbx.action_timeout(),
            request_id: &call.request_id,
        };
        let work = execute(command, tenant);
        let outcome = noting_changes(Arc::clone(&call.change_sent), work).await;
        let sent = call.change_sent.load(Ordering::Acquire);
        let outcome = outcome.map_err(|error| match error.code {
            Code::OutcomeUnknown if command.is_change() && !sent => no_change_sent(),
            _ => error,
        })?;
        let (command, organization) = (command.clone(), Arc::clone(organization));
        let (request_id, member_json) = (call.request_id.clone(), Arc::clone(&self.member_json));
        written(outcome.is_large(), move || {
            Response::of(
                action,
                &command,
                &organization,
                &outcome,
                &request_id,
                &member_json,
            )
        })
        .await
    }

    async fn open_stream(
        &self,
        call: &ApiRequest,
        last_event_id: Option<&str>,
        log_fields: &mut LogFields,
    ) -> Result<EventStream, ApiError> {
        let query = call.query.as_deref().unwrap_or_default();
        let form = Form::parse_events(query, self.reject_unknown)?;
        let credentials = form.credentials(call.authorization.as_deref())?;
        log_fields.action = Some(EVENTS);
        let credentials = credentials.ok_or_else(ApiError::unauthorized)?;
        log_fields.user = self.accounts.named(&credentials);
        let authorized = self.accounts.authorize(&credentials, EVENTS, call.address);
        let user = authorized.await?;
        log_fields.is_known = true;
        let queues = shown_queues(&form)?;
        log_fields.queues.clone_from(&queues);
        let pbx = self.pbx(&user.organization);
        let member_json = Arc::clone(&self.member_json);
        let scope = Scope::new(pbx, member_json, &user, queues, &call.request_id);
        let last_event_id = last_event_id.or_else(|| form.get(LAST_EVENT_ID));
        EventStream::open(scope, last_event_id).await
    }

    fn pbx(&self, organization: &Organization) -> &Pbx {
        match self.pbxes.get(&organization.pbx) {
            Some(pbx) => pbx,
            None => unreachable!("the configuration names only PBXes that it has"),
        }
    }
}

/// One line for each request. What the client sent shows only where it was
/// checked: a password that was typed into the wrong field is in no log.
fn log(call: &ApiRequest, log_fields: &LogFields, answer: &Response, seconds: f64) {
    let user = log_fields.user.as_deref();
    let command = log_fields.command.as_ref();
    let queues = log_fields.queues.as_ref().map(|queues| queues.join(","));
    macro_rules! line {
        ($target:literal, $text:literal, $($more:tt)*) => {
            info!(
                target: $target,
                request_id = call.request_id,
                client = %call.address,
                pbx = user.map(|user| &*user.organization.pbx),
                organization = user.map(|user| &*user.organization.name),
                user = user.map(|user| &*user.username),
                action = log_fields.action,
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
