//! A queue of the mirror: what readers see of it, and how fresh that is.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::time::{Duration, Instant};

use super::event::MemberEvent;
use super::journal::MemberChange;
use super::order::place_of;
use super::write::{Overlaid, Write};
use crate::queues::model::{Caller, Member, Queue};

/// How old figures may be that someone is shown. Averages, and priorities of
/// callers, change without an event.
const FIGURES_AGE: Duration = Duration::from_secs(1);

/// What has become of a member.
pub(super) type Changed = (MemberChange, Arc<Member>);

/// A queue.
#[derive(Debug)]
pub(super) struct Entry {
    /// As readers see it, with what is laid over it.
    queue: Arc<Queue>,
    pub(super) name: Arc<str>,
    /// Members with changes whose events are yet to come.
    overlaid: Vec<Overlaid>,
    /// When the figures and callers were asked for.
    pub(super) figures_at: Instant,
    /// An event has said that they have changed since.
    pub(super) figures_changed: bool,
    /// When all of it was asked for; `None` since a new link.
    pub(super) confirmed: Option<Instant>,
    /// Its members were never listed.
    is_new: bool,
}

impl Entry {
    /// A queue of which nothing is known but what was listed of it.
    pub(super) fn new(queue: Queue, asked: Instant) -> Self {
        Self {
            name: queue.name.as_str().into(),
            queue: Arc::new(Queue {
                members: Arc::default(),
                ..queue
            }),
            overlaid: Vec::new(),
            figures_at: asked,
            figures_changed: false,
            confirmed: None,
            is_new: true,
        }
    }

    pub(super) fn is_new(&self) -> bool {
        self.is_new
    }

    /// There is a new link: what will be listed is true, and nothing else.
    pub(super) fn unconfirm(&mut self) {
        self.confirmed = None;
        self.overlaid.clear();
    }

