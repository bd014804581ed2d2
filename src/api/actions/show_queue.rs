//! `showqueue`: shows queues with their settings, members and waiting callers.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::action::{Action, Command, Context, LoggedParameters, ParseResult};
use super::queue_selection::QueueSelection;
use crate::api::errors::ApiError;
use crate::api::form::Form;
use crate::api::json::{JsonPieces, render, write_queues};
use crate::api::response::{ReadHead, Response};
use crate::api::tenant::is_large;
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
        let head = ReadHead::new(context.action.name, tenant.request_id, read);
        let account = Arc::clone(tenant.account);
        let member_json = Arc::clone(context.member_json);
        let body = render(is_large(&queues), move || {
            let mut json = JsonPieces::default();
            json.raw("{");
            json.fields(&head);
            json.raw(",\"queues\":");
            write_queues(&mut json, &queues, &account, &member_json, read.now);
            json.raw("}");
            json.finish()
        });
        Ok(Response::success(body.await?))
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
