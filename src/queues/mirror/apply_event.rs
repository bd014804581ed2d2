//! What events of Asterisk mean to the mirror. The order of the wire is the only order:
//! times are Asterisk's, whose clock can be set.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::event::{Event, MemberEvent};
use super::mirror::Mirror;
use super::now::Now;
use super::pending_refreshes::Refresh;
use crate::queues::model::Member;
use crate::queues::name::QueueName;

/// Changes that an event only points at are asked about when they have settled.
pub(super) const SETTLED: Duration = Duration::from_millis(100);

/// How long an unknown queue is not looked for again.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(10);

impl Mirror {
    pub(super) fn event(&mut self, event: Event, now: Now) {
        match event {
            Event::Member {
                queue,
                what,
                member,
            } => self.member_event(&queue, what, member, now),
            Event::Calls { queue, member } => self.call_event(&queue, member.as_deref(), now),
            Event::Unloaded => self.unloaded(),
            Event::Reloaded => {
                // It comes at the end of the reload.
                self.loaded(now.at);
                self.explain_all(now.at);
                self.want_everything(now.at);
            }
        }
    }

    fn call_event(&mut self, queue: &str, member: Option<&str>, now: Now) {
        let Some(entry) = self.entries.get_mut(&queue.to_ascii_lowercase()) else {
            return self.look_for_new(queue, now);
        };
        entry.figures_changed = true;
        let queue = entry.name.clone();
        let Some(interface) = member else {
            if !self.watched.is_empty() {
                self.want(Refresh::Figures(queue), now.at + SETTLED);
            }
            return;
        };
        self.possible_drift.told(&queue, interface);
        // With shared_lastcall, Asterisk counts a call in every queue of the member, and
        // so later than in its own.
        let queues = self.memberships.of(interface).iter();
        let memberships = queues.filter_map(|queue| {
            let entry = self.queue(queue)?;
            let member = entry.queue().member(interface)?;
            Some((entry.name.clone(), Arc::clone(&member.interface)))
        });
        let memberships: Vec<_> = memberships.collect();
        if memberships.iter().all(|(name, _)| *name != queue) {
            return self.want(Refresh::Queue(queue), now.at + SETTLED);
        }
        for (name, interface) in memberships {
            let is_own = name == queue;
            self.want_member(name, interface, is_own, now.at);
        }
    }

    fn want_member(&mut self, queue: QueueName, interface: Arc<str>, again: bool, at: Instant) {
        let refresh = Refresh::Member {
            queue,
            interface,
            again,
        };
        self.want(refresh, at + SETTLED);
    }

    /// An event names a queue that is not known. Only a list shows its spelling, so all
    /// queues are listed again; once in a while for one that no list has, as a queue that
    /// was removed while callers waited in it.
    fn look_for_new(&mut self, queue: &str, now: Now) {
        if self.left_out.iter().any(|name| name == queue) {
            return;
        }
        self.looked_for
            .retain(|_, at| now.at < *at + LOOK_AGAIN_AFTER);
        if !self.looked_for.contains_key(queue) {
            self.looked_for.insert(queue.to_owned(), now.at);
            self.want(Refresh::Queues, now.at + SETTLED);
        }
    }

    fn member_event(&mut self, queue: &str, what: MemberEvent, mut member: Member, now: Now) {
        if what != MemberEvent::Other {
            self.evidence.event(now.at);
        }
        let offset = self.clock.offset_seconds();
        let Some(entry) = self.entries.get_mut(&queue.to_ascii_lowercase()) else {
            return self.look_for_new(queue, now);
        };
        if entry.confirmed.is_none() {
            // Its list is yet to come, and newer.
            return;
        }
        let name = entry.name.clone();
        let interface = Arc::clone(&member.interface);
        let told = entry.told(&interface).cloned();
        member.convert_times(told.as_deref(), offset);
        if has_implausible_times(what, &mut member, now.unix()) {
            self.clock.doubt();
        }
        if let Some(lifetime) = entry.lift(what, &member, now.at) {
            self.metrics.overlay_seconds.observe(lifetime.as_secs_f64());
        }
        let is_unknown = told.is_none() && matches!(what, MemberEvent::Paused | MemberEvent::Other);
        let differs = match (what, told.as_deref()) {
            (MemberEvent::Removed, told) => told.is_some(),
            (_, told) => told.is_none_or(|told| !told.is_same(&member)),
        };
        // Asterisk sets it without an event, so an event may be older.
        let call_differs = told
            .as_ref()
            .is_some_and(|told| told.in_call != member.in_call);
        // Callers and figures were counted at the same moment.
        let count_differs = told.is_some_and(|told| told.calls_taken != member.calls_taken);
        entry.figures_changed |= count_differs;
        // So may one that comes soon after a list.
        let may_be_older =
            (differs || what != MemberEvent::Other) && entry.was_listed_lately(now.at);
        let changed = match what {
            _ if is_unknown => None,
            MemberEvent::Removed => entry.tell(&interface, None),
            _ => entry.tell(&interface, Some(Arc::new(member))),
        };
        if what == MemberEvent::Added {
            entry.stands_last(&interface);
        }
        self.possible_drift.told(&name, &interface);
        if matches!(what, MemberEvent::Added | MemberEvent::Removed) {
            self.doubts.explain(&name, &interface);
        }
        if is_unknown {
            self.want(Refresh::Queue(name.clone()), now.at + SETTLED);
        } else if call_differs || may_be_older {
            self.want_member(name.clone(), interface, call_differs, now.at);
        }
        if count_differs && !self.watched.is_empty() {
            self.want(Refresh::Figures(name.clone()), now.at + SETTLED);
        }
        self.note(&name, changed);
    }
}

/// Whether an event reports a current time that is far from now, so that Asterisk's clock
/// was set a moment ago. The time is corrected.
fn has_implausible_times(what: MemberEvent, member: &mut Member, now: i64) -> bool {
    let is_new = what == MemberEvent::Added;
    let joined = is_new && member.login_time.correct_if_implausible(now);
    let pauses = what == MemberEvent::Paused || is_new;
    let paused = pauses && member.paused && member.last_pause.correct_if_implausible(now);
    joined || paused
}
