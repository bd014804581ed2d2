//! A queue in the mirror, with unconfirmed changes and the age of its data.

use std::sync::Arc;

use tokio::time::{Duration, Instant};

use super::change_log::MemberChange;
use super::event::MemberEventKind;
use super::overlay::{MemberOverlay, UnconfirmedChange};
use super::reported::{has_events, with_bridge_times};
use super::show_context::ShowContext;
use crate::queues::TimingRules;
use crate::queues::model::{Caller, Member, Queue};
use crate::queues::name::QueueName;

/// Statistics older than this are refreshed before a response includes them, because averages
/// and callers' priorities change without an event.
const MAX_STATISTICS_AGE: Duration = Duration::from_secs(1);

/// Events that are older than a list may still arrive for this long after the list.
const MAX_EVENT_DELAY: Duration = Duration::from_millis(500);

/// A visible change to a member, with the member after the change. If the member was removed,
/// with the member before the change.
pub(super) type Changed = (MemberChange, Arc<Member>);

/// A queue in the mirror.
#[derive(Debug)]
pub(in crate::queues::mirror) struct MirroredQueue {
    /// The queue as readers see it, including overlays.
    pub(super) queue: Arc<Queue>,
    pub(in crate::queues::mirror) name: QueueName,
    /// Members with unconfirmed changes.
    pub(super) overlays: Vec<MemberOverlay>,
    /// When the statistics and callers were last queried.
    pub(in crate::queues::mirror) statistics_at: Instant,
    /// Whether an event has reported calls since the statistics were queried.
    pub(super) statistics_outdated: bool,
    /// When the whole queue was last listed over this link.
    pub(in crate::queues::mirror) listed_in_full_at: Option<Instant>,
    /// Whether the members have never been listed.
    pub(super) is_new: bool,
    /// When the queue was last listed over this link, with or without members. `None` means that
    /// the queue's spelling is not confirmed.
    pub(in crate::queues::mirror) listed_at: Option<Instant>,
    /// Whether the statistics show that members have changed without an event.
    pub(in crate::queues::mirror) members_outdated: bool,
    /// Number of consecutive lists of this queue that lacked rows.
    pub(super) incomplete_lists: u32,
    /// When a list of all members was last applied.
    pub(super) members_listed: Option<Instant>,
    /// Whether the members have been listed over this link, so that the bridge sees all changes.
    pub(super) is_watched: bool,
    /// The rules of the organizations that have this queue.
    pub(super) rules: Vec<Arc<dyn TimingRules>>,
}

impl MirroredQueue {
    /// Creates a queue whose members are not known yet. `queried_at` is the time at which Asterisk
    /// was queried.
    pub(super) fn new(queue: Queue, queried_at: Instant) -> Self {
        Self {
            name: queue.name.clone(),
            queue: Arc::new(Queue {
                members: Arc::default(),
                ..queue
            }),
            overlays: Vec::new(),
            statistics_at: queried_at,
            statistics_outdated: false,
            listed_in_full_at: None,
            is_new: true,
            listed_at: Some(queried_at),
            members_outdated: false,
            incomplete_lists: 0,
            members_listed: None,
            is_watched: false,
            rules: Vec::new(),
        }
    }

    /// Returns whether the members have never been listed.
    pub(in crate::queues::mirror) fn is_new(&self) -> bool {
        self.is_new
    }

    /// Marks the queue as unconfirmed, because a new link was established.
    pub(super) fn link_established(&mut self) {
        self.listed_in_full_at = None;
        self.listed_at = None;
        self.members_listed = None;
        self.is_watched = false;
        self.overlays.clear();
    }

    /// Returns the queue as readers see it.
    pub(in crate::queues::mirror) fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    pub(in crate::queues::mirror) fn needs_statistics(&self, now: Instant) -> bool {
        self.statistics_outdated || now >= self.statistics_at + MAX_STATISTICS_AGE
    }

    /// Applies settings, statistics and callers. Returns whether the settings have changed, and
    /// whether the statistics or callers have changed.
    pub(super) fn apply_statistics(&mut self, listed: &Queue, queried_at: Instant) -> (bool, bool) {
        self.name = listed.name.clone();
        self.listed_at = Some(queried_at);
        // Counts decrease only if the statistics were reset, which no event reports.
        self.members_outdated |=
            listed.completed < self.queue.completed || listed.abandoned < self.queue.abandoned;
        let settings_differ = settings(&self.queue) != settings(listed);
        let before = Queue {
            members: Arc::clone(&listed.members),
            callers: Arc::clone(&listed.callers),
            ..Queue::clone(&self.queue)
        };
        let callers_differ = !callers(&self.queue).eq(callers(listed));
        let statistics_differ = before != *listed || callers_differ;
        self.queue = Arc::new(Queue {
            members: Arc::clone(&self.queue.members),
            ..listed.clone()
        });
        self.statistics_at = queried_at;
        self.statistics_outdated = false;
        (settings_differ, statistics_differ)
    }

    /// Returns the member as Asterisk has reported it, without overlays.
    pub(super) fn reported(&self, interface: &str) -> Option<&Arc<Member>> {
        match self.overlay_index(interface) {
            Some(index) => self.overlays[index].reported.as_ref(),
            None => self.queue.member(interface),
        }
    }

