//! Checks for queues and members that have vanished from Asterisk's lists unexpectedly.
//!
//! While a realtime database is locked, Asterisk replies as if the database's queues and members
//! did not exist. No event reports their return. The bridge therefore queries Asterisk again:
//! soon after they vanish, and then at increasing intervals.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;

use super::pending_refreshes::Refresh;
use crate::queues::model::Queue;
use crate::queues::name::QueueName;

/// Delay of the first query. Each further delay is 1.5 times as long.
const FIRST_DELAY: Duration = Duration::from_millis(700);

/// The longest delay. After this delay, only the periodic resync still queries Asterisk.
const LONGEST_DELAY: Duration = Duration::from_secs(40);

/// The queues and members that have vanished.
#[derive(Debug, Default)]
pub(super) struct VanishedChecks {
    queues: Vec<Check<String>>,
    members: Vec<Check<VanishedMembers>>,
}

#[derive(Debug)]
struct VanishedMembers {
    queue: QueueName,
    interfaces: Vec<Arc<str>>,
}

/// A vanished queue or the vanished members of a queue, with the schedule of queries.
#[derive(Debug)]
struct Check<T> {
    subject: T,
    since: Instant,
    /// When the next query is due; `None` if only the periodic resync still queries.
    next: Option<Instant>,
    delay: Duration,
    is_logged: bool,
}

impl<T> Check<T> {
    fn new(subject: T, now: Instant) -> Self {
        Self {
            subject,
            since: now,
            next: Some(now + FIRST_DELAY),
            delay: FIRST_DELAY,
            is_logged: false,
        }
    }

    /// Returns whether a query is due. If it is, schedules the next query.
    fn take_query_due(&mut self, now: Instant) -> bool {
        let is_due = self.next.is_some_and(|next| next <= now);
        if is_due {
            self.delay = self.delay * 3 / 2;
            self.next = (self.delay <= LONGEST_DELAY).then(|| now + self.delay);
        }
        is_due
    }

    /// Returns whether to log that the subject is missing. Returns true only once, and only
    /// after Asterisk was queried again.
    fn take_log_due(&mut self, now: Instant) -> bool {
        let is_first = !self.is_logged && now >= self.since + FIRST_DELAY;
        self.is_logged |= is_first;
        is_first
    }

    fn missing_ms(&self, now: Instant) -> u64 {
        (now - self.since).as_millis() as u64
    }
}

impl VanishedChecks {
    /// Adds a check for a queue that Asterisk no longer lists, or that is configured but was
    /// never listed.
    pub(super) fn queue_vanished(&mut self, queue: &str, now: Instant) {
        let is_known = |check: &Check<String>| check.subject.eq_ignore_ascii_case(queue);
        if !self.queues.iter().any(is_known) {
            self.queues.push(Check::new(queue.to_owned(), now));
        }
    }

    /// Adds a check for members that are no longer in their queue's list.
    pub(super) fn members_vanished(
        &mut self,
        queue: &QueueName,
        interfaces: Vec<Arc<str>>,
        now: Instant,
    ) {
        if !interfaces.is_empty() {
            let queue = queue.clone();
            let members = VanishedMembers { queue, interfaces };
            self.members.push(Check::new(members, now));
        }
    }

    /// Removes the checks for a queue's members, because the queue was removed.
    pub(super) fn queue_removed(&mut self, queue: &str) {
        let is_other = |name: &QueueName| !name.eq_ignore_ascii_case(queue);
        self.members.retain(|check| is_other(&check.subject.queue));
    }

    /// Removes a member from the checks, because an event has reported the member.
    pub(super) fn member_reported(&mut self, queue: &str, interface: &str) {
        for check in &mut self.members {
            let members = &mut check.subject;
            if members.queue.eq_ignore_ascii_case(queue) {
                let is_other = |vanished: &Arc<str>| !vanished.eq_ignore_ascii_case(interface);
                members.interfaces.retain(is_other);
            }
        }
        self.members
            .retain(|check| !check.subject.interfaces.is_empty());
    }

    /// Updates the checks for queues after a list of all queues. Configured queues remain in
    /// the checks until Asterisk lists them.
    pub(super) fn all_queues_listed(
        &mut self,
        exists: impl Fn(&str) -> bool,
        is_configured: impl Fn(&str) -> bool,
        now: Instant,
    ) {
        self.queues.retain_mut(|check| {
            if exists(&check.subject) {
                warn!(
                    queue = check.subject,
                    missing_ms = check.missing_ms(now),
                    "a missing queue is listed again"
                );
                return false;
            }
            if check.take_log_due(now) {
                warn!(
                    queue = check.subject,
                    "Asterisk does not list this queue, although it did before or the \
                     configuration names it; querying again"
                );
            }
            check.next.is_some() || is_configured(&check.subject)
        });
    }

