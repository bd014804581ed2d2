//! Changes that Asterisk has acknowledged, but not confirmed by an event.
//!
//! On the connection that made a change, the reply comes before the event, and the event
//! can be many replies late. A client that has received "success" must see the change at
//! once, so the change is applied on top of what Asterisk has reported.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::event::MemberEvent;
use crate::ami::Action;
use crate::queues::model::Member;
use crate::queues::time::PbxTime;

/// How long a change waits for its event. After that, Asterisk is queried. A member whose
/// name is not UTF-8, for example, has no events at all.
pub(super) const EVENT_TIMEOUT: Duration = Duration::from_secs(2);

/// The effect of an acknowledged change on a member.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum UnconfirmedChange {
    Pause {
        paused: bool,
        reason: Arc<str>,
        /// When the change was acknowledged, in Unix seconds.
        at: i64,
    },
    /// With the member, once Asterisk has listed it.
    Add(Option<Arc<Member>>),
    Remove,
}

impl UnconfirmedChange {
    /// The queue, the interface, and the effect of the action. `now` is in Unix seconds.
    pub(super) fn of(action: &Action, now: i64) -> Option<(&str, &str, Self)> {
        match action {
            Action::QueuePause {
                queue,
                interface,
                paused,
                reason,
            } => {
                let reason = reason.as_ref().filter(|_| *paused);
                let change = Self::Pause {
                    paused: *paused,
                    reason: reason.map_or_else(Arc::default, |reason| reason.as_str().into()),
                    at: now,
                };
                Some((queue.as_str(), interface.as_str(), change))
            }
            Action::QueueAdd {
                queue, interface, ..
            } => Some((queue.as_str(), interface.as_str(), Self::Add(None))),
            Action::QueueRemove { queue, interface } => {
                Some((queue.as_str(), interface.as_str(), Self::Remove))
            }
            _ => None,
        }
    }

    /// The member after this change.
    pub(super) fn apply(&self, member: Option<Arc<Member>>) -> Option<Arc<Member>> {
        match self {
            Self::Pause { paused, reason, at } => {
                let mut member = member?;
                if member.paused == *paused && member.paused_reason == *reason {
                    return Some(member);
                }
                let changed = Arc::make_mut(&mut member);
                changed.paused = *paused;
                changed.paused_reason = Arc::clone(reason);
                if *paused {
                    changed.last_pause = PbxTime::acknowledged(*at);
                }
                Some(member)
            }
            // A new member is shown once Asterisk has reported it, because only Asterisk
            // knows the state of its device.
            Self::Add(listed) => member.or_else(|| listed.clone()),
            Self::Remove => None,
        }
    }

    /// Whether an event can be the confirmation of this change.
    fn is_confirmed_by(&self, kind: MemberEvent, member: &Member) -> bool {
        match self {
            Self::Pause { paused, reason, .. } => {
                kind == MemberEvent::Paused
                    && member.paused == *paused
                    && member.paused_reason == *reason
            }
            Self::Add(_) => kind == MemberEvent::Added,
            Self::Remove => kind == MemberEvent::Removed,
        }
    }
}

/// A member with unconfirmed changes.
#[derive(Debug)]
pub(super) struct MemberOverlay {
    pub(super) interface: Arc<str>,
    /// The member as events and lists have reported it.
    pub(super) reported: Option<Arc<Member>>,
    /// Oldest first, each with the time of its acknowledgement.
    changes: VecDeque<(UnconfirmedChange, Instant)>,
}

impl MemberOverlay {
    pub(super) fn new(interface: Arc<str>, reported: Option<Arc<Member>>) -> Self {
        Self {
            interface,
            reported,
            changes: VecDeque::new(),
        }
    }

    pub(super) fn push(&mut self, change: UnconfirmedChange, now: Instant) {
        self.changes.push_back((change, now));
    }

    /// Removes the oldest change if the event confirms it, and returns how long it was
    /// shown. The events of one queue come in the order of the changes.
    pub(super) fn confirm(
        &mut self,
        kind: MemberEvent,
        member: &Member,
        now: Instant,
    ) -> Option<Duration> {
        let (change, since) = self.changes.front()?;
        if !change.is_confirmed_by(kind, member) {
            return None;
        }
        let lifetime = now - *since;
        self.changes.pop_front();
        Some(lifetime)
    }

    /// Drops the changes that were already overdue when Asterisk was queried, at `asked`.
    /// Returns their number.
    pub(super) fn expire(&mut self, asked: Instant) -> u64 {
        let mut expired = 0;
        while self.is_overdue(asked) {
            self.changes.pop_front();
            expired += 1;
        }
        expired
    }

    /// The bridge's clock was set forward by this many seconds.
    pub(super) fn shift_times(&mut self, seconds: i64) {
        if let Some(reported) = &mut self.reported {
            Arc::make_mut(reported).shift_times(seconds);
        }
        for (change, _) in &mut self.changes {
            match change {
                UnconfirmedChange::Pause { at, .. } => *at = at.saturating_add(seconds),
                UnconfirmedChange::Add(Some(listed)) => Arc::make_mut(listed).shift_times(seconds),
                UnconfirmedChange::Add(None) | UnconfirmedChange::Remove => {}
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Whether the event of the oldest change is overdue.
    pub(super) fn is_overdue(&self, now: Instant) -> bool {
        let oldest = self.changes.front();
        oldest.is_some_and(|(_, since)| *since + EVENT_TIMEOUT <= now)
    }

    /// Compares the changes with a list that was queried at `asked`. The list includes all
    /// changes that were acknowledged before. If its pause differs from theirs, someone
    /// else has changed it or a realtime database has refused it, and the changes are
    /// dropped. Otherwise they stay, because older events may still arrive.
    pub(super) fn member_listed(&mut self, asked: Instant, member: Option<&Arc<Member>>) {
        for (change, since) in &mut self.changes {
            if let (UnconfirmedChange::Add(listed), Some(member)) = (change, member)
                && *since <= asked
            {
                *listed = Some(Arc::clone(member));
            }
        }
        let list_has_all = self
            .changes
            .back()
            .is_some_and(|(_, since)| *since <= asked);
        let shown = self.apply_changes(member.cloned());
        let pause = |member: &Arc<Member>| (member.paused, Arc::clone(&member.paused_reason));
        if list_has_all && shown.as_ref().map(pause) != member.map(pause) {
            self.changes.clear();
        }
    }

    /// The member with all unconfirmed changes.
    pub(super) fn member(&self) -> Option<Arc<Member>> {
        self.apply_changes(self.reported.clone())
    }

    fn apply_changes(&self, mut member: Option<Arc<Member>>) -> Option<Arc<Member>> {
        // There can be many pauses in a row. Only the last of them matters.
        let is_pause = |(change, _): &&(UnconfirmedChange, Instant)| {
            matches!(change, UnconfirmedChange::Pause { .. })
        };
        let pauses = self.changes.iter().rev().take_while(is_pause).count();
        let before = self.changes.len() - pauses;
        for (change, _) in self.changes.range(..before) {
            member = change.apply(member);
        }
        match self.changes.back() {
            Some((change, _)) if pauses > 0 => change.apply(member),
            _ => member,
        }
    }
}
