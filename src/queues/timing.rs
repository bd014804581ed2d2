//! How time changes a member: wrap-up, overdue pauses, and the ends of pauses.
//!
//! Everything here is a pure function of the member, the organization's rules and the time.

use std::fmt;
use std::sync::Arc;

use super::model::{Member, MemberState};
use super::reason::PauseReason;

/// The reason with which Asterisk pauses a member who missed a call (`autopause`).
const AUTO_PAUSE_REASON: &str = "Auto-Pause";

/// An organization's rules for the members of its queues.
pub trait TimingRules: fmt::Debug + Send + Sync {
    /// Returns the organization's name.
    fn organization(&self) -> &str;

    /// Returns whether the queue with this name on the PBX belongs to the organization.
    fn has_queue(&self, queue: &str) -> bool;

    /// Returns whether the interface belongs to one of the organization's agents.
    fn has_interface(&self, interface: &str) -> bool;

    /// Returns the configured wrap-up time of the queue with this name on the PBX, in seconds.
    /// Returns 0 if the queue has none or does not belong to the organization. Asterisk does not
    /// report a queue's `wrapuptime`.
    fn wrapup_seconds(&self, queue: &str) -> u64;

    /// Returns the longest configured wrap-up time, in seconds.
    fn longest_wrapup_seconds(&self) -> u64;

    /// Returns the listed pause reason with this name. Ignores case.
    fn reason(&self, name: &str) -> Option<&PauseReason>;
}

/// A member's state and its times at one moment. Times are Unix milliseconds on the bridge's
/// clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberTiming {
    /// The member's state, including wrap-up.
    pub state: MemberState,
    /// When the state began; `None` if the bridge did not see it begin.
    pub state_since: Option<i64>,
    /// When the wrap-up time ends; `None` unless the state is [`MemberState::WrapUp`].
    pub wrap_up_ends_at: Option<i64>,
    /// When the pause reaches its reason's limit; `None` without a limit or without a pause.
    pub pause_limit_at: Option<i64>,
    /// Whether the pause has reached its limit.
    pub pause_overdue: bool,
    /// When the bridge will end the pause; `None` if it will not.
    pub pause_ends_at: Option<i64>,
    /// Whether Asterisk paused the member because of a missed call.
    pub auto_paused: bool,
}

impl MemberTiming {
    /// Returns the timing of a member of `queue` at `now`, in Unix milliseconds.
    #[must_use]
    pub fn of(member: &Member, queue: &str, rules: &dyn TimingRules, now: i64) -> Self {
        let wrap_up_end = wrap_up_end(member, queue, rules);
        let in_wrap_up = wrap_up_end.filter(|end| now < *end);
        let state = match member.state_without_wrap_up() {
            MemberState::Available if in_wrap_up.is_some() => MemberState::WrapUp,
            state => state,
        };
        let pause_limit_at = pause_limit_at(member, rules);
        let overdue_at = overdue_at(member, rules);
        Self {
            state,
            state_since: state_since(member, state, wrap_up_end),
            wrap_up_ends_at: in_wrap_up.filter(|_| state == MemberState::WrapUp),
            pause_limit_at,
            pause_overdue: overdue_at.is_some_and(|at| at <= now),
            pause_ends_at: promised_end(member).or_else(|| catalog_end(member, rules)),
            auto_paused: member.paused && &*member.paused_reason == AUTO_PAUSE_REASON,
        }
    }
}

/// Returns the time after `now` at which the member's timing next changes, in Unix
/// milliseconds. Ends of pauses are not included, because a pause that has ended changes the
/// member.
#[must_use]
pub(super) fn next_display_change(
    member: &Member,
    queue: &str,
    rules: &dyn TimingRules,
    now: i64,
) -> Option<i64> {
    let changes = [wrap_up_end(member, queue, rules), overdue_at(member, rules)];
    changes.into_iter().flatten().filter(|at| *at > now).min()
}

