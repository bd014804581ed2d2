//! `showqueue`: shows queues with their settings, members and waiting callers.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::action::{Action, Command, Context, LoggedParameters, ParseResult};
use super::queue_selection::QueueSelection;
use super::read_response::read_response;
use crate::api::errors::ApiError;
use crate::api::form::Form;
use crate::api::json::write_queues;
use crate::api::response::Response;
use crate::organizations::Account;

pub(super) static SHOW_QUEUE: Action = Action {
    name: "showqueue",
    is_change: false,
    needs_permission: true,
    parse: ShowQueue::parse,
};

#[derive(Debug)]
struct ShowQueue(QueueSelection);

impl ShowQueue {
    fn parse(form: &Form, _: &Account) -> ParseResult {
        Ok(Box::new(Self(QueueSelection::parse(form)?)))
    }

    async fn respond(&self, context: Context<'_>) -> Result<Response, ApiError> {
        let tenant = &context.tenant;
        let (queues, read) = self.0.read(tenant).await?;
        let view = self.0.view(&context, &queues, read);
        let account = Arc::clone(tenant.account);
        let member_json = Arc::clone(context.member_json);
        let response = read_response(&context, read, view, move |json| {
            json.raw("\"queues\":");
            write_queues(json, &queues, &account, &member_json, read.now);
        });
        response.await
    }
}

impl Command for ShowQueue {
    fn logged(&self) -> LoggedParameters {
        self.0.logged()
    }

    fn run<'a>(&'a self, context: Context<'a>) -> BoxFuture<'a, Result<Response, ApiError>> {
        self.respond(context).boxed()
    }
}
