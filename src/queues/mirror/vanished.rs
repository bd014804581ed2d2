//! What has vanished from Asterisk's lists although nothing has explained why.
//!
//! A realtime database that is locked for a moment makes Asterisk answer as if its
//! queues and members did not exist, and nothing announces that they do again. So what
//! has vanished is asked about again: soon, and then at growing intervals.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;

use super::pending_refreshes::Refresh;
use crate::queues::model::Queue;
use crate::queues::name::QueueName;

/// When to ask again for the first time. Each further interval is half as long again.
const FIRST_DELAY: Duration = Duration::from_millis(700);

/// The longest interval. After it, the periodic resync is enough.
const LONGEST_DELAY: Duration = Duration::from_secs(40);

/// What has vanished.
#[derive(Debug, Default)]
pub(super) struct VanishedChecks {
    queues: Vec<Check<String>>,
    members: Vec<Check<(QueueName, Vec<Arc<str>>)>>,
}

#[derive(Debug)]
struct Check<T> {
    about: T,
    since: Instant,
    /// When to ask; `None` when only the periodic resync still asks.
    next: Option<Instant>,
    delay: Duration,
    logged: bool,
}

impl<T> Check<T> {
    fn new(about: T, now: Instant) -> Self {
        Self {
            about,
            since: now,
            next: Some(now + FIRST_DELAY),
            delay: FIRST_DELAY,
            logged: false,
        }
    }

    /// Whether to ask now. If so, the next time is set.
    fn is_due(&mut self, now: Instant) -> bool {
        let is_due = self.next.is_some_and(|next| next <= now);
        if is_due {
            self.delay = self.delay * 3 / 2;
            self.next = (self.delay <= LONGEST_DELAY).then(|| now + self.delay);
        }
        is_due
    }

    /// Whether it is time to log that this is still missing: once, and not before
    /// Asterisk was asked again.
    fn log_is_due(&mut self, now: Instant) -> bool {
        let is_first = !self.logged && now >= self.since + FIRST_DELAY;
        self.logged |= is_first;
        is_first
    }

    fn missing_ms(&self, now: Instant) -> u64 {
        (now - self.since).as_millis() as u64
    }
}

impl VanishedChecks {
    /// Adds a queue that is not in a list of all queues any more, or was never in one
    /// although the configuration names it.
    pub(super) fn queue_vanished(&mut self, queue: &str, now: Instant) {
        let is_known = |doubt: &Check<String>| doubt.about.eq_ignore_ascii_case(queue);
        if !self.queues.iter().any(is_known) {
            self.queues.push(Check::new(queue.to_owned(), now));
        }
    }

    /// Adds members that are not in a list of their queue any more.
    pub(super) fn members_vanished(
        &mut self,
        queue: &QueueName,
        gone: Vec<Arc<str>>,
        now: Instant,
    ) {
        if !gone.is_empty() {
            self.members.push(Check::new((queue.clone(), gone), now));
        }
    }

    /// A queue has vanished, and its members with it.
    pub(super) fn queue_removed(&mut self, queue: &str) {
        self.members
            .retain(|doubt| !doubt.about.0.eq_ignore_ascii_case(queue));
    }

    /// An event explains where a member is.
    pub(super) fn explain(&mut self, queue: &str, interface: &str) {
        for doubt in &mut self.members {
            let (name, interfaces) = &mut doubt.about;
            if name.eq_ignore_ascii_case(queue) {
                interfaces.retain(|vanished| !vanished.eq_ignore_ascii_case(interface));
            }
        }
        self.members.retain(|doubt| !doubt.about.1.is_empty());
    }

    /// All queues were listed. Queues that the configuration names stay in doubt.
    pub(super) fn all_queues_listed(
        &mut self,
        exists: impl Fn(&str) -> bool,
        is_configured: impl Fn(&str) -> bool,
        now: Instant,
    ) {
        self.queues.retain_mut(|doubt| {
            if exists(&doubt.about) {
                warn!(
                    queue = doubt.about,
                    missing_ms = doubt.missing_ms(now),
                    "a queue that was missing is listed again"
                );
                return false;
            }
            if doubt.log_is_due(now) {
                warn!(
                    queue = doubt.about,
                    "Asterisk does not list this queue, which it did before or which the \
                     configuration names; asking again"
                );
            }
            doubt.next.is_some() || is_configured(&doubt.about)
        });
    }

