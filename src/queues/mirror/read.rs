//! Reads from the mirror.

use std::sync::Arc;

use tokio::time::Instant;

use super::pbx::Pbx;
use super::read_request::ReadRequest;
use super::state::{Mirror, MirroredQueue};
use crate::queues::error::QueueError;
use crate::queues::model::Queue;
use crate::queues::name::QueueName;
use crate::queues::queries::{MembershipSnapshot, ReadState, Snapshot};
use crate::wall_clock;

impl Pbx {
    /// Reads the memberships of these interfaces in the named queues. If the request has no names,
    /// reads those in the queues for which `is_selected` returns true. Unless the read is `fresh`,
    /// its cost depends only on the numbers of the interfaces' memberships and of named queues.
    ///
    /// # Errors
    /// Returns `Failure::Unavailable` if the link is down and stale reads are not allowed, or if
    /// the mirror is not loaded before the deadline. Any other [`QueueError`] comes from a query.
    pub async fn memberships(
        &self,
        request: ReadRequest<'_>,
        interfaces: &[String],
        is_selected: impl Fn(&str) -> bool,
    ) -> Result<MembershipSnapshot, QueueError> {
        let stale = self.prepare(request, &is_selected).await?;
        let is_requested = |queue: &QueueName| match request.names {
            Some(names) => names.iter().any(|name| name.eq_ignore_ascii_case(queue)),
            None => is_selected(queue),
        };
        Ok(self.store.read_current(|mirror, now| {
            let memberships = interfaces.iter().map(|interface| {
                let all = mirror.memberships_of(interface);
                let requested = all.filter(|(queue, _)| is_requested(queue));
                requested
                    .map(|(queue, member)| (queue.clone(), Arc::clone(member)))
                    .collect()
            });
            let names = request.names.unwrap_or_default();
            let oldest = request.fresh.then(|| {
                let queues = mirror.selected(request, &is_selected).into_iter();
                queues.filter_map(|queue| queue.listed_in_full_at).min()
            });
            let as_of = oldest.flatten().unwrap_or(mirror.last_received());
            MembershipSnapshot {
                memberships: memberships.collect(),
                missing: names.iter().position(|name| mirror.queue(name).is_none()),
                read: read_state(mirror, as_of, stale, now),
            }
        }))
    }

    /// Reads queues with members, callers and statistics. First queries Asterisk for callers
    /// and statistics that have changed or are older than a second. Concurrent reads share the
    /// reply to this query. If the request has no names, reads the queues for which `is_selected`
    /// returns true.
    ///
    /// # Errors
    /// The errors of [`Self::memberships`].
    pub async fn queues(
        &self,
        request: ReadRequest<'_>,
        is_selected: impl Fn(&str) -> bool + Copy,
    ) -> Result<Snapshot, QueueError> {
        let stale = self.prepare(request, &is_selected).await?;
        if !stale && !request.fresh {
            self.refresh_statistics(request, is_selected).await?;
        }
        let instant = Instant::now();
        Ok(self.store.read_current(|mirror, now| {
            let queues = mirror.selected(request, is_selected);
            let oldest = queues.iter().map(|queue| queue.statistics_at).min();
            let queues = queues
                .into_iter()
                .map(|queue| with_current_waits(queue, instant));
            Snapshot {
                queues: queues.collect(),
                read: read_state(mirror, oldest.unwrap_or(instant), stale, now),
            }
        }))
    }

    /// Returns a queue from the mirror without querying Asterisk, and the time at which its
    /// members have their states, in Unix milliseconds.
    #[must_use]
    pub fn queue(&self, name: &str) -> Option<(Arc<Queue>, i64)> {
        let instant = Instant::now();
        self.store.read_current(|mirror, now| {
            let queue = mirror.queue(name)?;
            Some((with_current_waits(queue, instant), now))
        })
    }
}

fn read_state(mirror: &Mirror, as_of: Instant, stale: bool, now: i64) -> ReadState {
    ReadState {
        as_of: wall_clock::event_time(as_of.elapsed()),
        stale,
        latest: mirror.latest_change(),
        now,
    }
}

/// Returns the queue with its callers' current waiting times.
fn with_current_waits(queue: &MirroredQueue, now: Instant) -> Arc<Queue> {
    let age = now.saturating_duration_since(queue.statistics_at).as_secs();
    let queue = queue.queue();
    if age == 0 || queue.callers.is_empty() {
        return Arc::clone(queue);
    }
    let mut callers = Vec::clone(&queue.callers);
    for caller in &mut callers {
        caller.wait_seconds += age;
    }
    Arc::new(Queue {
        callers: Arc::new(callers),
        ..Queue::clone(queue)
    })
}
