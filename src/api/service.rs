//! One request from its parameters to its answer, and its line in the log.
//!
//! The order of checks is part of the interface: form, lockout and credentials,
//! the user's actions and networks, the action's parameters, the organization's
//! agents and queues, and the PBX last.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::{info, warn};

use super::answer::Answer;
use super::command::{ActionName, Command};
use super::error::{ApiError, Code};
use super::execute::{Pbx, execute};
use super::query::{Credentials, Form};
use crate::ami::Client;
use crate::organizations::{Directory, Lockout, TooManyLogins, User, Verifier};

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
}

/// What is needed to answer.
#[derive(Debug)]
pub struct Api {
    directory: Directory,
    verifier: Verifier,
    lockout: Lockout,
    links: HashMap<String, Link>,
    reject_unknown: bool,
}

/// A PBX as the interface needs it.
#[derive(Debug)]
pub struct Link {
    /// Sends actions.
    pub client: Client,
    /// Bound on a whole request.
    pub action_timeout: Duration,
}

/// What the log tells of a request; filled in as it becomes known.
#[derive(Default)]
struct Facts {
    user: Option<Arc<User>>,
    action: Option<ActionName>,
    command: Option<Command>,
}

impl Api {
    /// Puts together what was configured.
    #[must_use]
    pub fn new(
        directory: Directory,
        verifier: Verifier,
        lockout: Lockout,
        links: HashMap<String, Link>,
        reject_unknown: bool,
    ) -> Self {
        Self {
            directory,
            verifier,
            lockout,
            links,
            reject_unknown,
        }
    }

    /// The links, by the PBX's name.
    #[must_use]
    pub fn links(&self) -> &HashMap<String, Link> {
        &self.links
    }

    /// Answers a request and logs it.
    pub async fn serve(&self, call: Call) -> Answer {
        let mut facts = Facts::default();
        let answer = match self.answer(&call, &mut facts).await {
            Ok(answer) => answer,
            Err(error) => Answer::error(&error, &call.request_id),
        };
        log(&call, &facts, &answer);
        answer
    }

    async fn answer(&self, call: &Call, facts: &mut Facts) -> Result<Answer, ApiError> {
        let parts = [call.query.as_deref(), call.body.as_deref()].map(Option::unwrap_or_default);
        let form = Form::parse(&parts, self.reject_unknown)?;
        let credentials = form.credentials(call.authorization.as_deref())?;
        let action = ActionName::from_form(&form)?;
        facts.action = Some(action);

        // Whether it is that user or not: the log names the account.
        facts.user = self.directory.user(&credentials.username).cloned();
        let user = self.authenticate(&credentials, call.address).await?;
        if !user.may(action.as_str(), call.address) {
            let message = "This user may not do that, or not from this address.";
            return Err(ApiError::new(Code::Forbidden, message));
        }

        let command = &*facts.command.insert(Command::from_form(action, &form)?);
        let organization = &user.organization;
        let Some(link) = self.links.get(&organization.pbx) else {
            unreachable!("the configuration names only PBXes that it has");
        };
        let pbx = Pbx {
            client: &link.client,
            deadline: call.arrived + link.action_timeout,
            request_id: &call.request_id,
        };
        let outcome = execute(command, organization, pbx).await?;
        let request_id = &call.request_id;
        Ok(Answer::of(
            action,
            command,
            organization,
            &outcome,
            request_id,
        ))
    }

    async fn authenticate(
        &self,
        credentials: &Credentials,
        address: IpAddr,
    ) -> Result<Arc<User>, ApiError> {
        let Credentials { username, password } = credentials;
        let user = self.directory.user(username);
        self.not_locked_out(username, address)?;
        // A panel that polls pays for its password once.
        if let Some(user) = user
            && !self.lockout.is_checking(username, address)
            && self.verifier.remembers(username, password)
        {
            return Ok(Arc::clone(user));
        }
        let _gate = self.lockout.gate(username, address).await;
        self.not_locked_out(username, address)?;
        if let Some(user) = user
            && self.verifier.remembers(username, password)
        {
            return Ok(Arc::clone(user));
        }
        let stored = user.map(|user| &user.password);
        let verified = self.verifier.verify(username, password, stored).await;
        let verified = verified.map_err(|TooManyLogins| {
            let message = "Too many logins are being checked. Nothing was sent.";
            ApiError::retry(Code::Overloaded, Duration::from_secs(1), message)
        })?;
        if verified && let Some(user) = user {
            return Ok(Arc::clone(user));
        }
        let now = std::time::Instant::now();
        let locks_out = self.lockout.failed(username, address, now);
        let user = user.map(|user| &*user.username);
        // The text is what packaging/fail2ban looks for: the address stands in it,
        // since the journal keeps fields apart.
        warn!(target: "ami_bridge::auth", user, "login refused from {address}");
        if locks_out {
            warn!(target: "ami_bridge::auth", user, "locked out: too many failures from {address}");
        }
        let message = "Unknown user or wrong password.";
        Err(ApiError::new(Code::Unauthorized, message))
    }

    fn not_locked_out(&self, username: &str, address: IpAddr) -> Result<(), ApiError> {
        let now = std::time::Instant::now();
        match self.lockout.remaining(username, address, now) {
            Some(remaining) => {
                let message = "Too many failed attempts. Try again later.";
                Err(ApiError::retry(Code::TooManyAttempts, remaining, message))
            }
            None => Ok(()),
        }
    }
}

/// One line for each request. What the client sent shows only where it was
/// checked: a password that was typed into the wrong field is in no log.
fn log(call: &Call, facts: &Facts, answer: &Answer) {
    let user = facts.user.as_deref();
    let command = facts.command.as_ref();
    let queues = command
        .and_then(Command::queues)
        .map(|queues| queues.join(","));
    let milliseconds = call.arrived.elapsed().as_secs_f64() * 1000.0;
    macro_rules! line {
        ($target:literal, $text:literal, $($more:tt)*) => {
            info!(
                target: $target,
                request_id = call.request_id,
                client = %call.address,
                organization = user.map(|user| &*user.organization.name),
                user = user.map(|user| &*user.username),
                action = facts.action.map(ActionName::as_str),
                agent = command.and_then(Command::agent),
                queue = queues,
                outcome = answer.outcome,
                $($more)*
                $text
            )
        };
    }
    let ms = (milliseconds * 100.0).round() / 100.0;
    line!("ami_bridge::request", "request", status = answer.status, ms,);
    if command.is_some_and(Command::is_change) {
        let reason = command.and_then(Command::reason);
        line!("audit", "change", reason, results = answer.results,);
    }
}
