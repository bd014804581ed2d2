//! Renders members as JSON, and caches the JSON.
//!
//! Members make up most of a response and seldom change between two reads, so the JSON of a
//! queue's members is cached until they change.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde::Serialize;

use super::{pbx_timestamp, unix_millis_timestamp, whole_seconds};
use crate::organizations::{Account, Organization};
use crate::queues::{DeviceState, Member, MemberTiming, Membership, Queue};

#[derive(Serialize)]
pub(in crate::api) struct MemberView<'a> {
    agent: Option<&'a str>,
    alias: &'a str,
    interface: &'a str,
    state_interface: &'a str,
    membership: &'static str,
    penalty: i64,
    state: &'static str,
    state_since: Option<String>,
    wrap_up_ends_at: Option<String>,
    paused: bool,
    paused_reason: Option<&'a str>,
    paused_at: Option<String>,
    pause_limit_at: Option<String>,
    pause_overdue: bool,
    pause_ends_at: Option<String>,
    auto_paused: bool,
    device_state: &'static str,
    device_state_code: u8,
    in_call: bool,
    calls_taken: u64,
    last_call_at: Option<String>,
    logged_in_at: Option<String>,
    wrapup_seconds: u64,
}

impl<'a> MemberView<'a> {
    /// Renders a member of the queue with this name on the PBX. `now` is in Unix milliseconds.
    pub(in crate::api) fn of(
        member: &'a Member,
        queue: &str,
        organization: &Organization,
        now: i64,
    ) -> Self {
        let timing = MemberTiming::of(member, queue, organization, now);
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
            state: timing.state.as_str(),
            state_since: timing.state_since.and_then(whole_seconds),
            wrap_up_ends_at: timing.wrap_up_ends_at.and_then(whole_seconds),
            paused: member.paused,
            paused_reason: paused_reason(member),
            paused_at: paused_at(member),
            pause_limit_at: timing.pause_limit_at.and_then(whole_seconds),
            pause_overdue: timing.pause_overdue,
            pause_ends_at: timing.pause_ends_at.and_then(unix_millis_timestamp),
            auto_paused: timing.auto_paused,
            device_state: device_state_name(member.device_state),
            device_state_code: member.device_state.code(),
            in_call: member.in_call,
            calls_taken: member.calls_taken,
            last_call_at: pbx_timestamp(member.last_call),
            logged_in_at: pbx_timestamp(member.login_time),
            wrapup_seconds: member.wrapup_seconds,
        }
    }
}

/// Returns the member's pause reason, or `None` if the member is not paused or the pause has no
/// reason.
pub(in crate::api) fn paused_reason(member: &Member) -> Option<&str> {
    Some(&*member.paused_reason).filter(|reason| member.paused && !reason.is_empty())
}

/// Formats the beginning of the member's pause. Returns `None` if the member is not paused:
/// Asterisk still reports the time of the last pause then.
pub(in crate::api) fn paused_at(member: &Member) -> Option<String> {
    pbx_timestamp(member.last_pause).filter(|_| member.paused)
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

/// A cache of rendered members, separate for each organization.
#[derive(Debug, Default)]
pub struct MemberJsonCache {
    organizations: Mutex<CachedOrganizations>,
}

/// Keyed by the organization's name, then by the queue's name on the PBX.
type CachedOrganizations = HashMap<String, HashMap<String, CachedMembers>>;

/// Cached JSON, and the data from which it was rendered.
#[derive(Debug)]
struct CachedMembers {
    members: Arc<Vec<Arc<Member>>>,
    organization: Arc<Organization>,
    json: Bytes,
}

impl MemberJsonCache {
    /// Returns the members that the account sees as a JSON array, from the cache if these are
    /// all members. Also returns the number of members that the account does not see. `now` is in
    /// Unix milliseconds.
    pub(super) fn members(&self, queue: &Queue, account: &Account, now: i64) -> (Bytes, usize) {
        let organization = &account.organization;
        if account.limits.hides_others() {
            let members = queue.members.iter();
            let seen = members.filter(|member| account.sees_member(&member.interface));
            let seen: Vec<_> = seen.collect();
            let hidden = queue.members.len() - seen.len();
            let json = render_members(seen.into_iter(), &queue.name, organization, now);
            return (json, hidden);
        }
        (self.all_members(queue, organization, now), 0)
    }

    fn all_members(&self, queue: &Queue, organization: &Arc<Organization>, now: i64) -> Bytes {
        if let Some(json) = self.cached(queue, organization) {
            return json;
        }
        // Rendering can take long, so the lock is not held.
        let json = render_members(queue.members.iter(), &queue.name, organization, now);
        let cached = CachedMembers {
            members: Arc::clone(&queue.members),
            organization: Arc::clone(organization),
            json: json.clone(),
        };
        let mut organizations = self.lock();
        let queues = organizations.entry(organization.name.clone()).or_default();
        queues.insert(queue.name.to_string(), cached);
        json
    }

    fn cached(&self, queue: &Queue, organization: &Arc<Organization>) -> Option<Bytes> {
        let organizations = self.lock();
        let queues = organizations.get(&organization.name)?;
        let cached = queues.get(queue.name.as_str())?;
        // The mirror creates a new list whenever a member changes, also if only time changes
        // it. Streams that were opened before a configuration reload still use the old
        // organization.
        let is_current =
            Arc::ptr_eq(&cached.members, &queue.members) && cached.organization == *organization;
        is_current.then(|| cached.json.clone())
    }

    fn lock(&self) -> MutexGuard<'_, CachedOrganizations> {
        let lock = self.organizations.lock();
        lock.unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the number of members that the account does not see.
pub(super) fn members_hidden(queue: &Queue, account: &Account) -> usize {
    if !account.limits.hides_others() {
        return 0;
    }
    let members = queue.members.iter();
    let hidden = members.filter(|member| !account.sees_member(&member.interface));
    hidden.count()
}

fn render_members<'a>(
    members: impl Iterator<Item = &'a Arc<Member>>,
    queue: &str,
    organization: &Organization,
    now: i64,
) -> Bytes {
    let views = members.map(|member| MemberView::of(member, queue, organization, now));
    let views: Vec<_> = views.collect();
    // Serialization fails only for maps with non-string keys; the view has none.
    serde_json::to_vec(&views).unwrap_or_default().into()
}
