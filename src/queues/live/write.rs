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
use crate::queues::model::{DeviceState, Member, Membership};

/// How long the event of a change is waited for. After that Asterisk is asked:
/// a member with a broken name, for one, has no events at all.
pub(super) const EVENT_WAIT: Duration = Duration::from_secs(2);

/// What an acknowledged change does to a member.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Write {
    Pause { paused: bool, reason: Arc<str> },
    Add(Arc<Member>),
    Remove,
}

impl Write {
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
                let write = Self::Pause {
                    paused: *paused,
                    reason: reason.map_or_else(Arc::default, |reason| reason.as_str().into()),
                };
                Some((queue.as_str(), interface.as_str(), write))
            }
            Action::QueueAdd {
                queue,
                interface,
                name,
                state_interface,
                penalty,
                paused,
                reason,
            } => {
                let reason = reason.as_ref().filter(|_| *paused);
                let member = Member {
                    name: name.as_str().into(),
                    interface: interface.as_str().into(),
                    state_interface: state_interface
                        .as_ref()
                        .unwrap_or(interface)
                        .as_str()
                        .into(),
                    membership: Membership::Dynamic,
                    penalty: i64::from(*penalty),
                    calls_taken: 0,
                    last_call: 0,
                    last_pause: if *paused { now } else { 0 },
                    login_time: now,
                    in_call: false,
                    device_state: DeviceState::Unknown,
                    paused: *paused,
                    paused_reason: reason
                        .map_or_else(Arc::default, |reason| reason.as_str().into()),
                    wrapup_seconds: 0,
                };
                Some((
                    queue.as_str(),
                    interface.as_str(),
                    Self::Add(Arc::new(member)),
                ))
            }
            Action::QueueRemove { queue, interface } => {
                Some((queue.as_str(), interface.as_str(), Self::Remove))
            }
            _ => None,
        }
    }

    /// The member after this change; `now` is in Unix seconds.
    pub(super) fn apply(&self, member: Option<Arc<Member>>, now: i64) -> Option<Arc<Member>> {
        match self {
            Self::Pause { paused, reason } => {
                let mut member = member?;
                if member.paused == *paused && member.paused_reason == *reason {
                    return Some(member);
                }
                let changed = Arc::make_mut(&mut member);
                changed.paused = *paused;
                changed.paused_reason = Arc::clone(reason);
                if *paused {
                    changed.last_pause = now;
                }
                Some(member)
            }
            // Where it is there already, what Asterisk says of it is better.
            Self::Add(added) => member.or_else(|| Some(Arc::clone(added))),
            Self::Remove => None,
        }
    }

    /// Whether an event can be that of this change.
    fn is_told_by(&self, what: MemberEvent, member: &Member) -> bool {
        match self {
            Self::Pause { paused, reason } => {
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
pub(super) struct Overlaid {
    pub(super) interface: Arc<str>,
    /// What events and lists have told.
    pub(super) told: Option<Arc<Member>>,
    /// In the order of their acknowledgement.
    writes: VecDeque<(Write, Instant)>,
}

impl Overlaid {
    pub(super) fn new(interface: Arc<str>, told: Option<Arc<Member>>) -> Self {
        Self {
            interface,
            told,
            writes: VecDeque::new(),
        }
    }

    pub(super) fn push(&mut self, write: Write, now: Instant) {
        self.writes.push_back((write, now));
    }

    /// Takes the oldest change away where this is its event: the events of one
    /// queue come in the order of the changes. Returns how long it was laid over.
    pub(super) fn lift(
        &mut self,
        what: MemberEvent,
        member: &Member,
        now: Instant,
    ) -> Option<Duration> {
        let (write, since) = self.writes.front()?;
        if !write.is_told_by(what, member) {
            return None;
        }
        let lifetime = now - *since;
        self.writes.pop_front();
        Some(lifetime)
    }

    /// Takes away what has waited too long at the time of `asked`, when Asterisk
    /// was asked. Returns how many.
    pub(super) fn lift_overdue(&mut self, asked: Instant) -> u64 {
        let mut overdue = 0;
        while self.is_overdue(asked) {
            self.writes.pop_front();
            overdue += 1;
        }
        overdue
    }

    pub(super) fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    pub(super) fn is_overdue(&self, now: Instant) -> bool {
        let oldest = self.writes.front();
        oldest.is_some_and(|(_, since)| *since + EVENT_WAIT <= now)
    }

    /// The member with all that is laid over it.
    pub(super) fn member(&self, now: i64) -> Option<Arc<Member>> {
        let mut member = self.told.clone();
        // Of pauses only the last counts, and there can be many.
        let is_pause = |(write, _): &&(Write, Instant)| matches!(write, Write::Pause { .. });
        let last = self.writes.iter().rev().take_while(is_pause).count();
        let (before, pauses) = (self.writes.len() - last, self.writes.back());
        for (write, _) in self.writes.range(..before) {
            member = write.apply(member, now);
        }
        match pauses {
            Some((write, _)) if last > 0 => write.apply(member, now),
            _ => member,
        }
    }
}
