//! `remove`: removes an agent from queues.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::action::{Action, Command, Context, LoggedParameters, ParseResult};
use super::change_response::{ChangeFields, change_response};
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
    agent: String,
    queues: Vec<String>,
}

impl Remove {
    fn parse(form: &Form, account: &Account) -> ParseResult {
        Ok(Box::new(Self {
            agent: parameters::agent(form, account)?,
            queues: parameters::required_queues(form)?,
        }))
    }

    async fn respond(&self, context: Context<'_>) -> Result<Response, ApiError> {
        let tenant = &context.tenant;
        let change = QueueChange::Remove {
            interface: tenant.interface(&self.agent)?,
        };
        let rows = tenant.change(&self.agent, &self.queues, &change).await;
        let fields = ChangeFields {
            agent: &self.agent,
            alias: None,
            reason: None,
        };
        Ok(change_response(&context, fields, &rows))
    }
}

impl Command for Remove {
    fn logged(&self) -> LoggedParameters {
        LoggedParameters {
            agent: Some(self.agent.clone()),
            queues: Some(self.queues.clone()),
            ..LoggedParameters::default()
        }
    }

    fn run<'a>(&'a self, context: Context<'a>) -> BoxFuture<'a, Result<Response, ApiError>> {
        self.respond(context).boxed()
    }
}