    /// Updates the checks for a queue's members after a list of all its members.
    pub(super) fn all_members_listed(&mut self, queue: &Queue, now: Instant) {
        self.members.retain_mut(|check| {
            let missing_ms = check.missing_ms(now);
            let VanishedMembers {
                queue: name,
                interfaces,
            } = &mut check.subject;
            if !name.eq_ignore_ascii_case(&queue.name) {
                return true;
            }
            let before = interfaces.len();
            interfaces.retain(|interface| queue.member(interface).is_none());
            let returned = before - interfaces.len();
            if returned > 0 {
                warn!(
                    queue = name.as_str(),
                    members = returned,
                    missing_ms,
                    "missing members are listed again"
                );
            }
            if interfaces.is_empty() {
                return false;
            }
            if check.take_log_due(now) {
                warn!(
                    queue = check.subject.queue.as_str(),
                    members = ?check.subject.interfaces,
                    "Asterisk no longer lists these members, and no event reported their \
                     removal; querying again"
                );
            }
            check.next.is_some()
        });
    }

    /// Takes the next query that is due.
    pub(super) fn take(&mut self, now: Instant) -> Option<Refresh> {
        // One list answers the checks for all queues, so schedule every queue's next query.
        let due = self
            .queues
            .iter_mut()
            .filter_map(|check| check.take_query_due(now).then_some(()));
        if due.count() > 0 {
            return Some(Refresh::Queues);
        }
        let due = self.members.iter_mut().find_map(|check| {
            let is_due = check.take_query_due(now);
            is_due.then(|| check.subject.queue.clone())
        })?;
        Some(Refresh::Queue(due))
    }

    /// Returns the time at which the next query is due.
    pub(super) fn next(&self) -> Option<Instant> {
        let queues = self.queues.iter().filter_map(|check| check.next);
        let members = self.members.iter().filter_map(|check| check.next);
        queues.chain(members).min()
    }

    /// Removes all checks, because a reload or a new link explains the missing queues and
    /// members.
    pub(super) fn clear(&mut self) {
        self.queues.clear();
        self.members.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(queue: &str, interfaces: &[&str]) -> Queue {
        let row = |interface: &&str| {
            format!("Event: QueueMember\r\nLocation: {interface}\r\nStatus: 1\r\nPaused: 0\r\n")
        };
        let rows = interfaces.iter().map(row);
        let params = format!("Event: QueueParams\r\nQueue: {queue}\r\n");
        let rows = std::iter::once(params).chain(rows);
        let message = |text: String| crate::ami::Message::parse(text.into_bytes().into());
        let reply = crate::ami::Reply {
            response: message("Response: Success\r\n".to_owned()),
            rows: rows.map(message).collect(),
            is_complete: true,
            sent_at: Instant::now(),
        };
        crate::queues::decode::queue_list(&reply).queues.remove(0)
    }

    #[test]
    fn vanished_queue_is_queried_soon_and_then_less_often() {
        let start = Instant::now();
        let mut checks = VanishedChecks::default();
        checks.queue_vanished("Support", start);
        checks.queue_vanished("support", start);
        let mut now = start;
        let mut delays = Vec::new();
        while let Some(next) = checks.next() {
            assert_eq!(checks.take(now), None);
            delays.push((next - now).as_secs_f32());
            now = next;
            assert_eq!(checks.take(now), Some(Refresh::Queues));
            // Lists that arrive before the next query is due don't add a query.
            for _ in 0..3 {
                checks.all_queues_listed(|_| false, |_| true, now);
            }
            assert_eq!(checks.take(now), None);
        }
        assert_eq!(delays[..3], [0.7, 1.05, 1.575]);
        assert_eq!(delays.len(), 10, "{delays:?}");
        assert!(delays[9] < LONGEST_DELAY.as_secs_f32());
        // Only configured queues are still checked.
        checks.all_queues_listed(|_| false, |_| true, now);
        assert_eq!(checks.queues.len(), 1);
        checks.all_queues_listed(|_| false, |_| false, now);
        assert_eq!(checks.queues.len(), 0);
    }

    #[test]
    fn vanished_members_are_queried_until_they_are_listed_or_reported() {
        let now = Instant::now();
        let later = now + FIRST_DELAY;
        let queue = QueueName::from_list("Support");
        let gone = || vec!["PJSIP/1001".into(), "PJSIP/1002".into()];
        let refresh = Some(Refresh::Queue(queue.clone()));
        let mut checks = VanishedChecks::default();
        checks.members_vanished(&queue, gone(), now);
        checks.member_reported("support", "pjsip/1001");
        assert_eq!(
            (checks.take(now), checks.take(later)),
            (None, refresh.clone())
        );
        checks.member_reported("support", "PJSIP/1002");
        assert_eq!(checks.next(), None);

        checks.members_vanished(&queue, gone(), now);
        checks.all_members_listed(&listed("SUPPORT", &["PJSIP/1001"]), later);
        assert_eq!((checks.take(later), checks.take(later)), (refresh, None));
        checks.all_members_listed(&listed("support", &["PJSIP/1002"]), later);
        assert_eq!(checks.next(), None);

        // The queue was removed, so its members are no longer checked.
        checks.members_vanished(&queue, gone(), now);
        checks.queue_removed("SUPPORT");
        assert_eq!(checks.next(), None);
    }
}
