//! A queue of the mirror: what readers see of it, and how fresh that is.

use std::sync::Arc;

use tokio::time::{Duration, Instant};

use super::change_log::MemberChange;
use super::event::MemberEvent;
use super::member_order::insertion_index;
use super::overlay::{MemberOverlay, UnconfirmedChange};
use super::reported::{has_events, with_bridge_times};
use crate::queues::model::{Caller, Member, Queue};
use crate::queues::name::QueueName;

/// How old figures may be that someone is shown. Averages, and priorities of
/// callers, change without an event.
const MAX_STATISTICS_AGE: Duration = Duration::from_secs(1);

/// How long an event may be under way while a list, which is newer, arrives.
const MAX_EVENT_DELAY: Duration = Duration::from_millis(500);

/// What has become of a member.
pub(super) type Changed = (MemberChange, Arc<Member>);

/// A queue.
#[derive(Debug)]
pub(super) struct MirroredQueue {
    /// As readers see it, with what is laid over it.
    pub(super) queue: Arc<Queue>,
    pub(super) name: QueueName,
    /// Members with changes whose events are yet to come.
    pub(super) overlays: Vec<MemberOverlay>,
    /// When the figures and callers were asked for.
    pub(super) statistics_at: Instant,
    /// An event has said that they have changed since.
    pub(super) statistics_outdated: bool,
    /// When all of it was asked for; `None` since a new link.
    pub(super) listed_in_full_at: Option<Instant>,
    /// Its members were never listed.
    pub(super) is_new: bool,
    /// When Asterisk last listed it over this link, and so its spelling is known.
    pub(super) listed_at: Option<Instant>,
    /// Figures have shown that members were changed without an event.
    pub(super) members_outdated: bool,
    /// Lists of it in a row that lacked rows.
    pub(super) broken_lists: u32,
    /// When a list of all members has arrived.
    pub(super) members_listed: Option<Instant>,
}

impl MirroredQueue {
    /// A queue of which nothing is known but what was listed of it.
    pub(super) fn new(queue: Queue, asked: Instant) -> Self {
        Self {
            name: queue.name.clone(),
            queue: Arc::new(Queue {
                members: Arc::default(),
                ..queue
            }),
            overlays: Vec::new(),
            statistics_at: asked,
            statistics_outdated: false,
            listed_in_full_at: None,
            is_new: true,
            listed_at: Some(asked),
            members_outdated: false,
            broken_lists: 0,
            members_listed: None,
        }
    }

    pub(super) fn is_new(&self) -> bool {
        self.is_new
    }

    /// There is a new link: what will be listed is true, and nothing else.
    pub(super) fn forget_freshness(&mut self) {
        self.listed_in_full_at = None;
        self.listed_at = None;
        self.members_listed = None;
        self.overlays.clear();
    }

    pub(super) fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    pub(super) fn needs_statistics(&self, now: Instant) -> bool {
        self.statistics_outdated || now >= self.statistics_at + MAX_STATISTICS_AGE
    }

    /// Takes over settings, figures and callers. Returns whether the settings,
    /// and whether figures or callers are others than before.
    pub(super) fn apply_statistics(&mut self, listed: &Queue, asked: Instant) -> (bool, bool) {
        self.name = listed.name.clone();
        self.listed_at = Some(asked);
        // Only a reset of the statistics takes counts back, and it is not announced.
        self.members_outdated |=
            listed.completed < self.queue.completed || listed.abandoned < self.queue.abandoned;
        let settings_differ = settings(&self.queue) != settings(listed);
        let same = Queue {
            members: Arc::clone(&listed.members),
            callers: Arc::clone(&listed.callers),
            ..Queue::clone(&self.queue)
        };
        let statistics_differ = same != *listed || !waiting(&self.queue).eq(waiting(listed));
        self.queue = Arc::new(Queue {
            members: Arc::clone(&self.queue.members),
            ..listed.clone()
        });
        self.statistics_at = asked;
        self.statistics_outdated = false;
        (settings_differ, statistics_differ)
    }

    /// What events and lists have told of a member.
    pub(super) fn reported(&self, interface: &str) -> Option<&Arc<Member>> {
        match self
            .overlays
            .iter()
            .find(|o| o.interface.eq_ignore_ascii_case(interface))
        {
            Some(overlays) => overlays.reported.as_ref(),
            None => self.queue.member(interface),
        }
    }

    /// Takes over what an event or a list has told of a member.
    pub(super) fn apply_report(
        &mut self,
        interface: &str,
        member: Option<Arc<Member>>,
    ) -> Option<Changed> {
        let Some(place) = self.overlay_of(interface) else {
            return self.show(interface, member);
        };
        let overlays = &mut self.overlays[place];
        overlays.reported = member;
        let shown = overlays.member();
        if overlays.is_empty() {
            self.overlays.swap_remove(place);
        }
        self.show(interface, shown)
    }

    /// Puts a member behind those that were added before it. Events of additions
    /// come in Asterisk's order; what is laid over, or asked about, does not.
    pub(super) fn move_to_new_member_place(&mut self, interface: &str) {
        let Some(place) = self.queue.members.iter().position(|m| m.is(interface)) else {
            return;
        };
        let members = Arc::make_mut(&mut Arc::make_mut(&mut self.queue).members);
        let member = members.remove(place);
        let place = insertion_index(interface, &self.queue);
        let members = Arc::make_mut(&mut Arc::make_mut(&mut self.queue).members);
        members.insert(place, member);
    }

