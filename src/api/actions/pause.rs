//! `pause` and `unpause`: change an agent's pause in named queues, or in every queue of the
//! account.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::action::{Action, Command, Context, LoggedParameters, ParseResult};
use super::agent_changes::change_agents;
use super::change_response::{ChangeFields, change_response};
use super::changed_queues::ChangedQueues;
use crate::api::errors::ApiError;
use crate::api::form::Form;
use crate::api::parameters;
use crate::api::pause_parameters::{self, PauseParameters};
use crate::api::response::Response;
use crate::organizations::Account;
use crate::queues::{PauseChange, QueueChange};

pub(super) static PAUSE: Action = Action {
    name: "pause",
    is_change: true,
    needs_permission: true,
    parse: Pause::parse_pause,
};

pub(super) static UNPAUSE: Action = Action {
    name: "unpause",
    is_change: true,
    needs_permission: true,
    parse: Pause::parse_unpause,
};

#[derive(Debug)]
struct Pause {
    agents: Vec<String>,
    queues: ChangedQueues,
    paused: bool,
    reason: Option<String>,
    /// After how many seconds the bridge ends the pause.
    duration_seconds: Option<u64>,
    /// Whether to leave the agent alone in queues in which the agent is already paused.
    keep_existing: bool,
}

impl Pause {
    fn parse_pause(form: &Form, account: &Account) -> ParseResult {
        let agents = parameters::agents(form, account)?;
        let queues = ChangedQueues::parse(form)?;
        let pause = PauseParameters::parse(form, &account.organization)?;
        Ok(Box::new(Self {
            agents,
            queues,
            paused: true,
            reason: pause.reason,
            duration_seconds: pause.duration_seconds,
            keep_existing: parameters::flag(form, "keep_existing")?,
        }))
    }

    fn parse_unpause(form: &Form, account: &Account) -> ParseResult {
        Ok(Box::new(Self {
            agents: parameters::agents(form, account)?,
            queues: ChangedQueues::parse(form)?,
            paused: false,
            reason: pause_parameters::unpause_reason(form, &account.organization)?,
            duration_seconds: None,
            keep_existing: false,
        }))
    }

    async fn respond(&self, context: Context<'_>) -> Result<Response, ApiError> {
        let ends_at = context.pause_end(self.duration_seconds);
        let change = |_: &str, interface| {
            QueueChange::Pause(PauseChange {
                interface,
                paused: self.paused,
                reason: self.reason.clone(),
                ends_at,
                keep_existing: self.keep_existing,
            })
        };
        let numbers = self.queues.numbers();
        let changes = change_agents(&context.tenant, &self.agents, numbers, change).await;
        let fields = ChangeFields {
            alias: None,
            reason: Some(self.reason.as_deref()),
        };
        change_response(&context, fields, &changes)
    }
}

impl Command for Pause {
    fn logged(&self) -> LoggedParameters {
        LoggedParameters {
            agents: self.agents.clone(),
            queues: self.queues.logged(),
            reason: self.reason.clone(),
            duration_seconds: self.duration_seconds,
        }
    }

    fn run<'a>(&'a self, context: Context<'a>) -> BoxFuture<'a, Result<Response, ApiError>> {
        self.respond(context).boxed()
    }
}
