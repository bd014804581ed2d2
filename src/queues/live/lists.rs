//! What lists of Asterisk mean to the mirror: they replace what they list.

use std::collections::HashSet;
use std::sync::Arc;

use tokio::time::Instant;

use super::entry::Entry;
use super::journal::Change;
use super::mirror::{Mirror, Now};
use super::wanted::Refresh;
use crate::ami::Answer;
use crate::queues::decode;
use crate::queues::model::Queue;
use crate::queues::read::NOBODY;

impl Mirror {
    /// A list of a queue, or of all; only with the rows of a member, or of
    /// [`NOBODY`].
    pub(super) fn listed(
        &mut self,
        queue: Option<&str>,
        member: Option<&str>,
        answer: &Answer,
        now: Now,
    ) {
        let mut queues = decode::queues(&answer.rows);
        let Some(name) = queue else {
            let names: HashSet<_> = queues.iter().map(|q| q.name.to_ascii_lowercase()).collect();
            for listed in queues {
                self.take_figures(&listed, answer.sent);
            }
            self.retain(|name| names.contains(name));
            let new = self.entries().filter(|entry| entry.is_new());
            let new: Vec<_> = new.map(|entry| Arc::clone(&entry.name)).collect();
            for queue in new {
                self.want(Refresh::Queue(queue), now.at);
            }
            return;
        };
        let Some(listed) = queues.pop() else {
            let name = name.to_ascii_lowercase();
            return self.retain(|other| other != name);
        };
        self.take_figures(&listed, answer.sent);
        match member {
            None => self.take_members(&listed, answer.sent, now),
            Some(NOBODY) => {}
            Some(interface) => self.take_member(&listed, interface, answer.sent, now),
        }
        if let Some(entry) = self.entry(name).filter(|entry| entry.is_new()) {
            let queue = Arc::clone(&entry.name);
            self.want(Refresh::Queue(queue), now.at);
        }
    }

    fn take_figures(&mut self, listed: &Queue, asked: Instant) {
        let key = listed.name.to_ascii_lowercase();
        let Some(entry) = self.entries.get_mut(&key) else {
            self.entries.insert(key, Entry::new(listed.clone(), asked));
            return;
        };
        let (settings, figures) = entry.take_figures(listed, asked);
        let queue = Arc::clone(&entry.name);
        if settings {
            self.journal.push(Change::Queue { queue });
        } else if figures {
            self.journal.push(Change::Figures { queue });
        }
    }

    fn take_members(&mut self, listed: &Queue, asked: Instant, now: Now) {
        let Some(entry) = self.entries.get_mut(&listed.name.to_ascii_lowercase()) else {
            return;
        };
        let queue = Arc::clone(&entry.name);
        let overdue = entry.lift_overdue(None, asked);
        self.metrics.overlays_overdue.inc_by(overdue);
        let is_first = entry.is_new();
        let (changed, otherwise) = entry.take_members(&listed.members, now.unix);
        entry.confirmed = Some(asked);
        if self
            .resyncing
            .take_if(|resyncing| *resyncing == queue)
            .is_some()
        {
            self.metrics.resyncs.inc();
            // What an event has pointed at already is no drift.
            let otherwise = otherwise.into_iter();
            let untold = otherwise.filter(|interface| !self.wanted.is_about(&queue, interface));
            self.suspects.add(&queue, untold.collect(), now.at);
        }
        if is_first {
            self.journal.push(Change::Queue { queue });
        } else {
            self.note(&queue, changed);
        }
    }

    fn take_member(&mut self, listed: &Queue, interface: &str, asked: Instant, now: Now) {
        let Some(entry) = self.entries.get_mut(&listed.name.to_ascii_lowercase()) else {
            return;
        };
        let name = Arc::clone(&entry.name);
        let Some(member) = listed.member(interface) else {
            // Gone, or spelled otherwise: Asterisk's filter heeds case.
            return self.want(Refresh::Queue(name), now.at);
        };
        let overdue = entry.lift_overdue(Some(interface), asked);
        self.metrics.overlays_overdue.inc_by(overdue);
        let changed = entry.tell(interface, Some(Arc::clone(member)), now.unix);
        self.note(&name, changed);
    }
}
