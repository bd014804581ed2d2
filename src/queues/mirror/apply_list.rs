//! What lists of Asterisk mean to the mirror: they replace what they list.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::apply_member_list::MemberList;
use super::change_log::StateChange;
use super::mirror::Mirror;
use super::mirrored_queue::MirroredQueue;
use super::now::Now;
use super::overlay::EVENT_WAIT;
use super::pending_refreshes::Refresh;
use crate::ami::Reply;
use crate::queues::decode::{self, Listed};
use crate::queues::model::Queue;
use crate::queues::name::QueueName;
use crate::queues::queries::NOBODY;

/// When to ask again for a list with missing rows, of which so many have come in a row.
fn retry_delay(broken_lists: u32) -> Duration {
    Duration::from_secs(1 << broken_lists.min(6))
}

impl Mirror {
    /// A list of a queue, or of all; only with the rows of a member, or of
    /// [`NOBODY`].
    pub(super) fn listed(
        &mut self,
        queue: Option<&str>,
        member: Option<&str>,
        answer: &Reply,
        now: Now,
    ) {
        let Listed {
            mut queues,
            is_complete,
            unusable_names,
        } = decode::listed(answer);
        let Some(name) = queue else {
            self.unusable_names = unusable_names;
            self.all_listed(&queues, is_complete, answer.sent_at, now);
            return self.all_members_listed(&queues, member, is_complete, answer.sent_at, now);
        };
        let Some(listed) = queues.pop() else {
            if is_complete {
                let name = name.to_ascii_lowercase();
                self.retain_queues(|other| other != name, now);
            }
            return;
        };
        self.apply_statistics(&listed, answer.sent_at);
        match member {
            None => self.apply_member_list(&listed, is_complete, answer.sent_at, now),
            Some(NOBODY) => {}
            Some(interface) => self.apply_member_row(&listed, interface, answer.sent_at, now),
        }
        self.refresh_outdated_members(name, now);
    }

    /// Asks for the members of a queue that were never listed, or that were changed
    /// without an event.
    fn refresh_outdated_members(&mut self, queue: &str, now: Now) {
        let entry = self.queue(queue);
        let outdated = entry.filter(|entry| entry.is_new() || entry.members_outdated);
        if let Some(queue) = outdated.map(|entry| entry.name.clone()) {
            self.request_refresh(Refresh::Queue(queue), now.at);
        }
    }

    fn all_listed(&mut self, queues: &[Queue], is_complete: bool, asked: Instant, now: Now) {
        for listed in queues {
            self.apply_statistics(listed, asked);
        }
        if !is_complete {
            let delay = retry_delay(self.broken_lists);
            self.broken_lists += 1;
            return self.request_refresh(Refresh::Queues, now.at + delay);
        }
        self.broken_lists = 0;
        let names: HashSet<_> = queues.iter().map(|q| q.name.to_ascii_lowercase()).collect();
        let configured = &self.configured;
        self.vanished.all_queues_listed(
            |name| names.contains(&name.to_ascii_lowercase()),
            |name| configured.iter().any(|own| own.eq_ignore_ascii_case(name)),
            now.at,
        );
        self.retain_queues(|name| names.contains(name), now);
        self.check_configured(now);
    }

    /// The members of a list of all queues: all of them, or one in each of its queues.
    fn all_members_listed(
        &mut self,
        queues: &[Queue],
        member: Option<&str>,
        is_complete: bool,
        asked: Instant,
        now: Now,
    ) {
        match member {
            None => {
                self.pending.answered_by_whole_list(asked);
                self.resyncing_all = self.resyncing.take().is_some();
                for listed in queues {
                    self.apply_member_list(listed, is_complete, asked, now);
                }
                self.resyncing_all = false;
            }
            Some(NOBODY) => {}
            Some(interface) => {
                self.pending.answered_by_member_list(interface, asked);
                for listed in queues {
                    self.apply_member_row(listed, interface, asked, now);
                }
            }
        }
        for listed in queues {
            self.refresh_outdated_members(&listed.name, now);
        }
    }

