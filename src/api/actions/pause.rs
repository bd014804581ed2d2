//! `pause` and `unpause`: change an agent's pause in named queues, or in every queue of the
//! account.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::action::{Action, Command, Context, LoggedParameters, ParseResult};
use super::change_response::{ChangeFields, change_response};
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
    agent: String,
    /// Queue numbers. `None` means every queue of which the agent is a member.
    queues: Option<Vec<String>>,
    paused: bool,
    reason: Option<String>,
    /// After how many seconds the bridge ends the pause.
    duration_seconds: Option<u64>,
    /// Whether to leave the agent alone in queues in which the agent is already paused.
    keep_existing: bool,
}

impl Pause {
    fn parse_pause(form: &Form, account: &Account) -> ParseResult {
        let agent = parameters::agent(form, account)?;
        let queues = parameters::queues(form)?;
        let pause = PauseParameters::parse(form, &account.organization)?;
        Ok(Box::new(Self {
            agent,
            queues,
            paused: true,
            reason: pause.reason,
            duration_seconds: pause.duration_seconds,
            keep_existing: parameters::flag(form, "keep_existing")?,
        }))
    }

    fn parse_unpause(form: &Form, account: &Account) -> ParseResult {
        Ok(Box::new(Self {
            agent: parameters::agent(form, account)?,
            queues: parameters::queues(form)?,
            paused: false,
            reason: pause_parameters::unpause_reason(form, &account.organization)?,
            duration_seconds: None,
            keep_existing: false,
        }))
    }

    async fn respond(&self, context: Context<'_>) -> Result<Response, ApiError> {
        let tenant = &context.tenant;
        let pause = PauseChange {
            interface: tenant.interface(&self.agent)?,
            paused: self.paused,
            reason: self.reason.clone(),
            ends_at: context.pause_end(self.duration_seconds),
            keep_existing: self.keep_existing,
        };
        let rows = match &self.queues {
            Some(queues) => {
                let change = QueueChange::Pause(pause);
                tenant.change(&self.agent, queues, &change).await
            }
            None => tenant.pause_everywhere(&self.agent, &pause).await?,
        };
        let fields = ChangeFields {
            agent: &self.agent,
            alias: None,
            reason: Some(self.reason.as_deref()),
        };
        Ok(change_response(&context, fields, &rows))
    }
}

impl Command for Pause {
    fn logged(&self) -> LoggedParameters {
        LoggedParameters {
            agent: Some(self.agent.clone()),
            queues: self.queues.clone(),
            reason: self.reason.clone(),
            duration_seconds: self.duration_seconds,
        }
    }

    fn run<'a>(&'a self, context: Context<'a>) -> BoxFuture<'a, Result<Response, ApiError>> {
        self.respond(context).boxed()
    }
}
