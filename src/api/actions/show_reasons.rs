//! `showreasons`: lists the pause reasons that the organization offers. Needs no PBX.

use std::future::ready;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Serialize;

use super::action::{Action, Command, Context, LoggedParameters, ParseResult};
use crate::api::errors::ApiError;
use crate::api::form::Form;
use crate::api::json::to_json;
use crate::api::parameters;
use crate::api::response::Response;
use crate::organizations::Account;
use crate::queues::PauseReason;

pub(super) static SHOW_REASONS: Action = Action {
    name: "showreasons",
    is_change: false,
    needs_permission: true,
    parse: ShowReasons::parse,
};

#[derive(Debug)]
struct ShowReasons;

#[derive(Serialize)]
struct Body<'a> {
    status: &'static str,
    action: &'static str,
    request_id: &'a str,
    reason_required: bool,
    other_reasons: bool,
    reasons: Vec<ReasonView<'a>>,
}

#[derive(Serialize)]
struct ReasonView<'a> {
    reason: &'a str,
    limit_seconds: Option<u64>,
    ends: bool,
}

impl ShowReasons {
    fn parse(form: &Form, _: &Account) -> ParseResult {
        parameters::reject_unused(form, "agent")?;
        parameters::reject_unused(form, "queue")?;
        Ok(Box::new(Self))
    }
}

impl Command for ShowReasons {
    fn logged(&self) -> LoggedParameters {
        LoggedParameters::default()
    }

    fn run<'a>(&'a self, context: Context<'a>) -> BoxFuture<'a, Result<Response, ApiError>> {
        let organization = &context.tenant.account.organization;
        let body = to_json(&Body {
            status: "success",
            action: context.action.name,
            request_id: context.tenant.request_id,
            reason_required: organization.reason_required,
            other_reasons: organization.other_reasons,
            reasons: organization.reasons.iter().map(ReasonView::of).collect(),
        });
        ready(Ok(Response::success(body))).boxed()
    }
}

impl<'a> ReasonView<'a> {
    fn of(reason: &'a PauseReason) -> Self {
        Self {
            reason: &reason.name,
            limit_seconds: reason.limit_seconds,
            ends: reason.ends,
        }
    }
}
