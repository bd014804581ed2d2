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
pub(super) const REFRESH_DELAY: Duration = Duration::from_millis(100);

/// How long an unknown queue is not looked for again.
const UNKNOWN_QUEUE_INTERVAL: Duration = Duration::from_secs(10);

impl Mirror {
    pub(super) fn event(&mut self, event: Event, now: Now) {
        match event {
            Event::Member {
                queue,
                what,
                member,
            } => self.member_event(&queue, what, member, now),
            Event::Calls { queue, member } => self.call_event(&queue, member.as_deref(), now),
            Event::Unloaded => self.app_queue_unloaded(),
            Event::Reloaded => {
                // It comes at the end of the reload.
                self.app_queue_loaded(now.at);
                self.expect_differences(now.at);
                self.refresh_everything(now.at);
            }
        }
    }

    fn call_event(&mut self, queue: &str, member: Option<&str>, now: Now) {
        let Some(entry) = self.entries.get_mut(&queue.to_ascii_lowercase()) else {
            return self.list_unknown_queue(queue, now);
        };
        entry.statistics_outdated = true;
        let queue = entry.name.clone();
        let Some(interface) = member else {
            if !self.watched.is_empty() {
                self.request_refresh(Refresh::Statistics(queue), now.at + REFRESH_DELAY);
            }
            return;
        };
        self.possible_drift.reported(&queue, interface);
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
            return self.request_refresh(Refresh::Queue(queue), now.at + REFRESH_DELAY);
        }
        for (name, interface) in memberships {
            let is_own = name == queue;
            self.refresh_member_later(name, interface, is_own, now.at);
        }
    }

    fn refresh_member_later(
        &mut self,
        queue: QueueName,
        interface: Arc<str>,
        again: bool,
        at: Instant,
    ) {
        let refresh = Refresh::Member {
            queue,
            interface,
            again,
        };
        self.request_refresh(refresh, at + REFRESH_DELAY);
    }

    /// An event names a queue that is not known. Only a list shows its spelling, so all
    /// queues are listed again; once in a while for one that no list has, as a queue that
    /// was removed while callers waited in it.
    fn list_unknown_queue(&mut self, queue: &str, now: Now) {
        if self.unusable_names.iter().any(|name| name == queue) {
            return;
        }
        self.unknown_queues
            .retain(|_, at| now.at < *at + UNKNOWN_QUEUE_INTERVAL);
        if !self.unknown_queues.contains_key(queue) {
            self.unknown_queues.insert(queue.to_owned(), now.at);
            self.request_refresh(Refresh::Queues, now.at + REFRESH_DELAY);
        }
    }

    fn member_event(&mut self, queue: &str, what: MemberEvent, mut member: Member, now: Now) {
        if what != MemberEvent::Other {
            self.event_delivery.event(now.at);
        }
        let offset = self.clock.offset_seconds();
        let Some(entry) = self.entries.get_mut(&queue.to_ascii_lowercase()) else {
            return self.list_unknown_queue(queue, now);
        };
        if entry.listed_in_full_at.is_none() {
            // Its list is yet to come, and newer.
            return;
        }
        let name = entry.name.clone();
        let interface = Arc::clone(&member.interface);
        let reported = entry.reported(&interface).cloned();
        member.convert_times(reported.as_deref(), offset);
        if has_implausible_times(what, &mut member, now.unix()) {
            self.clock.invalidate();
        }
        if let Some(lifetime) = entry.confirm(what, &member, now.at) {
            self.metrics.overlay_seconds.observe(lifetime.as_secs_f64());
        }
        let is_unknown =
            reported.is_none() && matches!(what, MemberEvent::Paused | MemberEvent::Other);
        let differs = match (what, reported.as_deref()) {
            (MemberEvent::Removed, reported) => reported.is_some(),
            (_, reported) => reported.is_none_or(|reported| !reported.is_same(&member)),
        };
        // Asterisk sets it without an event, so an event may be older.
        let call_differs = reported
            .as_ref()
            .is_some_and(|reported| reported.in_call != member.in_call);
        // Callers and figures were counted at the same moment.
        let count_differs =
            reported.is_some_and(|reported| reported.calls_taken != member.calls_taken);
        entry.statistics_outdated |= count_differs;
        // So may one that comes soon after a list.
        let may_be_older =
            (differs || what != MemberEvent::Other) && entry.was_listed_recently(now.at);
        let changed = match what {
            _ if is_unknown => None,
            MemberEvent::Removed => entry.apply_report(&interface, None),
            _ => entry.apply_report(&interface, Some(Arc::new(member))),
        };
        if what == MemberEvent::Added {
            entry.move_to_new_member_place(&interface);
        }
        self.possible_drift.reported(&name, &interface);
        if matches!(what, MemberEvent::Added | MemberEvent::Removed) {
            self.vanished.explain(&name, &interface);
        }
        if is_unknown {
            self.request_refresh(Refresh::Queue(name.clone()), now.at + REFRESH_DELAY);
        } else if call_differs || may_be_older {
            self.refresh_member_later(name.clone(), interface, call_differs, now.at);
        }
        if count_differs && !self.watched.is_empty() {
            self.request_refresh(Refresh::Statistics(name.clone()), now.at + REFRESH_DELAY);
        }
        self.record(&name, changed);
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
