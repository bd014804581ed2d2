//! `add`: adds agents to queues as dynamic members.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::action::{Action, Command, Context, LoggedParameters, ParseResult};
use super::agent_changes::change_agents;
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
    agents: Vec<String>,
    queues: Vec<String>,
    /// The display name of the only agent. Defaults to the phone number.
    alias: Option<String>,
    penalty: u32,
    paused: bool,
    reason: Option<String>,
    /// After how many seconds the bridge ends the pause.
    duration_seconds: Option<u64>,
}

impl Add {
    fn parse(form: &Form, account: &Account) -> ParseResult {
        let agents = parameters::agents(form, account)?;
        let queues = parameters::required_queues(form)?;
        let alias = parameters::member_text(form, "alias")?;
        if alias.is_some() && agents.len() > 1 {
            return Err(invalid("alias", "is not supported with several agents"));
        }
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
            alias,
            agents,
            queues,
            penalty,
            paused,
            reason: pause.reason,
            duration_seconds: pause.duration_seconds,
        }))
    }

    async fn respond(&self, context: Context<'_>) -> Result<Response, ApiError> {
        let state_interface = &context.tenant.account.organization.state_interface;
        let ends_at = context.pause_end(self.duration_seconds);
        let change = |agent: &str, interface| {
            let state_interface = state_interface.as_ref();
            QueueChange::Add(NewMember {
                interface,
                name: self.name(agent).to_owned(),
                state_interface: state_interface.map(|template| template.expand(agent)),
                penalty: self.penalty,
                paused: self.paused,
                reason: self.reason.clone(),
                ends_at,
            })
        };
        let numbers = Some(&*self.queues);
        let changes = change_agents(&context.tenant, &self.agents, numbers, change).await;
        let alias = match &self.agents[..] {
            [agent] => Some(self.name(agent)),
            _ => None,
        };
        let fields = ChangeFields {
            alias,
            reason: Some(self.reason.as_deref()),
        };
        change_response(&context, fields, &changes)
    }

    /// Returns the agent's display name.
    fn name<'a>(&'a self, agent: &'a str) -> &'a str {
        self.alias.as_deref().unwrap_or(agent)
    }
}

impl Command for Add {
    fn logged(&self) -> LoggedParameters {
        LoggedParameters {
            agents: self.agents.clone(),
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
