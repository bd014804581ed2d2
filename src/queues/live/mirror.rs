//! The state of a PBX's queues, from what is read of it. No IO, and no clock.
//!
//! Lists replace what they list. Events of members carry the whole member, and
//! the last one counts; those of calls only say that figures have changed. What
//! neither tells is [`Wanted`]. Acknowledged changes are laid over it all until
//! their events come ([`super::write`]).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::drift::Suspects;
use super::entry::{Changed, Entry};
use super::event::{Event, MemberEvent};
use super::journal::{Change, Journal};
use super::metrics::Metrics;
use super::wanted::{Refresh, Wanted};
use crate::queues::model::Member;

/// The moment at which something is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    pub(super) at: Instant,
    /// In Unix seconds.
    pub(super) unix: i64,
}

/// How much of the state is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// There was no link yet.
    Empty,
    /// There is no link: what is there was true once.
    Lost,
    /// There is a link, and not yet all of the state.
    Seeding,
    /// There is a link, and Asterisk has no queues: app_queue is not loaded.
    Unloaded,
    /// All is there, and followed.
    Live,
}

/// Changes that an event only points at are asked about when they have settled.
const SETTLED: Duration = Duration::from_millis(100);

/// The state.
#[derive(Debug)]
pub(super) struct Mirror {
    /// By name in lower case: Asterisk compares without case.
    pub(super) entries: HashMap<String, Entry>,
    pub(super) journal: Journal,
    pub(super) wanted: Wanted,
    pub(super) phase: Phase,
    /// Whether there was ever all of the state.
    pub(super) was_live: bool,
    /// When Asterisk was last heard.
    pub(super) heard: Instant,
    /// How many follow the changes, and so need figures that are new.
    pub(super) followers: usize,
    /// The queue that a resync is asking about, where that is its only reason.
    pub(super) resyncing: Option<Arc<str>>,
    pub(super) suspects: Suspects,
    /// Whether an event of a member has come over this link, or it was told that
    /// none comes.
    knows_events: bool,
    pub(super) metrics: Arc<Metrics>,
}

impl Mirror {
    pub(super) fn new(metrics: Arc<Metrics>, at: Instant) -> Self {
        Self {
            entries: HashMap::new(),
            journal: Journal::default(),
            wanted: Wanted::default(),
            phase: Phase::Empty,
            was_live: false,
            heard: at,
            followers: 0,
            resyncing: None,
            suspects: Suspects::default(),
            knows_events: false,
            metrics,
        }
    }

