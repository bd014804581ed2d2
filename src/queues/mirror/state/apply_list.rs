//! Applies lists. A list replaces the mirror's state of the listed queues and members.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::apply_member_list::MemberList;
use super::overlay::EVENT_TIMEOUT;
use super::reported::Difference;
use super::timekeeping::rules_of;
use super::{Mirror, MirroredQueue, Now, Refresh, StateChange};
use crate::ami::Reply;
use crate::queues::decode::{self, QueueList};
use crate::queues::model::Queue;
use crate::queues::name::QueueName;
use crate::queues::queries::NOBODY;

/// Returns the delay before a list with missing rows is queried again. `incomplete_lists` is
/// the number of consecutive incomplete lists before this list.
fn retry_delay(incomplete_lists: u32) -> Duration {
    Duration::from_secs(1 << incomplete_lists.min(6))
}

impl Mirror {
    /// Applies a list of a queue, or of all queues if `queue` is `None`. `member` is the query's
    /// member filter: an interface, [`NOBODY`] for no members, or `None` for all members.
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

    fn all_queues_listed(
        &mut self,
        queues: &[Queue],
        is_complete: bool,
        queried_at: Instant,
        now: Now,
    ) {
        for listed in queues {
            self.apply_statistics(listed, queried_at);
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
            |name| {
                configured
                    .iter()
                    .any(|listed| listed.eq_ignore_ascii_case(name))
            },
            now.at,
        );
        self.remove_missing(|name| names.contains(name), now);
        self.check_configured(now);
    }

    /// Applies the members in a list of all queues. Depending on the filter `member`, the list
    /// has all members, one member in each of the member's queues, or no members.
    fn all_members_listed(
        &mut self,
        queues: &[Queue],
        member: Option<&str>,
        is_complete: bool,
        queried_at: Instant,
        now: Now,
    ) {
        match member {
            None => {
                self.pending.answered_by_full_list(queried_at);
                self.resyncing_all = self.resyncing.take().is_some();
                for listed in queues {
                    self.apply_member_list(listed, is_complete, queried_at, now);
                }
                self.resyncing_all = false;
            }
            Some(NOBODY) => {}
            Some(interface) => {
                self.pending.answered_by_member_list(interface, queried_at);
                for listed in queues {
                    self.apply_member_row(listed, interface, queried_at, now);
                }
            }
        }
        for listed in queues {
            self.refresh_outdated_members(&listed.name, now);
        }
    }

    fn apply_statistics(&mut self, listed: &Queue, queried_at: Instant) {
        let Some(queue) = self.queue_mut(&listed.name) else {
            let key = listed.name.to_ascii_lowercase();
            let mut queue = MirroredQueue::new(listed.clone(), queried_at);
            queue.rules = rules_of(&self.rules, &queue.name);
            self.queues.insert(key, queue);
            self.names_version += 1;
            return;
        };
        let is_respelled = queue.name != listed.name;
        let (settings_differ, statistics_differ) = queue.apply_statistics(listed, queried_at);
        let queue = queue.name.clone();
        self.names_version += u64::from(is_respelled);
        if settings_differ {
            self.change_log.push(StateChange::Queue { queue });
        } else if statistics_differ {
            self.change_log.push(StateChange::Statistics { queue });
        }
    }

    fn apply_member_list(
        &mut self,
        listed: &Queue,
        is_complete: bool,
        queried_at: Instant,
        now: Now,
    ) {
        let clock_offset = self.clock.offset_seconds();
        let Some((queue, mut context)) = self.queue_and_context(&listed.name, now) else {
            return;
        };
        let name = queue.name.clone();
        let overdue = queue.expire_overlays(None, queried_at);
        let is_first = queue.is_new();
        let list = MemberList {
            members: &listed.members,
            is_complete,
            queried_at,
            clock_offset,
        };
        let listed_before = queue.listed_in_full_at.replace(queried_at);
        let (changed, differences) = queue.apply_member_list(list, &mut context);
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
        self.record_resync(&name, differences, now);
        if is_first {
            let queue = name.clone();
            self.change_log.push(StateChange::Queue { queue });
            self.plan_touched(now);
        } else {
            self.record(&name, changed, now);
        }
        if is_complete && !self.timed_pauses.is_empty() {
            self.forget_timed_pauses_of_nonmembers(&name, now);
        }
    }

    /// If the list answers a resync, counts the resync and records its differences as possible
    /// drift. Ignores members for which a refresh is already pending.
    fn record_resync(&mut self, queue: &QueueName, differences: Vec<Difference>, now: Now) {
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

    fn apply_member_row(&mut self, listed: &Queue, interface: &str, queried_at: Instant, now: Now) {
        let clock_offset = self.clock.offset_seconds();
        let Some((queue, mut context)) = self.queue_and_context(&listed.name, now) else {
            return;
        };
        let name = queue.name.clone();
        let Some(member) = listed.member(interface) else {
            // Asterisk's filter is case-sensitive, so the member is either gone or spelled
            // differently.
            if queue.reported(interface).is_some() || queue.has_overlay(interface) {
                self.request_refresh(Refresh::Queue(name), now.at);
            }
            return;
        };
        let overdue = queue.expire_overlays(Some(interface), queried_at);
        let has_events = queue.has_events(interface);
        let changed = queue.apply_member_row(member, queried_at, clock_offset, &mut context);
        self.metrics.overlays_overdue.inc_by(overdue);
        if overdue > 0
            && has_events
            && let Some(since) = queried_at.checked_sub(EVENT_TIMEOUT)
        {
            // Asterisk answers queries, but has not sent the event for the bridge's change.
            self.event_delivery.event_overdue(since);
        }
        self.record(&name, changed, now);
    }
}
