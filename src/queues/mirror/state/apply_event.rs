//! Applies events.
//!
//! Events are applied in the order in which they arrive. The times in them are Asterisk's,
//! whose clock can be set, and so never decide an order.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::event::{Event, MemberEvent};
use super::{Mirror, Now, Refresh};
use crate::queues::model::Member;
use crate::queues::name::QueueName;

/// Delay of a refresh that an event has triggered, so that one query covers the events
/// that follow.
pub(super) const REFRESH_DELAY: Duration = Duration::from_millis(100);

/// How long an unknown queue in events triggers no further list of all queues.
const UNKNOWN_QUEUE_INTERVAL: Duration = Duration::from_secs(10);

impl Mirror {
    /// Applies an event; `None` is an event that the mirror does not use.
    pub(in crate::queues::mirror) fn event_received(&mut self, event: Option<Event>, now: Now) {
        self.last_received = now.at;
        match event {
            Some(Event::Member {
                queue,
                what,
                member,
            }) => self.member_event(&queue, what, member, now),
            Some(Event::Calls { queue, member }) => {
                self.call_event(&queue, member.as_deref(), now);
            }
            Some(Event::Unloaded) => self.app_queue_unloaded(),
            Some(Event::Reloaded) => {
                // Asterisk sends the event at the end of the reload.
                self.app_queue_loaded(now.at);
                self.expect_differences(now.at);
                self.refresh_everything(now.at);
            }
            None => {}
        }
    }

    fn call_event(&mut self, queue: &str, member: Option<&str>, now: Now) {
        let Some(mirrored) = self.queue_mut(queue) else {
            return self.list_for_unknown_queue(queue, now);
        };
        mirrored.statistics_outdated = true;
        let queue = mirrored.name.clone();
        let Some(interface) = member else {
            if !self.watched.is_empty() {
                self.request_refresh(Refresh::Statistics(queue), now.at + REFRESH_DELAY);
            }
            return;
        };
        self.possible_drift.member_reported(&queue, interface);
        // With shared_lastcall, Asterisk counts a call in every queue of the member, in the
        // others later than in the call's own.
        let queues = self.memberships.of(interface).iter();
        let memberships = queues.filter_map(|name| {
            let queue = self.queue(name)?;
            let member = queue.queue().member(interface)?;
            Some((queue.name.clone(), Arc::clone(&member.interface)))
        });
        let memberships: Vec<_> = memberships.collect();
        if memberships.iter().all(|(name, _)| *name != queue) {
            return self.request_refresh(Refresh::Queue(queue), now.at + REFRESH_DELAY);
        }
        for (name, interface) in memberships {
            let is_own = name == queue;
            self.request_member(name, interface, is_own, now.at);
        }
    }

    fn request_member(&mut self, queue: QueueName, interface: Arc<str>, again: bool, at: Instant) {
        let refresh = Refresh::Member {
            queue,
            interface,
            again,
        };
        self.request_refresh(refresh, at + REFRESH_DELAY);
    }

    /// An event has named an unknown queue. Only a list shows the queue's spelling, so all
    /// queues are listed. Some queues are in no list, such as one that was removed while
    /// callers waited in it, so the list is not repeated for a while.
    fn list_for_unknown_queue(&mut self, queue: &str, now: Now) {
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
            self.event_delivery.event_received(now.at);
        }
        let offset = self.clock.offset_seconds();
        let Some(queue) = self.queues.get_mut(&queue.to_ascii_lowercase()) else {
            return self.list_for_unknown_queue(queue, now);
        };
        if queue.listed_in_full_at.is_none() {
            // The list that is still to come is newer.
            return;
        }
        let name = queue.name.clone();
        let interface = Arc::clone(&member.interface);
        let reported = queue.reported(&interface).cloned();
        member.convert_times_to_bridge_clock(reported.as_deref(), offset);
        if has_implausible_times(what, &mut member, now.unix()) {
            self.clock.invalidate();
        }
        if let Some(lifetime) = queue.confirm(what, &member, now.at) {
            self.metrics.overlay_seconds.observe(lifetime.as_secs_f64());
        }
        let difference = EventDifference::of(what, &member, reported.as_deref());
        // Calls are counted together with the queue's statistics.
        queue.statistics_outdated |= difference.in_count;
        // Shortly after a list, an event may be older than the list.
        let may_be_older =
            (difference.visible || what != MemberEvent::Other) && queue.was_listed_recently(now.at);
        let changed = match what {
            _ if difference.unknown_member => None,
            MemberEvent::Removed => queue.apply_report(&interface, None),
            _ => queue.apply_report(&interface, Some(Arc::new(member))),
        };
        if what == MemberEvent::Added {
            queue.move_to_last_added(&interface);
        }
        self.possible_drift.member_reported(&name, &interface);
        if matches!(what, MemberEvent::Added | MemberEvent::Removed) {
            self.vanished.member_reported(&name, &interface);
        }
        if difference.unknown_member {
            self.request_refresh(Refresh::Queue(name.clone()), now.at + REFRESH_DELAY);
        } else if difference.in_call || may_be_older {
            self.request_member(name.clone(), interface, difference.in_call, now.at);
        }
        if difference.in_count && !self.watched.is_empty() {
            self.request_refresh(Refresh::Statistics(name.clone()), now.at + REFRESH_DELAY);
        }
        self.record(&name, changed);
    }
}

/// How a member in an event differs from what was reported before.
struct EventDifference {
    /// The event changes a member that was never reported.
    unknown_member: bool,
    /// Readers see a difference.
    visible: bool,
    /// `InCall` differs. Asterisk changes it without an event, so this event may be older
    /// than that change.
    in_call: bool,
    /// The number of calls taken differs.
    in_count: bool,
}

impl EventDifference {
    fn of(what: MemberEvent, member: &Member, reported: Option<&Member>) -> Self {
        let changes_member = matches!(what, MemberEvent::Paused | MemberEvent::Other);
        Self {
            unknown_member: reported.is_none() && changes_member,
            visible: match what {
                MemberEvent::Removed => reported.is_some(),
                _ => reported.is_none_or(|reported| !reported.is_equivalent(member)),
            },
            in_call: reported.is_some_and(|reported| reported.in_call != member.in_call),
            in_count: reported.is_some_and(|reported| reported.calls_taken != member.calls_taken),
        }
    }
}

/// Whether an event reports a current time that is far from now, so that Asterisk's clock
/// must have been set a moment ago. Corrects the time.
fn has_implausible_times(what: MemberEvent, member: &mut Member, now: i64) -> bool {
    let is_new = what == MemberEvent::Added;
    let joined = is_new && member.login_time.correct_if_implausible(now);
    let pauses = what == MemberEvent::Paused || is_new;
    let paused = pauses && member.paused && member.last_pause.correct_if_implausible(now);
    joined || paused
}