    pub(super) fn entry(&self, queue: &str) -> Option<&Entry> {
        self.entries.get(&queue.to_ascii_lowercase())
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// How many memberships there are.
    pub(super) fn memberships(&self) -> usize {
        self.entries()
            .map(|entry| entry.queue().members.len())
            .sum()
    }

    /// There is a new link: nothing is confirmed.
    pub(super) fn linked(&mut self) {
        self.phase = Phase::Seeding;
        self.wanted.clear();
        self.suspects.clear();
        self.knows_events = false;
        self.resyncing = None;
        for entry in self.entries.values_mut() {
            entry.unconfirm();
        }
    }

    pub(super) fn lost(&mut self) {
        if self.phase == Phase::Live {
            self.journal.push(Change::Link { connected: false });
        }
        self.phase = if self.was_live {
            Phase::Lost
        } else {
            Phase::Empty
        };
    }

    /// Asterisk knows no actions of queues any more. Where the link has ended, that
    /// says nothing.
    pub(super) fn unloaded(&mut self) {
        if matches!(self.phase, Phase::Seeding | Phase::Live) {
            self.lost();
            self.phase = Phase::Unloaded;
        }
    }

    /// Asterisk has queues again.
    pub(super) fn loaded(&mut self) {
        if self.phase == Phase::Unloaded {
            self.linked();
        }
    }

    /// All queues have been listed that there were when the link was made. That may
    /// be over: the last list and the end of the link can come together.
    pub(super) fn seeded(&mut self, now: Now) {
        if self.phase != Phase::Seeding {
            return;
        }
        self.phase = Phase::Live;
        self.was_live = true;
        self.journal.push(Change::Link { connected: true });
        // New since then, and so not listed.
        let new = self.entries().filter(|entry| entry.confirmed.is_none());
        let new: Vec<_> = new.map(|entry| Arc::clone(&entry.name)).collect();
        for queue in new {
            self.want(Refresh::Queue(queue), now.at);
        }
    }

    pub(super) fn event(&mut self, event: Event, now: Now) {
        match event {
            Event::Member {
                queue,
                what,
                member,
            } => self.member_event(&queue, what, member, now),
            Event::Calls { queue, member } => {
                let Some(entry) = self.entries.get_mut(&queue.to_ascii_lowercase()) else {
                    return self.want(Refresh::Queue(queue.into()), now.at + SETTLED);
                };
                entry.figures_changed = true;
                let queue = Arc::clone(&entry.name);
                if let Some(interface) = member {
                    self.suspects.told(&queue, &interface);
                    let interface = interface.into();
                    let again = true;
                    self.want(
                        Refresh::Member {
                            queue,
                            interface,
                            again,
                        },
                        now.at + SETTLED,
                    );
                } else if self.followers > 0 {
                    self.want(Refresh::Figures(queue), now.at + SETTLED);
                }
            }
            Event::Unloaded => self.unloaded(),
            Event::Reloaded => {
                // It comes at the end of the reload.
                self.loaded();
                self.suspects.clear();
                self.want_everything(now.at);
            }
        }
    }

    /// Everything may have changed without an event.
    fn want_everything(&mut self, at: Instant) {
        self.want(Refresh::Queues, at);
        let names: Vec<_> = self
            .entries()
            .map(|entry| Arc::clone(&entry.name))
            .collect();
        for queue in names {
            self.want(Refresh::Queue(queue), at);
        }
    }

    fn member_event(&mut self, queue: &str, what: MemberEvent, member: Member, now: Now) {
        self.knows_events = true;
        let Some(entry) = self.entries.get_mut(&queue.to_ascii_lowercase()) else {
            return self.want(Refresh::Queue(queue.into()), now.at + SETTLED);
        };
        if entry.confirmed.is_none() {
            // Its list is yet to come, and newer.
            return;
        }
        if let Some(lifetime) = entry.lift(what, &member, now.at) {
            self.metrics.overlay_seconds.observe(lifetime.as_secs_f64());
        }
        let interface = Arc::clone(&member.interface);
        let told = entry.told(&interface);
        // Older than what was listed: of a membership that has ended since.
        let is_old = told.is_some_and(|told| member.login_time < told.login_time);
        let is_unknown = told.is_none() && matches!(what, MemberEvent::Paused | MemberEvent::Other);
        // Asterisk sets it without an event, so an event may be older.
        let call_differs = told.is_some_and(|told| told.in_call != member.in_call);
        let name = Arc::clone(&entry.name);
        let told = match what {
            _ if is_old || is_unknown => told.cloned(),
            MemberEvent::Removed => None,
            _ => Some(Arc::new(member)),
        };
        let changed = entry.tell(&interface, told, now.unix);
        if what == MemberEvent::Added && !is_old {
            entry.stands_last(&interface);
        }
        self.suspects.told(&name, &interface);
        if is_unknown {
            self.want(Refresh::Queue(Arc::clone(&name)), now.at + SETTLED);
        } else if call_differs {
            let queue = Arc::clone(&name);
            self.want(
                Refresh::Member {
                    queue,
                    interface,
                    again: true,
                },
                now.at + SETTLED,
            );
        }
        self.note(&name, changed);
    }

    /// Asks about members whose changes have waited too long for their events,
    /// and counts what a resync has found otherwise and no event has told.
    pub(super) fn tick(&mut self, now: Instant) {
        let overdue: Vec<_> = self
            .entries()
            .flat_map(|entry| {
                entry
                    .overdue(now)
                    .map(|i| (Arc::clone(&entry.name), Arc::clone(i)))
            })
            .collect();
        if !overdue.is_empty() && !self.knows_events {
            self.knows_events = true;
            tracing::warn!(
                "Asterisk tells nothing of what was changed: does the AMI user have \
                 read=agent,system in manager.conf? Changes by others show late"
            );
        }
        for (queue, interface) in overdue {
            self.want(
                Refresh::Member {
                    queue,
                    interface,
                    again: false,
                },
                now,
            );
        }
        self.metrics.drift.inc_by(self.suspects.drifted(now));
    }

    /// The queue that was confirmed longest ago.
    pub(super) fn oldest(&self) -> Option<Arc<str>> {
        let oldest = self.entries().min_by_key(|entry| entry.confirmed)?;
        Some(Arc::clone(&oldest.name))
    }

    pub(super) fn want(&mut self, refresh: Refresh, at: Instant) {
        let is_followed = match self.phase {
            Phase::Live => true,
            // Unless it is asked about anyhow.
            Phase::Seeding => refresh
                .queue()
                .and_then(|queue| self.entry(queue))
                .is_none_or(|entry| entry.confirmed.is_some()),
            Phase::Empty | Phase::Lost | Phase::Unloaded => false,
        };
        if is_followed {
            self.wanted.add(refresh, at);
        }
    }

    pub(super) fn note(&mut self, queue: &Arc<str>, changed: impl IntoIterator<Item = Changed>) {
        let is_new = self.entry(queue).is_some_and(Entry::is_new);
        for (what, member) in changed {
            let queue = Arc::clone(queue);
            self.journal.push(if is_new {
                // Nobody has been told that there is such a queue.
                Change::Queue { queue }
            } else {
                Change::Member {
                    queue,
                    what,
                    member,
                }
            });
        }
    }

    /// Keeps the queues whose name, in lower case, passes.
    pub(super) fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        let journal = &mut self.journal;
        self.entries.retain(|name, entry| {
            let keeps = keep(name);
            if !keeps {
                let queue = Arc::clone(&entry.name);
                journal.push(Change::Queue { queue });
            }
            keeps
        });
    }
}

#[cfg(test)]
#[path = "mirror_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "seeding_tests.rs"]
mod seeding_tests;