/// Returns the wrap-up time after a call of a member, in seconds. The member's own wrap-up time
/// has precedence over the queue's.
pub(super) fn wrap_up_seconds(
    own: u64,
    queue: &str,
    interface: &str,
    rules: &[Arc<dyn TimingRules>],
) -> u64 {
    if own > 0 {
        return own;
    }
    let rules = rules.iter().find(|rules| rules.has_interface(interface));
    rules.map_or(0, |rules| rules.wrapup_seconds(queue))
}

/// Returns the longest wrap-up time of all rules, in seconds.
pub(super) fn longest_wrapup(rules: &[Arc<dyn TimingRules>]) -> i64 {
    let seconds = rules.iter().map(|rules| rules.longest_wrapup_seconds());
    i64::try_from(seconds.max().unwrap_or(0)).unwrap_or(i64::MAX)
}

/// Returns the end of the wrap-up time after the member's last call. The member's own wrap-up
/// time has precedence over the queue's, as in Asterisk. With `shared_lastcall`, Asterisk uses
/// the wrap-up time of the queue in which the call was.
fn wrap_up_end(member: &Member, queue: &str, rules: &dyn TimingRules) -> Option<i64> {
    let last_call = seconds_to_millis(member.last_call.unix())?;
    let seconds = match (member.wrapup_seconds, &member.observed.call_queues) {
        (0, Some(queues)) => {
            let seconds = queues.iter().map(|queue| rules.wrapup_seconds(queue));
            seconds.max().unwrap_or(0)
        }
        (0, None) => rules.wrapup_seconds(queue),
        (own, _) => own,
    };
    let millis = i64::try_from(seconds).ok()?.checked_mul(1000)?;
    last_call.checked_add(millis).filter(|_| seconds > 0)
}

/// Returns when the member's pause reaches the limit of its reason.
fn pause_limit_at(member: &Member, rules: &dyn TimingRules) -> Option<i64> {
    let limit = listed_reason(member, rules)?.limit_seconds?;
    let millis = i64::try_from(limit).ok()?.checked_mul(1000)?;
    paused_at(member)?.checked_add(millis)
}

/// Returns when the member's pause becomes overdue. Asterisk reports the beginning of a pause in
/// whole seconds, so the limit can come up to a second before the promised end. The pause is not
/// overdue in between.
fn overdue_at(member: &Member, rules: &dyn TimingRules) -> Option<i64> {
    let limit = pause_limit_at(member, rules)?;
    let end = promised_end(member).filter(|end| (limit..limit + 1000).contains(end));
    Some(end.unwrap_or(limit))
}

/// Returns the end that a request has given to the pause.
pub(super) fn promised_end(member: &Member) -> Option<i64> {
    member.observed.pause_end.filter(|_| member.paused)
}

/// Returns the end of a pause whose reason is listed with `ends = true`. Such a pause ends
/// regardless of who made it, because its reason and its beginning suffice.
pub(super) fn catalog_end(member: &Member, rules: &dyn TimingRules) -> Option<i64> {
    let ends = listed_reason(member, rules)?.ends && rules.has_interface(&member.interface);
    pause_limit_at(member, rules).filter(|_| ends)
}

fn listed_reason<'a>(member: &Member, rules: &'a dyn TimingRules) -> Option<&'a PauseReason> {
    if !member.paused || member.paused_reason.is_empty() {
        return None;
    }
    rules.reason(&member.paused_reason)
}

fn state_since(member: &Member, state: MemberState, wrap_up_end: Option<i64>) -> Option<i64> {
    let observed = member.observed.state_since;
    match state {
        // A member can be paused during a call. The state then begins after the call.
        MemberState::Paused => paused_at(member).max(observed),
        MemberState::WrapUp => seconds_to_millis(member.last_call.unix()),
        // The wrap-up time ended while the bridge watched, unless it ended before.
        MemberState::Available => {
            let watched_end = wrap_up_end.filter(|end| *end > member.observed.watched_since);
            observed.max(watched_end)
        }
        _ => observed,
    }
}

fn paused_at(member: &Member) -> Option<i64> {
    seconds_to_millis(member.last_pause.unix())
}

/// Converts Unix seconds to milliseconds. Returns `None` for 0, which means never.
fn seconds_to_millis(seconds: i64) -> Option<i64> {
    (seconds > 0).then(|| seconds.saturating_mul(1000))
}

#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;