    /// All members of a queue were listed.
    pub(super) fn all_members_listed(&mut self, queue: &Queue, now: Instant) {
        self.members.retain_mut(|doubt| {
            let missing_ms = doubt.missing_ms(now);
            let (name, interfaces) = &mut doubt.about;
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
                    "members that were missing are listed again"
                );
            }
            if interfaces.is_empty() {
                return false;
            }
            if doubt.log_is_due(now) {
                let (name, interfaces) = &doubt.about;
                warn!(
                    queue = name.as_str(),
                    members = ?interfaces,
                    "Asterisk does not list these members any more, and no event announced \
                     their removal; asking again"
                );
            }
            doubt.next.is_some()
        });
    }

    /// What to ask now. Nothing is asked twice for the same moment.
    pub(super) fn take(&mut self, now: Instant) -> Option<Refresh> {
        // One list answers for all queues.
        let due = self
            .queues
            .iter_mut()
            .filter_map(|doubt| doubt.is_due(now).then_some(()));
        if due.count() > 0 {
            return Some(Refresh::Queues);
        }
        let due = self.members.iter_mut().find_map(|doubt| {
            let is_due = doubt.is_due(now);
            is_due.then(|| doubt.about.0.clone())
        })?;
        Some(Refresh::Queue(due))
    }

    /// When there is something to ask.
    pub(super) fn next(&self) -> Option<Instant> {
        let queues = self.queues.iter().filter_map(|doubt| doubt.next);
        let members = self.members.iter().filter_map(|doubt| doubt.next);
        queues.chain(members).min()
    }

    /// Something explains all of it: a reload, a new link.
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
        let answer = crate::ami::Reply {
            response: message("Response: Success\r\n".to_owned()),
            rows: rows.map(message).collect(),
            is_complete: true,
            sent_at: Instant::now(),
        };
        crate::queues::decode::listed(&answer).queues.remove(0)
    }

    #[test]
    fn what_has_vanished_is_asked_about_soon_and_then_less_often() {
        let start = Instant::now();
        let mut vanished = VanishedChecks::default();
        vanished.queue_vanished("Support", start);
        vanished.queue_vanished("support", start);
        let mut now = start;
        let mut delays = Vec::new();
        while let Some(next) = vanished.next() {
            assert_eq!(vanished.take(now), None);
            delays.push((next - now).as_secs_f32());
            now = next;
            assert_eq!(vanished.take(now), Some(Refresh::Queues));
            // However often it is listed meanwhile.
            for _ in 0..3 {
                vanished.all_queues_listed(|_| false, |_| true, now);
            }
            assert_eq!(vanished.take(now), None);
        }
        assert_eq!(delays[..3], [0.7, 1.05, 1.575]);
        assert_eq!(delays.len(), 10, "{delays:?}");
        assert!(delays[9] < LONGEST_DELAY.as_secs_f32());
        // What the configuration names stays in doubt, and nothing else.
        vanished.all_queues_listed(|_| false, |_| true, now);
        assert_eq!(vanished.queues.len(), 1);
        vanished.all_queues_listed(|_| false, |_| false, now);
        assert_eq!(vanished.queues.len(), 0);
    }

    #[test]
    fn members_are_asked_about_until_they_are_listed_or_explained() {
        let now = Instant::now();
        let later = now + FIRST_DELAY;
        let queue = QueueName::listed("Support");
        let gone = || vec!["PJSIP/1001".into(), "PJSIP/1002".into()];
        let refresh = Some(Refresh::Queue(queue.clone()));
        let mut vanished = VanishedChecks::default();
        vanished.members_vanished(&queue, gone(), now);
        vanished.explain("support", "pjsip/1001");
        assert_eq!(
            (vanished.take(now), vanished.take(later)),
            (None, refresh.clone())
        );
        vanished.explain("support", "PJSIP/1002");
        assert_eq!(vanished.next(), None);

        vanished.members_vanished(&queue, gone(), now);
        vanished.all_members_listed(&listed("SUPPORT", &["PJSIP/1001"]), later);
        assert_eq!(
            (vanished.take(later), vanished.take(later)),
            (refresh, None)
        );
        vanished.all_members_listed(&listed("support", &["PJSIP/1002"]), later);
        assert_eq!(vanished.next(), None);

        // Nobody is left to ask about.
        vanished.members_vanished(&queue, gone(), now);
        vanished.queue_removed("SUPPORT");
        assert_eq!(vanished.next(), None);
    }
}