    fn apply_statistics(&mut self, listed: &Queue, asked: Instant) {
        let key = listed.name.to_ascii_lowercase();
        let Some(entry) = self.entries.get_mut(&key) else {
            self.entries
                .insert(key, MirroredQueue::new(listed.clone(), asked));
            self.names_version += 1;
            return;
        };
        self.names_version += u64::from(entry.name != listed.name);
        let (settings, figures) = entry.apply_statistics(listed, asked);
        let queue = entry.name.clone();
        if settings {
            self.change_log.push(StateChange::Queue { queue });
        } else if figures {
            self.change_log.push(StateChange::Statistics { queue });
        }
    }

    fn apply_member_list(&mut self, listed: &Queue, is_complete: bool, asked: Instant, now: Now) {
        let clock_offset = self.clock.offset_seconds();
        let Some(entry) = self.entries.get_mut(&listed.name.to_ascii_lowercase()) else {
            return;
        };
        let queue = entry.name.clone();
        let overdue = entry.expire_overdue(None, asked);
        self.metrics.overlays_overdue.inc_by(overdue);
        let is_first = entry.is_new();
        let list = MemberList {
            members: &listed.members,
            is_complete,
            asked,
            clock_offset,
        };
        let before = entry.listed_in_full_at.replace(asked);
        let (changed, differences) = entry.apply_member_list(list, now);
        entry.broken_lists = if is_complete {
            0
        } else {
            entry.broken_lists + 1
        };
        let broken_lists = entry.broken_lists;
        self.vanished.all_members_listed(listed, now.at);
        if self.is_unexpected(before) {
            let vanished = differences.iter().filter(|found| found.has_vanished);
            let vanished = vanished.map(|found| Arc::clone(&found.interface));
            self.vanished
                .members_vanished(&queue, vanished.collect(), now.at);
        }
        if broken_lists > 0 {
            let delay = retry_delay(broken_lists - 1);
            self.request_refresh(Refresh::Queue(queue.clone()), now.at + delay);
        }
        let is_resync = self.resyncing.take_if(|resyncing| *resyncing == queue);
        if is_resync.is_some() || self.resyncing_all {
            self.metrics.resyncs.inc();
            // What an event has pointed at already is no drift.
            let differences = differences.into_iter();
            let untold = differences.filter(|d| !self.pending.covers(&queue, &d.interface));
            self.possible_drift.add(&queue, untold.collect(), now.at);
        }
        if is_first {
            for (what, member) in &changed {
                self.memberships.record(&queue, *what, member);
            }
            self.change_log.push(StateChange::Queue { queue });
        } else {
            self.record(&queue, changed);
        }
    }

    fn apply_member_row(&mut self, listed: &Queue, interface: &str, asked: Instant, now: Now) {
        let clock_offset = self.clock.offset_seconds();
        let Some(entry) = self.entries.get_mut(&listed.name.to_ascii_lowercase()) else {
            return;
        };
        let name: QueueName = entry.name.clone();
        let Some(member) = listed.member(interface) else {
            // Gone, or spelled otherwise: Asterisk's filter heeds case.
            if entry.reported(interface).is_some() || entry.has_overlay(interface) {
                self.request_refresh(Refresh::Queue(name), now.at);
            }
            return;
        };
        let overdue = entry.expire_overdue(Some(interface), asked);
        self.metrics.overlays_overdue.inc_by(overdue);
        if overdue > 0
            && entry.has_events(interface)
            && let Some(since) = asked.checked_sub(EVENT_WAIT)
        {
            // Asterisk speaks, and has not announced the bridge's own change.
            self.event_delivery.unannounced(since);
        }
        let changed = entry.apply_member_row(member, asked, clock_offset);
        self.record(&name, changed);
    }
}
