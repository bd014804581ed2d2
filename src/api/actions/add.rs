//! `add`: adds an agent to queues as a dynamic member.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::action::{Action, Command, Context, LoggedParameters, ParseResult};
use super::change_response::{ChangeFields, change_response};
use crate::api::errors::ApiError;
use crate::api::form::{Form, invalid};
use crate::api::parameters;
use crate::api::pause_parameters::PauseParameters;
use crate::api::response::Response;
use crate::organizations::Account;
use crate::queues::{NewMember, QueueChange};

pub(super) static ADD: Action = Action {
    name: "add",
    is_change: true,
    needs_permission: true,
    parse: Add::parse,
};

/// The highest penalty that the API accepts.
const MAX_PENALTY: u32 = 1_000_000;

#[derive(Debug)]
struct Add {
    agent: String,
    queues: Vec<String>,
    /// The display name. Defaults to the phone number.
    alias: String,
    penalty: u32,
    paused: bool,
    reason: Option<String>,
    /// After how many seconds the bridge ends the pause.
    duration_seconds: Option<u64>,
}

impl Add {
    fn parse(form: &Form, account: &Account) -> ParseResult {
        let agent = parameters::agent(form, account)?;
        let queues = parameters::required_queues(form)?;
        let alias = parameters::member_text(form, "alias")?;
        let penalty = penalty(form)?;
        let paused = parameters::flag(form, "paused")?;
        let pause = if paused {
            PauseParameters::parse(form, &account.organization)?
        } else {
            // A reason makes no sense without a pause, but must be valid.
            parameters::member_text(form, "reason")?;
            PauseParameters::default()
        };
        Ok(Box::new(Self {
            alias: alias.unwrap_or_else(|| agent.clone()),
            agent,
            queues,
            penalty,
            paused,
            reason: pause.reason,
            duration_seconds: pause.duration_seconds,
        }))
    }

    async fn respond(&self, context: Context<'_>) -> Result<Response, ApiError> {
        let tenant = &context.tenant;
        let interface = tenant.interface(&self.agent)?;
        let state_interface = tenant.account.organization.state_interface.as_ref();
        let change = QueueChange::Add(NewMember {
            interface,
            name: self.alias.clone(),
            state_interface: state_interface.map(|template| template.expand(&self.agent)),
            penalty: self.penalty,
            paused: self.paused,
            reason: self.reason.clone(),
            ends_at: context.pause_end(self.duration_seconds),
        });
        let rows = tenant.change(&self.agent, &self.queues, &change).await;
        let fields = ChangeFields {
            agent: &self.agent,
            alias: Some(&self.alias),
            reason: Some(self.reason.as_deref()),
        };
        Ok(change_response(&context, fields, &rows))
    }
}

impl Command for Add {
    fn logged(&self) -> LoggedParameters {
        LoggedParameters {
            agent: Some(self.agent.clone()),
            queues: Some(self.queues.clone()),
            reason: self.reason.clone(),
            duration_seconds: self.duration_seconds,
        }
    }

    fn run<'a>(&'a self, context: Context<'a>) -> BoxFuture<'a, Result<Response, ApiError>> {
        self.respond(context).boxed()
    }
}

fn penalty(form: &Form) -> Result<u32, ApiError> {
    let Some(text) = form.get("penalty") else {
        return Ok(0);
    };
    // `str::parse` alone would accept a plus sign.
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let value = text.parse().ok();
    let value = value.filter(|value| is_number && *value <= MAX_PENALTY);
    value.ok_or_else(|| {
        let problem = format!("must be a number from 0 to {MAX_PENALTY}");
        invalid("penalty", &problem)
    })
}
