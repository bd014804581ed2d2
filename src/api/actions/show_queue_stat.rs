//! `showqueuestat`: shows queue statistics and their totals.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Serialize;

use super::action::{Action, Command, Context, LoggedParameters, ParseResult};
use super::queue_selection::QueueSelection;
use super::read_response::read_response;
use crate::api::errors::ApiError;
use crate::api::form::Form;
use crate::api::json::{QueueStatistics, TotalStatistics};
use crate::api::response::Response;
use crate::organizations::Account;

pub(super) static SHOW_QUEUE_STAT: Action = Action {
    name: "showqueuestat",
    is_change: false,
    needs_permission: true,
    parse: ShowQueueStat::parse,
};

#[derive(Debug)]
struct ShowQueueStat(QueueSelection);

/// The fields that follow the head.
#[derive(Serialize)]
struct Body<'a> {
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
        let view = self.0.view(&context, &queues, read);
        let organization = Arc::clone(&tenant.account.organization);
        let response = read_response(&context, read, view, move |json| {
            let statistics = queues
                .iter()
                .map(|own| QueueStatistics::of(own, &organization, read.now));
            let statistics: Vec<_> = statistics.collect();
            json.fields(&Body {
                total: TotalStatistics::of(&statistics),
                queues: &statistics,
            });
        });
        response.await
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
