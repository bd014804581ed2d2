//! `remove`: removes agents from named queues, or from every queue of the account.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::action::{Action, Command, Context, LoggedParameters, ParseResult};
use super::agent_changes::change_agents;
use super::change_response::{ChangeFields, change_response};
use super::changed_queues::ChangedQueues;
use crate::api::errors::ApiError;
use crate::api::form::Form;
use crate::api::parameters;
use crate::api::response::Response;
use crate::organizations::Account;
use crate::queues::QueueChange;

pub(super) static REMOVE: Action = Action {
    name: "remove",
    is_change: true,
    needs_permission: true,
    parse: Remove::parse,
};

#[derive(Debug)]
struct Remove {
    agents: Vec<String>,
    queues: ChangedQueues,
}

impl Remove {
    fn parse(form: &Form, account: &Account) -> ParseResult {
        Ok(Box::new(Self {
            agents: parameters::agents(form, account)?,
            queues: ChangedQueues::parse_required(form)?,
        }))
    }

    async fn respond(&self, context: Context<'_>) -> Result<Response, ApiError> {
        let change = |_: &str, interface| QueueChange::Remove { interface };
        let numbers = self.queues.numbers();
        let changes = change_agents(&context.tenant, &self.agents, numbers, change).await;
        let fields = ChangeFields {
            alias: None,
            reason: None,
        };
        change_response(&context, fields, &changes)
    }
}

impl Command for Remove {
    fn logged(&self) -> LoggedParameters {
        LoggedParameters {
            agents: self.agents.clone(),
            queues: self.queues.logged(),
            ..LoggedParameters::default()
        }
    }

    fn run<'a>(&'a self, context: Context<'a>) -> BoxFuture<'a, Result<Response, ApiError>> {
        self.respond(context).boxed()
    }
}
