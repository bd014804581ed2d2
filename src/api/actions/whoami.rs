//! `whoami`: shows the account's permissions and limits. Needs no PBX and no permission.

use std::future::ready;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Serialize;

use super::action::{Action, Command, Context, LoggedParameters, ParseResult};
use super::permissions;
use crate::api::errors::ApiError;
use crate::api::form::Form;
use crate::api::json::{to_json, unix_millis_timestamp};
use crate::api::parameters;
use crate::api::response::Response;
use crate::organizations::{Account, Pattern};

pub(super) static WHOAMI: Action = Action {
    name: "whoami",
    is_change: false,
    needs_permission: false,
    parse: WhoAmI::parse,
};

#[derive(Debug)]
struct WhoAmI;

#[derive(Serialize)]
struct Body<'a> {
    status: &'static str,
    action: &'static str,
    request_id: &'a str,
    user: &'a str,
    organization: &'a str,
    actions: Vec<&'static str>,
    /// The agent for requests that name none.
    agent: Option<&'a str>,
    agents: Option<Vec<String>>,
    queues: Option<Vec<String>>,
    expires_at: Option<String>,
}

impl WhoAmI {
    fn parse(form: &Form, _: &Account) -> ParseResult {
        parameters::reject_unused(form, "agent")?;
        parameters::reject_unused(form, "queue")?;
        Ok(Box::new(Self))
    }
}

impl Command for WhoAmI {
    fn logged(&self) -> LoggedParameters {
        LoggedParameters::default()
    }

    fn run<'a>(&'a self, context: Context<'a>) -> BoxFuture<'a, Result<Response, ApiError>> {
        let account = context.tenant.account;
        let mut actions = permissions();
        actions.retain(|action| account.allows_action(action));
        let body = to_json(&Body {
            status: "success",
            action: context.action.name,
            request_id: context.tenant.request_id,
            user: &account.name,
            organization: &account.organization.name,
            actions,
            agent: account.own_agent(),
            agents: account.limits.agents.as_deref().map(as_configured),
            queues: account.limits.queues.as_deref().map(as_configured),
            expires_at: account.expires_at.and_then(unix_millis_timestamp),
        });
        ready(Ok(Response::success(body))).boxed()
    }
}

fn as_configured(patterns: &[Pattern]) -> Vec<String> {
    patterns.iter().map(Pattern::to_string).collect()
}
