//! `showqueuestat`: shows queue statistics and their totals.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Serialize;

use super::action::{Action, Command, Context, LoggedParameters, ParseResult};
use super::queue_selection::QueueSelection;
use crate::api::errors::ApiError;
use crate::api::form::Form;
use crate::api::json::{QueueStatistics, TotalStatistics, render, to_json};
use crate::api::response::{ReadHead, Response};
use crate::api::tenant::is_large;
use crate::organizations::Account;

pub(super) static SHOW_QUEUE_STAT: Action = Action {
    name: "showqueuestat",
    is_change: false,
    needs_permission: true,
    parse: ShowQueueStat::parse,
};

#[derive(Debug)]
struct ShowQueueStat(QueueSelection);

#[derive(Serialize)]
struct Body<'a> {
    #[serde(flatten)]
    head: &'a ReadHead,
    queues: &'a [QueueStatistics<'a>],
    total: TotalStatistics,
}

impl ShowQueueStat {
    fn parse(form: &Form, _: &Account) -> ParseResult {
        Ok(Box::new(Self(QueueSelection::parse(form)?)))
    }

    async fn respond(&self, context: Context<'_>) -> Result<Response, ApiError> {
        let tenant = &context.tenant;
        let (queues, read) = self.0.read(tenant).await?;
        let head = ReadHead::new(context.action.name, tenant.request_id, read);
        let organization = Arc::clone(&tenant.account.organization);
        let body = render(is_large(&queues), move || {
            let statistics = queues
                .iter()
                .map(|own| QueueStatistics::of(own, &organization, read.now));
            let statistics: Vec<_> = statistics.collect();
            to_json(&Body {
                head: &head,
                total: TotalStatistics::of(&statistics),
                queues: &statistics,
            })
        });
        Ok(Response::success(body.await?))
    }
}

impl Command for ShowQueueStat {
    fn logged(&self) -> LoggedParameters {
        self.0.logged()
    }

    fn run<'a>(&'a self, context: Context<'a>) -> BoxFuture<'a, Result<Response, ApiError>> {
        self.respond(context).boxed()
    }
}
