//! `showstate`: shows an agent's state and pause reason across the organization's queues.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Serialize;

use super::action::{Action, Command, Context, LoggedParameters, ParseResult};
use crate::api::errors::ApiError;
use crate::api::form::Form;
use crate::api::json::{MemberView, paused_reason, to_json};
use crate::api::parameters;
use crate::api::response::{ReadHead, Response};
use crate::api::tenant::{OwnQueue, Tenant};
use crate::organizations::Organization;
use crate::queues::{Member, MemberState};

pub(super) static SHOW_STATE: Action = Action {
    name: "showstate",
    is_change: false,
    parse: ShowState::parse,
};

#[derive(Debug)]
struct ShowState {
    agent: String,
    /// Queue numbers. `None` means all queues of the organization.
    queues: Option<Vec<String>>,
    /// Whether to query Asterisk instead of reading the mirror.
    fresh: bool,
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(flatten)]
    head: ReadHead,
    agent: &'a str,
    alias: Option<&'a str>,
    state: &'static str,
    paused: bool,
    reason: Option<&'a str>,
    queues: Vec<MembershipView<'a>>,
}

#[derive(Serialize)]
struct MembershipView<'a> {
    queue: &'a str,
    name: &'a str,
    #[serde(flatten)]
    member: MemberView<'a>,
}

impl ShowState {
    fn parse(form: &Form, _: &Organization) -> ParseResult {
        let fresh = parameters::flag(form, "fresh")?;
        Ok(Box::new(Self {
            agent: parameters::agent(form)?,
            queues: parameters::queues(form)?,
            fresh,
        }))
    }

    async fn respond(&self, context: Context<'_>) -> Result<Response, ApiError> {
        let tenant: &Tenant<'_> = &context.tenant;
        tenant.check_agent(&self.agent)?;
        let numbers = self.queues.as_deref();
        let memberships = tenant.memberships(&self.agent, numbers, self.fresh);
        let (memberships, read) = memberships.await?;
        let head = ReadHead::new(context.action.name, tenant.request_id, read);
        let body = Body::new(head, &self.agent, &memberships, tenant.organization);
        Ok(Response::success(to_json(&body)))
    }
}

impl Command for ShowState {
    fn logged(&self) -> LoggedParameters {
        LoggedParameters {
            agent: Some(self.agent.clone()),
            queues: self.queues.clone(),
            ..LoggedParameters::default()
        }
    }

    fn run<'a>(&'a self, context: Context<'a>) -> BoxFuture<'a, Result<Response, ApiError>> {
        self.respond(context).boxed()
    }
}

impl<'a> Body<'a> {
    fn new(
        head: ReadHead,
        agent: &'a str,
        memberships: &'a [(OwnQueue, Arc<Member>)],
        organization: &Organization,
    ) -> Self {
        let members: Vec<&Member> = memberships.iter().map(|(_, member)| &**member).collect();
        let paused = members.iter().filter(|member| member.paused);
        let latest_pause = paused.max_by_key(|member| member.last_pause.unix());
        Self {
            head,
            agent,
            alias: members.first().map(|member| &*member.name),
            state: overall_state(&members),
            paused: is_paused_everywhere(&members),
            reason: latest_pause.and_then(|member| paused_reason(member)),
            queues: memberships
                .iter()
                .map(|(own, member)| MembershipView {
                    queue: &own.number,
                    name: &own.queue.name,
                    member: MemberView::of(member, organization),
                })
                .collect(),
        }
    }
}

fn is_paused_everywhere(members: &[&Member]) -> bool {
    !members.is_empty() && members.iter().all(|member| member.paused)
}

/// Returns the agent's state across all memberships. The memberships share one device, so a call
/// in one queue makes the agent busy in all of them. The agent counts as paused only if paused in
/// every queue.
fn overall_state(members: &[&Member]) -> &'static str {
    if members.is_empty() {
        return "logged_out";
    }
    let busiest = members
        .iter()
        .map(|member| member.state_without_wrap_up())
        .min();
    match busiest {
        Some(state) if state < MemberState::Paused => state.as_str(),
        _ if is_paused_everywhere(members) => MemberState::Paused.as_str(),
        _ => MemberState::Available.as_str(),
    }
}