    /// Whether a list of all members has arrived so lately that an event may be older.
    pub(super) fn was_listed_recently(&self, now: Instant) -> bool {
        self.members_listed
            .is_some_and(|listed| now < listed + MAX_EVENT_DELAY)
    }

    /// Whether Asterisk's events of that member arrive: a name that is not UTF-8
    /// silences them.
    pub(super) fn has_events(&self, interface: &str) -> bool {
        self.reported(interface)
            .is_none_or(|member| has_events(member))
    }

    /// Takes over the row of one member.
    pub(super) fn apply_member_row(
        &mut self,
        listed: &Arc<Member>,
        asked: Instant,
        clock_offset: i64,
    ) -> Option<Changed> {
        let interface = Arc::clone(&listed.interface);
        let reported = self.reported(&interface).map(Arc::as_ref);
        let listed = with_bridge_times(listed, reported, clock_offset);
        if let Some(place) = self.overlay_of(&interface) {
            self.overlays[place].listed(asked, Some(&listed));
        }
        self.apply_report(&interface, Some(listed))
    }

    /// The bridge's clock was set forward by that many seconds.
    pub(super) fn shift_times(&mut self, seconds: i64) {
        for member in Arc::make_mut(&mut Arc::make_mut(&mut self.queue).members) {
            Arc::make_mut(member).shift_times(seconds);
        }
        for overlays in &mut self.overlays {
            overlays.shift_times(seconds);
        }
    }

    /// Whether changes of that member wait for their events.
    pub(super) fn has_overlay(&self, interface: &str) -> bool {
        self.overlay_of(interface).is_some()
    }

    /// Lays an acknowledged change over a member.
    pub(super) fn apply_overlay(
        &mut self,
        interface: &str,
        change: UnconfirmedChange,
        at: Instant,
    ) -> Option<Changed> {
        let place = self.overlay_of(interface).unwrap_or_else(|| {
            let reported = self.queue.member(interface).cloned();
            // As Asterisk spells it: its filter for members heeds case.
            let spelled = reported
                .as_ref()
                .map(|member| Arc::clone(&member.interface));
            let spelled = spelled.unwrap_or_else(|| interface.into());
            self.overlays.push(MemberOverlay::new(spelled, reported));
            self.overlays.len() - 1
        });
        let shown = change.apply(self.queue.member(interface).cloned());
        self.overlays[place].push(change, at);
        self.show(interface, shown)
    }

    /// Takes away the change that an event tells of. To be called before
    /// [`Self::tell`], which shows what is left.
    pub(super) fn confirm(
        &mut self,
        what: MemberEvent,
        member: &Member,
        now: Instant,
    ) -> Option<Duration> {
        let place = self.overlay_of(&member.interface)?;
        self.overlays[place].confirm(what, member, now)
    }

    /// Takes away the changes of a member, or of all, that had waited too long
    /// when Asterisk was asked about it. Returns how many. To be called before
    /// the answer is taken over.
    pub(super) fn expire_overdue(&mut self, interface: Option<&str>, asked: Instant) -> u64 {
        let meant = self.overlays.iter_mut().filter(|overlays| {
            interface.is_none_or(|interface| overlays.interface.eq_ignore_ascii_case(interface))
        });
        meant.map(|overlays| overlays.expire_overdue(asked)).sum()
    }

    /// Members with changes whose events should have come.
    pub(super) fn overdue(&self, now: Instant) -> impl Iterator<Item = Arc<str>> {
        let overdue = self.overlays.iter().filter(move |o| o.is_overdue(now));
        overdue.map(|overlays| Arc::clone(&overlays.interface))
    }

    pub(super) fn overlay_of(&self, interface: &str) -> Option<usize> {
        let mut overlays = self.overlays.iter();
        overlays.position(|o| o.interface.eq_ignore_ascii_case(interface))
    }

    fn show(&mut self, interface: &str, member: Option<Arc<Member>>) -> Option<Changed> {
        let place = self.queue.members.iter().position(|m| m.is(interface));
        let shown = place.map(|place| &self.queue.members[place]);
        let what = MemberChange::between(shown.map(Arc::as_ref), member.as_deref());
        if what.is_none() && shown == member.as_ref() {
            return None;
        }
        let new_place = insertion_index(interface, &self.queue);
        let members = Arc::make_mut(&mut Arc::make_mut(&mut self.queue).members);
        let reported = match (place, member) {
            (Some(place), Some(member)) => {
                members[place] = Arc::clone(&member);
                member
            }
            (Some(place), None) => members.remove(place),
            (None, Some(member)) => {
                members.insert(new_place, Arc::clone(&member));
                member
            }
            (None, None) => return None,
        };
        Some((what?, reported))
    }
}

/// What the configuration of Asterisk says of a queue.
fn settings(queue: &Queue) -> (&str, &str, u64, i64, u64) {
    (
        &queue.name,
        &queue.strategy,
        queue.max_callers,
        queue.weight,
        queue.service_level_seconds,
    )
}

/// The callers, without how long each has waited.
fn waiting(queue: &Queue) -> impl Iterator<Item = Caller> {
    queue.callers.iter().cloned().map(|caller| Caller {
        wait_seconds: 0,
        ..caller
    })
}
