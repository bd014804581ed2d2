//! `showqueuestat`: statistics of queues, and their total.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Serialize;

use super::action::{Action, Command, Context, LoggedParameters};
use crate::api::errors::ApiError;
use crate::api::form::Form;
use crate::api::json::{QueueStatistics, TotalStatistics, render, to_json};
use crate::api::parameters::{self, reject_agent};
use crate::api::response::{ReadHead, Response};
use crate::api::tenant::{Detail, is_large};

pub(super) static SHOW_QUEUE_STAT: Action = Action {
    name: "showqueuestat",
    is_change: false,
    parse: ShowQueueStat::parse,
};

#[derive(Debug)]
struct ShowQueueStat {
    /// Queue numbers; `None` is every queue of the organization.
    queues: Option<Vec<String>>,
    /// Whether to query Asterisk instead of reading the mirror.
    fresh: bool,
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(flatten)]
    head: &'a ReadHead,
    queues: &'a [QueueStatistics<'a>],
    total: TotalStatistics,
}

impl ShowQueueStat {
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
        let body = render(is_large(&queues), move || {
            let statistics: Vec<_> = queues.iter().map(QueueStatistics::of).collect();
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
        LoggedParameters {
            queues: self.queues.clone(),
            ..LoggedParameters::default()
        }
    }

    fn run<'a>(&'a self, context: Context<'a>) -> BoxFuture<'a, Result<Response, ApiError>> {
        self.respond(context).boxed()
    }
}
