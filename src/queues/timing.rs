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
        Self {
            state,
            state_since: state_since(member, state, wrap_up_end),
            wrap_up_ends_at: in_wrap_up.filter(|_| state == MemberState::WrapUp),
            pause_limit_at,
            pause_overdue: pause_limit_at.is_some_and(|limit| limit <= now),
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
    let changes = [
        wrap_up_end(member, queue, rules),
        pause_limit_at(member, rules),
    ];
    changes.into_iter().flatten().filter(|at| *at > now).min()
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
mod tests {
    use super::*;
    use crate::queues::{PbxTime, QueueName, ReasonCatalog};

    /// The queue `sales` has a wrap-up time of 10 s, `support` one of 20 s.
    #[derive(Debug)]
    struct Rules(ReasonCatalog);

    impl TimingRules for Rules {
        fn organization(&self) -> &str {
            "acme"
        }
        fn has_queue(&self, _: &str) -> bool {
            true
        }
        fn has_interface(&self, interface: &str) -> bool {
            interface.starts_with("PJSIP/")
        }
        fn wrapup_seconds(&self, queue: &str) -> u64 {
            match queue {
                "sales" => 10,
                "support" => 20,
                _ => 0,
            }
        }
        fn longest_wrapup_seconds(&self) -> u64 {
            20
        }
        fn reason(&self, name: &str) -> Option<&PauseReason> {
            self.0.find(name)
        }
    }

    fn rules() -> Rules {
        let reason = |name: &str, limit_seconds, ends| PauseReason {
            name: name.to_owned(),
            limit_seconds,
            ends,
        };
        Rules(ReasonCatalog::new([
            reason("Lunch", Some(60), true),
            reason("Break", Some(30), false),
            reason("Office", None, false),
        ]))
    }

    fn after_call() -> Member {
        Member {
            last_call: PbxTime::reported(1000),
            ..Member::for_test()
        }
    }

    fn paused(reason: &str) -> Member {
        Member {
            last_pause: PbxTime::reported(1000),
            paused: true,
            paused_reason: reason.into(),
            ..Member::for_test()
        }
    }

    #[test]
    fn member_is_in_wrap_up_until_the_wrap_up_time_has_passed() {
        let rules = rules();
        let own = Member {
            wrapup_seconds: 3,
            ..after_call()
        };
        let mut shared = after_call();
        shared.observed.call_queues = Some([QueueName::for_test("support")].into());
        let mut unclear = after_call();
        let queues = ["sales", "support"].map(QueueName::for_test);
        unclear.observed.call_queues = Some(queues.into());
        for (case, member, queue, end) in [
            ("the queue's", after_call(), "sales", Some(1_010_000)),
            ("none", after_call(), "other", None),
            ("no call", Member::for_test(), "sales", None),
            ("the member's own", own, "sales", Some(1_003_000)),
            ("the call's queue", shared, "sales", Some(1_020_000)),
            ("the longest", unclear, "other", Some(1_020_000)),
        ] {
            let timing = |now| MemberTiming::of(&member, queue, &rules, now);
            let Some(end) = end else {
                assert_eq!(timing(1_000_000).state, MemberState::Available, "{case}");
                continue;
            };
            let last = timing(end - 1);
            assert_eq!(last.state, MemberState::WrapUp, "{case}");
            assert_eq!(last.wrap_up_ends_at, Some(end), "{case}");
            assert_eq!(last.state_since, Some(1_000_000), "{case}");
            let next = next_display_change(&member, queue, &rules, end - 1);
            assert_eq!(next, Some(end), "{case}");
            let over = timing(end);
            assert_eq!(over.state, MemberState::Available, "{case}");
            assert_eq!(over.wrap_up_ends_at, None, "{case}");
            assert_eq!(over.state_since, Some(end), "{case}");
            assert_eq!(next_display_change(&member, queue, &rules, end), None);
        }
    }

    #[test]
    fn wrap_up_is_shown_only_for_a_member_who_is_otherwise_available() {
        let rules = rules();
        let member = Member {
            paused: true,
            ..after_call()
        };
        let timing = MemberTiming::of(&member, "sales", &rules, 1_001_000);
        assert_eq!(timing.state, MemberState::Paused);
        assert_eq!(timing.wrap_up_ends_at, None);
    }

    #[test]
    fn pause_is_overdue_from_its_limit_on() {
        let rules = rules();
        for (member, limit, end) in [
            (paused("break"), Some(1_030_000), None),
            (paused("LUNCH"), Some(1_060_000), Some(1_060_000)),
            (paused("Office"), None, None),
            (paused("Phone"), None, None),
            (paused(""), None, None),
        ] {
            let timing = |now| MemberTiming::of(&member, "sales", &rules, now);
            let reason = &member.paused_reason;
            assert_eq!(timing(0).pause_limit_at, limit, "{reason}");
            assert_eq!(timing(0).pause_ends_at, end, "{reason}");
            assert_eq!(timing(0).state_since, Some(1_000_000), "{reason}");
            if let Some(limit) = limit {
                assert!(!timing(limit - 1).pause_overdue, "{reason}");
                assert!(timing(limit).pause_overdue, "{reason}");
                let next = next_display_change(&member, "sales", &rules, 0);
                assert_eq!(next, Some(limit), "{reason}");
            }
        }
    }

    #[test]
    fn promised_end_has_precedence_and_agents_of_others_are_left_alone() {
        let rules = rules();
        let end_of = |member| MemberTiming::of(&member, "sales", &rules, 0).pause_ends_at;
        let mut promised = paused("Lunch");
        promised.observed.pause_end = Some(5);
        assert_eq!(end_of(promised.clone()), Some(5));
        promised.paused = false;
        assert_eq!(end_of(promised), None);
        let foreign = Member {
            interface: "Local/1001@other".into(),
            ..paused("Lunch")
        };
        assert_eq!(end_of(foreign), None);
    }

    #[test]
    fn missed_call_pauses_automatically() {
        let rules = rules();
        for (reason, is_auto) in [("Auto-Pause", true), ("auto-pause", false), ("", false)] {
            let timing = MemberTiming::of(&paused(reason), "sales", &rules, 0);
            assert_eq!(timing.auto_paused, is_auto, "{reason}");
        }
    }
}
