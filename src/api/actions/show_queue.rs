//! `showqueue`: queues with their settings, members and waiting callers.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::action::{Action, Command, Context, LoggedParameters};
use crate::api::errors::ApiError;
use crate::api::form::Form;
use crate::api::json::{JsonPieces, render, write_queues};
use crate::api::parameters::{self, reject_agent};
use crate::api::response::{ReadHead, Response};
use crate::api::tenant::{Detail, is_large};

pub(super) static SHOW_QUEUE: Action = Action {
    name: "showqueue",
    is_change: false,
    parse: ShowQueue::parse,
};

#[derive(Debug)]
struct ShowQueue {
    /// Queue numbers; `None` is every queue of the organization.
    queues: Option<Vec<String>>,
    /// Whether to query Asterisk instead of reading the mirror.
    fresh: bool,
}

impl ShowQueue {
    fn parse(form: &Form) -> Result<Box<dyn Command>, ApiError> {
        let fresh = parameters::flag(form, "fresh")?;
        reject_agent(form)?;
        let queues = parameters::queues(form)?;
        Ok(Box::new(Self { queues, fresh }))
    }

    async fn respond(&self, context: Context<'_>) -> Result<Response, ApiError> {
        let tenant = &context.tenant;
        let numbers = self.queues.as_deref();
        let (queues, read) = tenant.queues(numbers, self.fresh, Detail::Full).await?;
        tenant.check_all_found(numbers, &queues)?;
        let head = ReadHead::new(context.action.name, tenant.request_id, read);
        let organization = Arc::clone(tenant.organization);
        let member_json = Arc::clone(context.member_json);
        let body = render(is_large(&queues), move || {
            let mut json = JsonPieces::default();
            json.raw("{");
            json.fields(&head);
            json.raw(",\"queues\":");
            write_queues(&mut json, &queues, &organization, &member_json);
            json.raw("}");
            json.finish()
        });
        Ok(Response::success(body.await?))
    }
}

impl Command for ShowQueue {
    fn logged(&self) -> LoggedParameters {
        LoggedParameters {
            queues: self.queues.clone(),
            ..LoggedParameters::default()
        }
    }

    fn run<'a>(&'a self, context: Context<'a>) -> BoxFuture<'a, Result<Response, ApiError>> {
        self.respond(context).boxed()
    }
}
