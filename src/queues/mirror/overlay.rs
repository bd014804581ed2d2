//! Changes that Asterisk has acknowledged, and whose events are yet to come.
//!
//! On the connection that asked, the answer comes before the event, which can be
//! many answers late. Whoever was told "done" must see it done: so what the
//! change does is laid over what the events have told, until its own event comes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::event::MemberEvent;
use crate::ami::Action;
use crate::queues::model::Member;
use crate::queues::time::PbxTime;

/// How long the event of a change is waited for. After that Asterisk is asked:
/// a member with a broken name, for one, has no events at all.
pub(super) const EVENT_WAIT: Duration = Duration::from_secs(2);

/// What an acknowledged change does to a member.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum UnconfirmedChange {
    Pause {
        paused: bool,
        reason: Arc<str>,
        /// When it was acknowledged, in Unix seconds.
        at: i64,
    },
    /// With the member, when Asterisk has listed it since.
    Add(Option<Arc<Member>>),
    Remove,
}

impl UnconfirmedChange {
    /// What that action does, to which member of which queue. `now` is in Unix
    /// seconds.
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
            // A member is shown when Asterisk has reported it: only Asterisk knows the
            // state of its device.
            Self::Add(listed) => member.or_else(|| listed.clone()),
            Self::Remove => None,
        }
    }

    /// Whether an event can be that of this change.
    fn is_confirmed_by(&self, what: MemberEvent, member: &Member) -> bool {
        match self {
            Self::Pause { paused, reason, .. } => {
                what == MemberEvent::Paused
                    && member.paused == *paused
                    && member.paused_reason == *reason
            }
            Self::Add(_) => what == MemberEvent::Added,
            Self::Remove => what == MemberEvent::Removed,
        }
    }
}

/// A member with changes whose events are yet to come.
#[derive(Debug)]
pub(super) struct MemberOverlay {
    pub(super) interface: Arc<str>,
    /// What events and lists have told.
    pub(super) reported: Option<Arc<Member>>,
    /// In the order of their acknowledgement.
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

    /// Takes the oldest change away where this is its event: the events of one
    /// queue come in the order of the changes. Returns how long it was laid over.
    pub(super) fn confirm(
        &mut self,
        what: MemberEvent,
        member: &Member,
        now: Instant,
    ) -> Option<Duration> {
        let (change, since) = self.changes.front()?;
        if !change.is_confirmed_by(what, member) {
            return None;
        }
        let lifetime = now - *since;
        self.changes.pop_front();
        Some(lifetime)
    }

    /// Takes away what has waited too long at the time of `asked`, when Asterisk
    /// was asked. Returns how many.
    pub(super) fn expire_overdue(&mut self, asked: Instant) -> u64 {
        let mut overdue = 0;
        while self.is_overdue(asked) {
            self.changes.pop_front();
            overdue += 1;
        }
        overdue
    }

    /// The bridge's clock was set forward by that many seconds.
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

    /// Whether the oldest change has waited too long for its event.
    pub(super) fn is_overdue(&self, now: Instant) -> bool {
        let oldest = self.changes.front();
        oldest.is_some_and(|(_, since)| *since + EVENT_WAIT <= now)
    }

    /// Applies a list of Asterisk, asked at that time: it contains all changes that were
    /// acknowledged before. If the listed pause differs from these, someone else has
    /// changed it or a realtime database has refused it, and they are dropped. Otherwise
    /// they stay, since older events may still arrive.
    pub(super) fn listed(&mut self, asked: Instant, member: Option<&Arc<Member>>) {
        for (change, since) in &mut self.changes {
            if let (UnconfirmedChange::Add(listed), Some(member)) = (change, member)
                && *since <= asked
            {
                *listed = Some(Arc::clone(member));
            }
        }
        let all_reflected = self
            .changes
            .back()
            .is_some_and(|(_, since)| *since <= asked);
        let shown = self.over(member.cloned());
        let pause = |member: &Arc<Member>| (member.paused, Arc::clone(&member.paused_reason));
        if all_reflected && shown.as_ref().map(pause) != member.map(pause) {
            self.changes.clear();
        }
    }

    /// The member with all that is laid over it.
    pub(super) fn member(&self) -> Option<Arc<Member>> {
        self.over(self.reported.clone())
    }

    fn over(&self, mut member: Option<Arc<Member>>) -> Option<Arc<Member>> {
        // Of pauses only the last counts, and there can be many.
        let is_pause = |(change, _): &&(UnconfirmedChange, Instant)| {
            matches!(change, UnconfirmedChange::Pause { .. })
        };
        let last = self.changes.iter().rev().take_while(is_pause).count();
        let (before, pauses) = (self.changes.len() - last, self.changes.back());
        for (change, _) in self.changes.range(..before) {
            member = change.apply(member);
        }
        match pauses {
            Some((change, _)) if last > 0 => change.apply(member),
            _ => member,
        }
    }
}
