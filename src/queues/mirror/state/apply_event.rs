//! Applies events to the mirror.
//!
//! Events are applied in the order in which they arrive. Times in events never decide the
//! order: they come from Asterisk's clock, which can be set.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::event::{Event, MemberEventKind};
use super::{MemberKey, Mirror, MirroredQueue, Now, Refresh, ShowContext};
use crate::queues::model::Member;
use crate::queues::name::QueueName;

/// Delay of a refresh that an event triggers, so that one query also covers the events that
/// follow within the delay.
pub(super) const REFRESH_DELAY: Duration = Duration::from_millis(100);

/// Minimum time between two lists of all queues that are requested because of the same unknown
/// queue.
const UNKNOWN_QUEUE_INTERVAL: Duration = Duration::from_secs(10);

impl Mirror {
    /// Applies an event; `None` stands for an event that the mirror does not use.
    pub(in crate::queues::mirror) fn event_received(&mut self, event: Option<Event>, now: Now) {
        self.last_received = now.at;
        match event {
            Some(Event::Member {
                queue,
                kind,
                member,
            }) => self.member_event(&queue, kind, *member, now),
            Some(Event::Calls { queue, member }) => {
                self.call_event(&queue, member.as_deref(), now);
            }
            Some(Event::CallCompleted { queue, member }) => {
                self.completed_calls.completed(&queue, &member, now.unix());
                self.call_event(&queue, Some(&member), now);
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
        // With shared_lastcall, Asterisk counts a call in all the member's queues. It updates
        // the call's queue first and the member's other queues later.
        let memberships = self.memberships.of(interface).iter();
        let memberships = memberships.filter_map(|known| {
            let queue = self.queue(&known.queue)?;
            Some((queue.name.clone(), Arc::clone(&known.member.interface)))
        });
        let memberships: Vec<_> = memberships.collect();
        if memberships.iter().all(|(name, _)| *name != queue) {
            return self.request_refresh(Refresh::Queue(queue), now.at + REFRESH_DELAY);
        }
        for (name, interface) in memberships {
            let is_call_queue = name == queue;
            self.request_member_refresh(name, interface, is_call_queue, now.at);
        }
    }

    fn request_member_refresh(
        &mut self,
        queue: QueueName,
        interface: Arc<str>,
        query_twice: bool,
        at: Instant,
    ) {
        let refresh = Refresh::Member {
            queue,
            interface,
            query_twice,
        };
        self.request_refresh(refresh, at + REFRESH_DELAY);
    }

    /// Requests a list of all queues, because an event named an unknown queue and only a list
    /// has Asterisk's spelling. Some queues are never listed, such as a queue that was removed
    /// while callers waited in it. The request is therefore not repeated within
    /// [`UNKNOWN_QUEUE_INTERVAL`].
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

    fn member_event(&mut self, queue: &str, kind: MemberEventKind, mut member: Member, now: Now) {
        if kind != MemberEventKind::Other {
            self.event_delivery.event_received(now.at);
        }
        let offset = self.clock.offset_seconds();
        let second = self.work_second(now);
        let mut context = ShowContext {
            now,
            second,
            work: &self.work,
            timed_pauses: &mut self.timed_pauses,
            touched: &mut self.touched,
        };
        let Some(queue) = self.queues.get_mut(&queue.to_ascii_lowercase()) else {
            return self.list_for_unknown_queue(queue, now);
        };
        if queue.listed_in_full_at.is_none() {
            // The queue's pending list will be newer than this event.
            return;
        }
        let name = queue.name.clone();
        let interface = Arc::clone(&member.interface);
        let reported = queue.reported(&interface).cloned();
        member.convert_times_to_bridge_clock(reported.as_deref(), offset);
        if correct_implausible_times(kind, &mut member, now.unix()) {
            self.clock.invalidate();
        }
        let own_lifetime = queue.confirm(kind, &member, now.at);
        if let Some(lifetime) = own_lifetime {
            self.metrics.overlay_seconds.observe(lifetime.as_secs_f64());
        }
        // Asterisk 22 sends no pause event for a member that is added paused.
        if matches!(kind, MemberEventKind::Paused | MemberEventKind::Added) && member.paused {
            let is_own = own_lifetime.is_some();
            compare_with_timed_pause(queue, &mut context, &member, is_own);
        }
        let difference = EventDifference::of(kind, &member, reported.as_deref());
        // Asterisk updates the queue's statistics together with the member's call count.
        queue.statistics_outdated |= difference.calls_taken;
        // An event that arrives shortly after a list may be older than the list.
        let may_be_older = (difference.visible || kind != MemberEventKind::Other)
            && queue.was_listed_recently(now.at);
        let changed = match kind {
            _ if difference.unknown_member => None,
            MemberEventKind::Removed => queue.apply_report(&interface, None, &mut context),
            _ => queue.apply_report(&interface, Some(Arc::new(member)), &mut context),
        };
        if kind == MemberEventKind::Added {
            queue.move_to_last_added(&interface);
        }
        self.possible_drift.member_reported(&name, &interface);
        if matches!(kind, MemberEventKind::Added | MemberEventKind::Removed) {
            self.vanished.member_reported(&name, &interface);
        }
        self.refresh_after_event(&name, interface, &difference, may_be_older, now);
        self.record(&name, changed, now);
    }

    /// Requests the refreshes that a member event makes necessary.
    fn refresh_after_event(
        &mut self,
        queue: &QueueName,
        interface: Arc<str>,
        difference: &EventDifference,
        may_be_older: bool,
        now: Now,
    ) {
        if difference.unknown_member {
            self.request_refresh(Refresh::Queue(queue.clone()), now.at + REFRESH_DELAY);
        } else if difference.in_call || may_be_older {
            self.request_member_refresh(queue.clone(), interface, difference.in_call, now.at);
        }
        if difference.calls_taken && !self.watched.is_empty() {
            self.request_refresh(Refresh::Statistics(queue.clone()), now.at + REFRESH_DELAY);
        }
    }
}

/// Compares the event of a pause with the member's timed pause. An event about an earlier change
/// of the bridge says nothing about its latest change.
fn compare_with_timed_pause(
    queue: &MirroredQueue,
    context: &mut ShowContext<'_>,
    member: &Member,
    is_own: bool,
) {
    if is_own && queue.has_unconfirmed_change(&member.interface) {
        return;
    }
    let key = MemberKey::new(&queue.name, &member.interface);
    context.timed_pauses.pause_event(&key, member, is_own);
}

/// The differences between a member in an event and the member as previously reported.
struct EventDifference {
    /// The event changes a member that no list or event has reported before.
    unknown_member: bool,
    /// Any field that readers see differs.
    visible: bool,
    /// `InCall` differs. Asterisk changes it without an event, so this event may be older
    /// than that change.
    in_call: bool,
    /// The number of calls taken differs.
    calls_taken: bool,
}

impl EventDifference {
    fn of(kind: MemberEventKind, member: &Member, reported: Option<&Member>) -> Self {
        let changes_member = matches!(kind, MemberEventKind::Paused | MemberEventKind::Other);
        Self {
            unknown_member: reported.is_none() && changes_member,
            visible: match kind {
                MemberEventKind::Removed => reported.is_some(),
                _ => reported.is_none_or(|reported| !reported.has_equivalent_report(member)),
            },
            in_call: reported.is_some_and(|reported| reported.in_call != member.in_call),
            calls_taken: reported
                .is_some_and(|reported| reported.calls_taken != member.calls_taken),
        }
    }
}

/// Corrects times that Asterisk took just before it sent the event, if they are far from the
/// current time. Returns whether any time was corrected, which means that Asterisk's clock has
/// just been set.
fn correct_implausible_times(kind: MemberEventKind, member: &mut Member, now: i64) -> bool {
    let is_new = kind == MemberEventKind::Added;
    let login_corrected = is_new && member.login_time.correct_if_implausible(now);
    let may_be_pause = kind == MemberEventKind::Paused || is_new;
    let pause_corrected =
        may_be_pause && member.paused && member.last_pause.correct_if_implausible(now);
    login_corrected || pause_corrected
}
