//! Reads from the mirror.

use std::sync::Arc;

use tokio::time::Instant;

use super::pbx::Pbx;
use super::read_request::ReadRequest;
use super::state::MirroredQueue;
use crate::queues::error::QueueError;
use crate::queues::model::Queue;
use crate::queues::queries::Snapshot;
use crate::wall_clock;

impl Pbx {
    /// Reads queues with their members. If the request has no names, reads the queues for
    /// which `is_selected` returns true. Callers and statistics may be outdated.
    ///
    /// # Errors
    /// Returns `Failure::Unavailable` if the link is down and stale reads are not allowed, or if
    /// the mirror is not loaded before the deadline. Any other [`QueueError`] comes from a query.
    pub async fn members(
        &self,
        request: ReadRequest<'_>,
        is_selected: impl Fn(&str) -> bool,
    ) -> Result<Snapshot, QueueError> {
        let stale = self.prepare(request, &is_selected).await?;
        Ok(self.store.read_current(|mirror, now| {
            let queues = mirror.selected(request.names, is_selected);
            let listed = queues.iter().filter_map(|queue| queue.listed_in_full_at);
            let oldest = listed.min().filter(|_| request.fresh);
            let as_of = oldest.unwrap_or(mirror.last_received());
            let queues = queues.into_iter().map(|queue| Arc::clone(queue.queue()));
            Snapshot {
                queues: queues.collect(),
                as_of: wall_clock::event_time(as_of.elapsed()),
                stale,
                latest: mirror.latest_change(),
                now,
            }
        }))
    }

    /// Reads queues with members, callers and statistics. First queries Asterisk for callers
    /// and statistics that have changed or are older than a second. Concurrent reads share the
    /// reply to this query.
    ///
    /// # Errors
    /// The errors of [`Self::members`].
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
            let queues = mirror.selected(request.names, is_selected);
            let oldest = queues.iter().map(|queue| queue.statistics_at).min();
            let queues = queues
                .into_iter()
                .map(|queue| with_current_waits(queue, instant));
            Snapshot {
                queues: queues.collect(),
                as_of: wall_clock::event_time(oldest.unwrap_or(instant).elapsed()),
                stale,
                latest: mirror.latest_change(),
                now,
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