    /// Applies a member's state as reported by an event or a list; `None` means that the member
    /// is gone. Returns the visible change, if any.
    pub(super) fn apply_report(
        &mut self,
        interface: &str,
        member: Option<Arc<Member>>,
        context: &mut ShowContext<'_>,
    ) -> Option<Changed> {
        let before = self.reported(interface);
        if let Some(known) = member.as_ref().or(before) {
            let key = (&self.name, &known.interface);
            let change = (before.map(Arc::as_ref), member.as_deref());
            let (is_watched, at) = (self.is_watched, context.second);
            context.work.member_reported(key, change, is_watched, at);
        }
        let Some(index) = self.overlay_index(interface) else {
            return self.show(interface, member, context);
        };
        let overlay = &mut self.overlays[index];
        overlay.reported = member;
        let shown = overlay.member();
        if overlay.is_empty() {
            self.overlays.swap_remove(index);
        }
        self.show(interface, shown, context)
    }

    /// Returns whether a list of all members was applied so recently that an event may be older
    /// than the list.
    pub(super) fn was_listed_recently(&self, now: Instant) -> bool {
        self.members_listed
            .is_some_and(|listed| now < listed + MAX_EVENT_DELAY)
    }

    /// Returns whether Asterisk sends events about the member. It sends none if the member's
    /// name is not UTF-8.
    pub(super) fn has_events(&self, interface: &str) -> bool {
        self.reported(interface)
            .is_none_or(|member| has_events(member))
    }

    /// Applies a single member's row.
    pub(super) fn apply_member_row(
        &mut self,
        listed: &Arc<Member>,
        queried_at: Instant,
        clock_offset: i64,
        context: &mut ShowContext<'_>,
    ) -> Option<Changed> {
        let interface = Arc::clone(&listed.interface);
        let reported = self.reported(&interface).map(Arc::as_ref);
        let listed = with_bridge_times(listed, reported, clock_offset);
        if let Some(index) = self.overlay_index(&interface) {
            self.overlays[index].reconcile_with_list(queried_at, Some(&listed));
        }
        self.apply_report(&interface, Some(listed), context)
    }

    /// Moves the times forward by `seconds`, because the bridge's clock was set forward by that
    /// much.
    pub(super) fn shift_times(&mut self, seconds: i64) {
        for member in Arc::make_mut(&mut Arc::make_mut(&mut self.queue).members) {
            Arc::make_mut(member).shift_times(seconds);
        }
        for overlay in &mut self.overlays {
            overlay.shift_times(seconds);
        }
    }

    /// Returns whether a change of the member still waits for its event.
    pub(super) fn has_unconfirmed_change(&self, interface: &str) -> bool {
        let overlay = self
            .overlay_index(interface)
            .map(|index| &self.overlays[index]);
        overlay.is_some_and(|overlay| !overlay.is_empty())
    }

    pub(super) fn has_overlay(&self, interface: &str) -> bool {
        self.overlay_index(interface).is_some()
    }

    /// Shows an acknowledged change before Asterisk's event confirms it.
    pub(super) fn apply_overlay(
        &mut self,
        interface: &str,
        change: UnconfirmedChange,
        context: &mut ShowContext<'_>,
    ) -> Option<Changed> {
        let index = self.overlay_index(interface).unwrap_or_else(|| {
            let reported = self.queue.member(interface).cloned();
            // Use Asterisk's spelling, because its member filter is case-sensitive.
            let spelled = reported
                .as_ref()
                .map(|member| Arc::clone(&member.interface));
            let spelled = spelled.unwrap_or_else(|| interface.into());
            self.overlays.push(MemberOverlay::new(spelled, reported));
            self.overlays.len() - 1
        });
        let shown = change.apply(self.queue.member(interface).cloned());
        self.overlays[index].push(change, context.now.at);
        self.show(interface, shown, context)
    }

    /// Removes the unconfirmed change that an event confirms, and returns the time since the
    /// change was acknowledged. Call it before [`Self::apply_report`], which shows the remaining
    /// changes.
    pub(super) fn confirm(
        &mut self,
        kind: MemberEventKind,
        member: &Member,
        now: Instant,
    ) -> Option<Duration> {
        let index = self.overlay_index(&member.interface)?;
        self.overlays[index].confirm(kind, member, now)
    }

    /// Drops the unconfirmed changes that were overdue when Asterisk was queried, and returns
    /// their number. `None` as the interface means all members. Call it before applying the
    /// reply.
    pub(super) fn expire_overlays(&mut self, interface: Option<&str>, queried_at: Instant) -> u64 {
        let overlays = self.overlays.iter_mut().filter(|overlay| {
            interface.is_none_or(|interface| overlay.interface.eq_ignore_ascii_case(interface))
        });
        overlays.map(|overlay| overlay.expire(queried_at)).sum()
    }

    /// Returns the interfaces of the members with overdue changes.
    pub(super) fn overdue(&self, now: Instant) -> impl Iterator<Item = Arc<str>> {
        let overdue = self.overlays.iter().filter(move |o| o.is_overdue(now));
        overdue.map(|overlay| Arc::clone(&overlay.interface))
    }

    pub(super) fn overlay_index(&self, interface: &str) -> Option<usize> {
        let mut overlays = self.overlays.iter();
        overlays.position(|o| o.interface.eq_ignore_ascii_case(interface))
    }
}

/// Returns the queue's settings, which change only with Asterisk's configuration.
fn settings(queue: &Queue) -> (&str, &str, u64, i64, u64) {
    (
        &queue.name,
        &queue.strategy,
        queue.max_callers,
        queue.weight,
        queue.service_level_seconds,
    )
}

/// Returns the callers without their waiting times.
fn callers(queue: &Queue) -> impl Iterator<Item = Caller> {
    queue.callers.iter().cloned().map(|caller| Caller {
        wait_seconds: 0,
        ..caller
    })
}
