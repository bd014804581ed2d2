//! `pause` and `unpause`: change an agent's pause in named queues, or in every queue of the
//! organization.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::action::{Action, Command, Context, LoggedParameters};
use super::change_response::{ChangeFields, change_response};
use crate::api::errors::ApiError;
use crate::api::form::Form;
use crate::api::parameters;
use crate::api::response::Response;
use crate::queues::QueueChange;

pub(super) static PAUSE: Action = Action {
    name: "pause",
    is_change: true,
    parse: |form| Pause::parse(form, true),
};

pub(super) static UNPAUSE: Action = Action {
    name: "unpause",
    is_change: true,
    parse: |form| Pause::parse(form, false),
};

#[derive(Debug)]
struct Pause {
    agent: String,
    /// Queue numbers. `None` means every queue of which the agent is a member.
    queues: Option<Vec<String>>,
    paused: bool,
    reason: Option<String>,
}

impl Pause {
    fn parse(form: &Form, paused: bool) -> Result<Box<dyn Command>, ApiError> {
        Ok(Box::new(Self {
            agent: parameters::agent(form)?,
            queues: parameters::queues(form)?,
            paused,
            reason: parameters::member_text(form, "reason")?,
        }))
    }

    async fn respond(&self, context: Context<'_>) -> Result<Response, ApiError> {
        let tenant = &context.tenant;
        tenant.check_agent(&self.agent)?;
        let rows = match &self.queues {
            Some(queues) => {
                let change = QueueChange::Pause {
                    interface: tenant.organization.interface.expand(&self.agent),
                    paused: self.paused,
                    reason: self.reason.clone(),
                };
                tenant.change(&self.agent, queues, &change).await
            }
            None => {
                let reason = self.reason.as_deref();
                let everywhere = tenant.pause_everywhere(&self.agent, self.paused, reason);
                everywhere.await?
            }
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
        }
    }

    fn run<'a>(&'a self, context: Context<'a>) -> BoxFuture<'a, Result<Response, ApiError>> {
        self.respond(context).boxed()
    }
}
