//! Changes that Asterisk has acknowledged but not yet confirmed with an event.
//!
//! Asterisk sends the reply to a change before the event, and can send many other replies
//! between the two. The client must see a successful change immediately, so the mirror applies
//! the change on top of the state that Asterisk has reported.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::event::MemberEventKind;
use crate::ami::Action;
use crate::queues::model::Member;
use crate::queues::time::PbxTime;

/// How long a change waits for its event before the bridge queries Asterisk. Some events never
/// arrive: for example, Asterisk sends no events about a member whose name is not UTF-8.
pub(super) const EVENT_TIMEOUT: Duration = Duration::from_secs(2);

/// An acknowledged change to a member.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum UnconfirmedChange {
    Pause {
        paused: bool,
        reason: Arc<str>,
        /// The time of the acknowledgment, in Unix seconds.
        at: i64,
    },
    /// Contains the new member once Asterisk has listed it.
    Add(Option<Arc<Member>>),
    Remove,
}

impl UnconfirmedChange {
    /// Returns an action's queue, interface and change, or `None` if the action changes no
    /// member. `now` is in Unix seconds.
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

    /// Returns the member after this change.
    pub(super) fn apply(&self, member: Option<Arc<Member>>) -> Option<Arc<Member>> {
        match self {
            Self::Pause { paused, reason, at } => {
                let mut member = member?;
                // Even an equal pause begins again.
                if !*paused && !member.paused {
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
            // A new member stays hidden until Asterisk has listed it, because only Asterisk knows
            // its device state.
            Self::Add(listed) => member.or_else(|| listed.clone()),
            Self::Remove => None,
        }
    }

    /// Returns whether an event confirms this change.
    fn is_confirmed_by(&self, kind: MemberEventKind, member: &Member) -> bool {
        match self {
            Self::Pause { paused, reason, .. } => {
                kind == MemberEventKind::Paused
                    && member.paused == *paused
                    && member.paused_reason == *reason
            }
            Self::Add(_) => kind == MemberEventKind::Added,
            Self::Remove => kind == MemberEventKind::Removed,
        }
    }
}

/// A member with unconfirmed changes.
#[derive(Debug)]
pub(super) struct MemberOverlay {
    pub(super) interface: Arc<str>,
    /// The member as reported by events and lists.
    pub(super) reported: Option<Arc<Member>>,
    /// Oldest first, each with the time of its acknowledgment.
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

    /// Removes the oldest change if the event confirms it, and returns the time since the
    /// change was acknowledged. A queue's events arrive in the order of its changes.
    pub(super) fn confirm(
        &mut self,
        kind: MemberEventKind,
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

    /// Drops the changes that were already overdue when Asterisk was queried. Returns the
    /// number of dropped changes.
    pub(super) fn expire(&mut self, queried_at: Instant) -> u64 {
        let mut expired = 0;
        while self.is_overdue(queried_at) {
            self.changes.pop_front();
            expired += 1;
        }
        expired
    }

    /// Moves the times forward by `seconds`, because the bridge's clock was set forward by that
    /// much.
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

    /// Returns whether the oldest change's event is overdue.
    pub(super) fn is_overdue(&self, now: Instant) -> bool {
        let oldest = self.changes.front();
        oldest.is_some_and(|(_, since)| *since + EVENT_TIMEOUT <= now)
    }

    /// Compares the changes with the member as Asterisk listed it. The list includes all changes
    /// that were acknowledged before `queried_at`. If the listed pause state differs from the
    /// changes, someone else changed the pause or a realtime database rejected it, and the changes
    /// are dropped. Otherwise the changes stay, because events older than the changes may still
    /// arrive.
    pub(super) fn reconcile_with_list(
        &mut self,
        queried_at: Instant,
        member: Option<&Arc<Member>>,
    ) {
        for (change, since) in &mut self.changes {
            if let (UnconfirmedChange::Add(listed), Some(member)) = (change, member)
                && *since <= queried_at
            {
                *listed = Some(Arc::clone(member));
            }
        }
        let list_has_all = self
            .changes
            .back()
            .is_some_and(|(_, since)| *since <= queried_at);
        let shown = self.apply_changes(member.cloned());
        let pause = |member: &Arc<Member>| (member.paused, Arc::clone(&member.paused_reason));
        if list_has_all && shown.as_ref().map(pause) != member.map(pause) {
            self.changes.clear();
        }
    }

    /// Returns the member with all unconfirmed changes applied.
    pub(super) fn member(&self) -> Option<Arc<Member>> {
        self.apply_changes(self.reported.clone())
    }

    fn apply_changes(&self, mut member: Option<Arc<Member>>) -> Option<Arc<Member>> {
        // Of several consecutive pauses, only the last one matters.
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
