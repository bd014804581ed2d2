//! What the JSON of the `show…` actions looks like: one struct an object.

use std::sync::Arc;
use std::time::SystemTime;

use jiff::Timestamp;
use serde::Serialize;

use super::tenant::OwnQueue;
use crate::organizations::Organization;
use crate::queues::{Caller, DeviceState, Member, MemberState, Membership, PbxTime, Queue};

#[derive(Serialize)]
pub(super) struct Head<'a> {
    pub(super) status: &'static str,
    pub(super) action: &'static str,
    pub(super) request_id: &'a str,
    pub(super) as_of: String,
    pub(super) stale: bool,
}

/// A queue up to its members, which come from [`super::fragments`].
#[derive(Serialize)]
pub(super) struct QueueHead<'a> {
    queue: &'a str,
    name: &'a str,
    strategy: &'a str,
    max_callers: u64,
    weight: i64,
}

impl<'a> QueueHead<'a> {
    pub(super) fn of(own: &'a OwnQueue) -> Self {
        let queue = &own.queue;
        Self {
            queue: &own.number,
            name: &queue.name,
            strategy: &queue.strategy,
            max_callers: queue.max_callers,
            weight: queue.weight,
        }
    }
}

/// Waiting callers, by position.
pub(super) fn callers(queue: &Queue) -> Vec<CallerView<'_>> {
    queue.callers.iter().map(CallerView::of).collect()
}

#[derive(Serialize)]
pub(super) struct MemberView<'a> {
    agent: Option<&'a str>,
    alias: &'a str,
    interface: &'a str,
    state_interface: &'a str,
    membership: &'static str,
    penalty: i64,
    state: &'static str,
    paused: bool,
    paused_reason: Option<&'a str>,
    paused_at: Option<String>,
    device_state: &'static str,
    device_state_code: u8,
    in_call: bool,
    calls_taken: u64,
    last_call_at: Option<String>,
    logged_in_at: Option<String>,
    wrapup_seconds: u64,
}

impl<'a> MemberView<'a> {
    pub(super) fn of(member: &'a Member, organization: &Organization) -> Self {
        Self {
            agent: organization.agent_number(&member.interface),
            alias: &member.name,
            interface: &member.interface,
            state_interface: &member.state_interface,
            membership: match member.membership {
                Membership::Dynamic => "dynamic",
                Membership::Static => "static",
            },
            penalty: member.penalty,
            state: member.state().as_str(),
            paused: member.paused,
            paused_reason: paused_reason(member),
            // Asterisk keeps the time of the last pause after its end.
            paused_at: seconds(member.last_pause).filter(|_| member.paused),
            device_state: device_state_name(member.device_state),
            device_state_code: member.device_state.code(),
            in_call: member.in_call,
            calls_taken: member.calls_taken,
            last_call_at: seconds(member.last_call),
            logged_in_at: seconds(member.login_time),
            wrapup_seconds: member.wrapup_seconds,
        }
    }
}

/// A member, as the event stream tells what has happened to it.
#[derive(Serialize)]
pub(super) struct MemberEvent<'a> {
    pub(super) queue: &'a str,
    pub(super) change: &'static str,
    pub(super) member: MemberView<'a>,
}

fn paused_reason(member: &Member) -> Option<&str> {
    Some(&*member.paused_reason).filter(|reason| member.paused && !reason.is_empty())
}

fn device_state_name(state: DeviceState) -> &'static str {
    match state {
        DeviceState::Unknown => "unknown",
        DeviceState::NotInUse => "not_in_use",
        DeviceState::InUse => "in_use",
        DeviceState::Busy => "busy",
        DeviceState::Invalid => "invalid",
        DeviceState::Unavailable => "unavailable",
        DeviceState::Ringing => "ringing",
        DeviceState::RingInUse => "ring_in_use",
        DeviceState::OnHold => "on_hold",
    }
}

#[derive(Serialize)]
pub(super) struct CallerView<'a> {
    position: u64,
    caller_id_number: &'a str,
    caller_id_name: &'a str,
    channel: &'a str,
    unique_id: &'a str,
    wait_seconds: u64,
    priority: i64,
}

impl<'a> CallerView<'a> {
    fn of(caller: &'a Caller) -> Self {
        Self {
            position: caller.position,
            caller_id_number: &caller.number,
            caller_id_name: &caller.name,
            channel: &caller.channel,
            unique_id: &caller.unique_id,
            wait_seconds: caller.wait_seconds,
            priority: caller.priority,
        }
    }
}

#[derive(Serialize)]
pub(super) struct StateView<'a> {
    #[serde(flatten)]
    head: Head<'a>,
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

impl<'a> StateView<'a> {
    pub(super) fn of(
        head: Head<'a>,
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
            paused: paused_everywhere(&members),
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

fn paused_everywhere(members: &[&Member]) -> bool {
    !members.is_empty() && members.iter().all(|member| member.paused)
}

/// One device, many memberships: what it does shows in any of them, and a pause
/// counts where it holds in all.
fn overall_state(members: &[&Member]) -> &'static str {
    if members.is_empty() {
        return "logged_out";
    }
    let busiest = members.iter().map(|member| member.state()).min();
    match busiest {
        Some(state) if state < MemberState::Paused => state.as_str(),
        _ if paused_everywhere(members) => MemberState::Paused.as_str(),
        _ => MemberState::Available.as_str(),
    }
}

fn seconds(time: PbxTime) -> Option<String> {
    let unix = time.unix();
    (unix > 0)
        .then(|| Timestamp::from_second(unix).map(|time| time.to_string()))?
        .ok()
}

pub(super) fn moment(time: SystemTime) -> String {
    Timestamp::try_from(time).map_or_else(|_| String::new(), |time| format!("{time:.3}"))
}