    pub(super) fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }

    pub(super) fn needs_figures(&self, now: Instant) -> bool {
        self.figures_changed || now >= self.figures_at + FIGURES_AGE
    }

    /// Takes over settings, figures and callers. Returns whether the settings,
    /// and whether figures or callers are others than before.
    pub(super) fn take_figures(&mut self, listed: &Queue, asked: Instant) -> (bool, bool) {
        let settings_differ = settings(&self.queue) != settings(listed);
        let same = Queue {
            members: Arc::clone(&listed.members),
            callers: Arc::clone(&listed.callers),
            ..Queue::clone(&self.queue)
        };
        let figures_differ = same != *listed || !waiting(&self.queue).eq(waiting(listed));
        self.queue = Arc::new(Queue {
            members: Arc::clone(&self.queue.members),
            ..listed.clone()
        });
        self.figures_at = asked;
        self.figures_changed = false;
        (settings_differ, figures_differ)
    }

    /// What events and lists have told of a member.
    pub(super) fn told(&self, interface: &str) -> Option<&Arc<Member>> {
        match self
            .overlaid
            .iter()
            .find(|o| o.interface.eq_ignore_ascii_case(interface))
        {
            Some(overlaid) => overlaid.told.as_ref(),
            None => self.queue.member(interface),
        }
    }

    /// Takes over what an event or a list has told of a member.
    pub(super) fn tell(
        &mut self,
        interface: &str,
        member: Option<Arc<Member>>,
        now: i64,
    ) -> Option<Changed> {
        let Some(place) = self.overlay_of(interface) else {
            return self.show(interface, member);
        };
        let overlaid = &mut self.overlaid[place];
        overlaid.told = member;
        let shown = overlaid.member(now);
        if overlaid.is_empty() {
            self.overlaid.swap_remove(place);
        }
        self.show(interface, shown)
    }

    /// Puts a member behind those that were added before it. Events of additions
    /// come in Asterisk's order; what is laid over, or asked about, does not.
    pub(super) fn stands_last(&mut self, interface: &str) {
        let Some(place) = self.queue.members.iter().position(|m| m.is(interface)) else {
            return;
        };
        let members = Arc::make_mut(&mut Arc::make_mut(&mut self.queue).members);
        let member = members.remove(place);
        let place = place_of(interface, &self.queue);
        let members = Arc::make_mut(&mut Arc::make_mut(&mut self.queue).members);
        members.insert(place, member);
    }

    /// Lays an acknowledged change over a member.
    pub(super) fn lay(
        &mut self,
        interface: &str,
        write: Write,
        at: Instant,
        now: i64,
    ) -> Option<Changed> {
        let place = self.overlay_of(interface).unwrap_or_else(|| {
            let told = self.queue.member(interface).cloned();
            // As Asterisk spells it: its filter for members heeds case.
            let spelled = told.as_ref().map(|member| Arc::clone(&member.interface));
            let spelled = spelled.unwrap_or_else(|| interface.into());
            self.overlaid.push(Overlaid::new(spelled, told));
            self.overlaid.len() - 1
        });
        let shown = write.apply(self.queue.member(interface).cloned(), now);
        self.overlaid[place].push(write, at);
        self.show(interface, shown)
    }

    /// Takes away the change that an event tells of. To be called before
    /// [`Self::tell`], which shows what is left.
    pub(super) fn lift(
        &mut self,
        what: MemberEvent,
        member: &Member,
        now: Instant,
    ) -> Option<Duration> {
        let place = self.overlay_of(&member.interface)?;
        self.overlaid[place].lift(what, member, now)
    }

    /// Takes away the changes of a member, or of all, that had waited too long
    /// when Asterisk was asked about it. Returns how many. To be called before
    /// the answer is taken over.
    pub(super) fn lift_overdue(&mut self, interface: Option<&str>, asked: Instant) -> u64 {
        let meant = self.overlaid.iter_mut().filter(|overlaid| {
            interface.is_none_or(|interface| overlaid.interface.eq_ignore_ascii_case(interface))
        });
        meant.map(|overlaid| overlaid.lift_overdue(asked)).sum()
    }

    /// Members with changes whose events should have come.
    pub(super) fn overdue(&self, now: Instant) -> impl Iterator<Item = &Arc<str>> {
        let overdue = self.overlaid.iter().filter(move |o| o.is_overdue(now));
        overdue.map(|overlaid| &overlaid.interface)
    }

    fn overlay_of(&self, interface: &str) -> Option<usize> {
        let mut overlaid = self.overlaid.iter();
        overlaid.position(|o| o.interface.eq_ignore_ascii_case(interface))
    }

    /// Takes over a list of all members. Returns what is shown otherwise than
    /// before, and which members had been told otherwise.
    pub(super) fn take_members(
        &mut self,
        listed: &[Arc<Member>],
        now: i64,
    ) -> (Vec<Changed>, Vec<Arc<str>>) {
        let before = Arc::clone(&self.queue.members);
        let old = ByInterface::of(&before, listed);
        let mut shown = Vec::with_capacity(listed.len());
        let mut changed = Vec::new();
        let mut otherwise = Vec::new();
        let mut take =
            |entry: &mut Self, place: usize, interface: &Arc<str>, member: Option<&Arc<Member>>| {
                let was = old.get(place, interface);
                let overlaid = entry
                    .overlay_of(interface)
                    .map(|place| &mut entry.overlaid[place]);
                let told = overlaid
                    .as_ref()
                    .map_or(was, |overlaid| overlaid.told.as_ref());
                if told.map(Arc::as_ref) != member.map(Arc::as_ref) {
                    otherwise.push(Arc::clone(interface));
                }
                let is = match overlaid {
                    Some(overlaid) => {
                        overlaid.told = member.cloned();
                        overlaid.member(now)
                    }
                    None => member.cloned(),
                };
                if let Some(what) = MemberChange::between(was.map(Arc::as_ref), is.as_deref()) {
                    changed.extend(is.as_ref().or(was).map(|member| (what, Arc::clone(member))));
                    shown.extend(is);
                } else {
                    // The one that is there already, so that it is kept once.
                    shown.extend(was.cloned());
                }
            };
        for (place, member) in listed.iter().enumerate() {
            take(self, place, &member.interface, Some(member));
        }
        let new = ByInterface::of(listed, &before);
        let gone = before
            .iter()
            .enumerate()
            .filter(|(place, m)| new.get(*place, &m.interface).is_none());
        for (place, member) in gone {
            take(self, place, &member.interface, None);
        }
        self.overlaid.retain(|overlaid| !overlaid.is_empty());
        self.is_new = false;
        if !changed.is_empty() || *before != shown {
            Arc::make_mut(&mut self.queue).members = Arc::new(shown);
        }
        (changed, otherwise)
    }

    fn show(&mut self, interface: &str, member: Option<Arc<Member>>) -> Option<Changed> {
        let place = self.queue.members.iter().position(|m| m.is(interface));
        let shown = place.map(|place| &self.queue.members[place]);
        let what = MemberChange::between(shown.map(Arc::as_ref), member.as_deref())?;
        let new_place = place_of(interface, &self.queue);
        let members = Arc::make_mut(&mut Arc::make_mut(&mut self.queue).members);
        let told = match (place, member) {
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
        Some((what, told))
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

/// Members by their interface. Mostly the other list has the same ones at the
/// same places; only where it does not, a table is made.
struct ByInterface<'a> {
    members: &'a [Arc<Member>],
    table: Option<HashMap<String, &'a Arc<Member>>>,
}

impl<'a> ByInterface<'a> {
    fn of(members: &'a [Arc<Member>], other: &[Arc<Member>]) -> Self {
        let pairs = members.iter().zip(other);
        let aligned =
            members.len() == other.len() && pairs.clone().all(|(a, b)| a.is(&b.interface));
        let table = || {
            members
                .iter()
                .map(|m| (m.interface.to_ascii_lowercase(), m))
                .collect()
        };
        Self {
            members,
            table: (!aligned).then(table),
        }
    }

    /// The member of that interface, which the other list has at that place.
    fn get(&self, place: usize, interface: &str) -> Option<&'a Arc<Member>> {
        match &self.table {
            Some(table) => table.get(&interface.to_ascii_lowercase()).copied(),
            None => self.members.get(place),
        }
    }
}
