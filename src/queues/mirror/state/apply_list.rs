//! Applies lists: a list replaces what it lists.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::apply_member_list::MemberList;
use super::overlay::EVENT_TIMEOUT;
use super::reported::Difference;
use super::{Mirror, MirroredQueue, Now, Refresh, StateChange};
use crate::ami::Reply;
use crate::queues::decode::{self, QueueList};
use crate::queues::model::Queue;
use crate::queues::name::QueueName;
use crate::queues::queries::NOBODY;

/// Delay before a list with missing rows is queried again, after this many such lists in
/// a row.
fn retry_delay(incomplete_lists: u32) -> Duration {
    Duration::from_secs(1 << incomplete_lists.min(6))
}

impl Mirror {
    /// Applies a list of a queue, or of all queues. `member` was the query's filter: all
    /// members, one, or none ([`NOBODY`]).
    pub(super) fn list_received(
        &mut self,
        queue: Option<&str>,
        member: Option<&str>,
        reply: &Reply,
        now: Now,
    ) {
        let QueueList {
            mut queues,
            is_complete,
            unusable_names,
        } = decode::queue_list(reply);
        let Some(name) = queue else {
            self.unusable_names = unusable_names;
            self.all_queues_listed(&queues, is_complete, reply.sent_at, now);
            return self.all_members_listed(&queues, member, is_complete, reply.sent_at, now);
        };
        let Some(listed) = queues.pop() else {
            if is_complete {
                let name = name.to_ascii_lowercase();
                self.remove_missing(|other| other != name, now);
            }
            return;
        };
        self.apply_statistics(&listed, reply.sent_at);
        match member {
            None => self.apply_member_list(&listed, is_complete, reply.sent_at, now),
            Some(NOBODY) => {}
            Some(interface) => self.apply_member_row(&listed, interface, reply.sent_at, now),
        }
        self.refresh_outdated_members(name, now);
    }

    /// Requests a list of the queue's members if they were never listed or have changed
    /// without an event.
    fn refresh_outdated_members(&mut self, queue: &str, now: Now) {
        let queue = self.queue(queue);
        let outdated = queue.filter(|queue| queue.is_new() || queue.members_outdated);
        if let Some(name) = outdated.map(|queue| queue.name.clone()) {
            self.request_refresh(Refresh::Queue(name), now.at);
        }
    }

    fn all_queues_listed(&mut self, queues: &[Queue], is_complete: bool, asked: Instant, now: Now) {
        for listed in queues {
            self.apply_statistics(listed, asked);
        }
        if !is_complete {
            let delay = retry_delay(self.incomplete_lists);
            self.incomplete_lists += 1;
            return self.request_refresh(Refresh::Queues, now.at + delay);
        }
        self.incomplete_lists = 0;
        let names: HashSet<_> = queues.iter().map(|q| q.name.to_ascii_lowercase()).collect();
        let configured = &self.configured;
        self.vanished.all_queues_listed(
            |name| names.contains(&name.to_ascii_lowercase()),
            |name| configured.iter().any(|own| own.eq_ignore_ascii_case(name)),
            now.at,
        );
        self.remove_missing(|name| names.contains(name), now);
        self.check_configured(now);
    }

    /// Applies the members in a list of all queues: all members, or one in each of its
    /// queues.
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
                self.pending.answered_by_full_list(asked);
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
        let Some(queue) = self.queue_mut(&listed.name) else {
            let key = listed.name.to_ascii_lowercase();
            let queue = MirroredQueue::new(listed.clone(), asked);
            self.queues.insert(key, queue);
            self.names_version += 1;
            return;
        };
        let is_respelled = queue.name != listed.name;
        let (settings_differ, statistics_differ) = queue.apply_statistics(listed, asked);
        let queue = queue.name.clone();
        self.names_version += u64::from(is_respelled);
        if settings_differ {
            self.change_log.push(StateChange::Queue { queue });
        } else if statistics_differ {
            self.change_log.push(StateChange::Statistics { queue });
        }
    }

    fn apply_member_list(&mut self, listed: &Queue, is_complete: bool, asked: Instant, now: Now) {
        let clock_offset = self.clock.offset_seconds();
        let Some(queue) = self.queue_mut(&listed.name) else {
            return;
        };
        let name = queue.name.clone();
        let overdue = queue.expire_overlays(None, asked);
        let is_first = queue.is_new();
        let list = MemberList {
            members: &listed.members,
            is_complete,
            asked,
            clock_offset,
        };
        let listed_before = queue.listed_in_full_at.replace(asked);
        let (changed, differences) = queue.apply_member_list(list, now);
        queue.incomplete_lists = if is_complete {
            0
        } else {
            queue.incomplete_lists + 1
        };
        let incomplete_lists = queue.incomplete_lists;
        self.metrics.overlays_overdue.inc_by(overdue);
        self.vanished.all_members_listed(listed, now.at);
        if self.is_unexpected(listed_before) {
            let vanished = differences.iter().filter(|found| found.has_vanished);
            let vanished = vanished.map(|found| Arc::clone(&found.interface));
            self.vanished
                .members_vanished(&name, vanished.collect(), now.at);
        }
        if incomplete_lists > 0 {
            let delay = retry_delay(incomplete_lists - 1);
            self.request_refresh(Refresh::Queue(name.clone()), now.at + delay);
        }
        self.note_resync(&name, differences, now);
        if is_first {
            for (change, member) in &changed {
                self.memberships.member_changed(&name, *change, member);
            }
            self.change_log.push(StateChange::Queue { queue: name });
        } else {
            self.record(&name, changed);
        }
    }

    /// Counts a resync and its differences, if the list answers one. A difference does not
    /// count as drift if an event has already made the member uncertain.
    fn note_resync(&mut self, queue: &QueueName, differences: Vec<Difference>, now: Now) {
        let is_resync = self.resyncing.take_if(|resyncing| resyncing == queue);
        if is_resync.is_none() && !self.resyncing_all {
            return;
        }
        self.metrics.resyncs.inc();
        let differences = differences.into_iter();
        let unexplained = differences.filter(|d| !self.pending.covers(queue, &d.interface));
        let unexplained = unexplained.collect();
        self.possible_drift.add(queue, unexplained, now.at);
    }

    fn apply_member_row(&mut self, listed: &Queue, interface: &str, asked: Instant, now: Now) {
        let clock_offset = self.clock.offset_seconds();
        let Some(queue) = self.queue_mut(&listed.name) else {
            return;
        };
        let name = queue.name.clone();
        let Some(member) = listed.member(interface) else {
            // The member is gone or is spelled differently, because Asterisk's filter is
            // case-sensitive.
            if queue.reported(interface).is_some() || queue.has_overlay(interface) {
                self.request_refresh(Refresh::Queue(name), now.at);
            }
            return;
        };
        let overdue = queue.expire_overlays(Some(interface), asked);
        let has_events = queue.has_events(interface);
        let changed = queue.apply_member_row(member, asked, clock_offset);
        self.metrics.overlays_overdue.inc_by(overdue);
        if overdue > 0
            && has_events
            && let Some(since) = asked.checked_sub(EVENT_TIMEOUT)
        {
            // Asterisk answers, but has not reported the bridge's own change.
            self.event_delivery.unannounced(since);
        }
        self.record(&name, changed);
    }
}
