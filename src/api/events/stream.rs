//! An event stream: a snapshot, followed by an event for every change.
//!
//! A client that reconnects with its last position receives the changes that it missed. It
//! receives a new snapshot if the change log no longer contains them, or if its position
//! belongs to another stream.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use super::view::{StreamView, pbx_event, shutdown_event, snapshot_event};
use super::{StreamEvent, StreamPosition};
use crate::api::errors::ApiError;
use crate::organizations::Account;
use crate::queues::mirror::{Follower, StateChange};

/// Minimum interval between two batches of events. With many members, changes arrive
/// faster than anyone can read the statistics sent after them.
const BATCH_INTERVAL: Duration = Duration::from_millis(100);

/// How long to wait before retrying a failed snapshot.
const SNAPSHOT_RETRY_DELAY: Duration = Duration::from_secs(1);

/// An event stream.
pub struct EventStream {
    view: StreamView,
    follower: Follower,
    /// The number of the last change that was sent. All earlier changes were sent before it.
    last_sent: u64,
    /// The earliest time for the next batch.
    next_batch: Instant,
    /// The last link state that the client has received.
    connected: bool,
    /// Events to send before any others.
    first: Vec<StreamEvent>,
    /// Whether the next event must be a snapshot or report a link change.
    needs_snapshot: bool,
}

impl EventStream {
    /// Opens a stream. It continues after `position` if possible, and otherwise starts with a
    /// snapshot.
    ///
    /// # Errors
    /// Returns the read's error if the first snapshot can't be read.
    pub(in crate::api) async fn open(
        view: StreamView,
        position: Option<StreamPosition>,
    ) -> Result<Self, ApiError> {
        let mut stream = Self {
            follower: view.follow(),
            last_sent: 0,
            next_batch: Instant::now(),
            connected: true,
            first: Vec::new(),
            needs_snapshot: false,
            view,
        };
        let position = position.filter(|position| stream.view.includes(position));
        if position.and_then(|at| stream.resume(&at)).is_none() {
            stream.first = stream.snapshot(true).await?;
        }
        Ok(stream)
    }

    /// Continues after a position. Returns `None` if the change log no longer contains the
    /// changes after it.
    fn resume(&mut self, position: &StreamPosition) -> Option<()> {
        let number = position.change;
        let last_complete = number.checked_sub(u64::from(!position.is_complete))?;
        let (missed, _) = self.follower.since(last_complete)?;
        let mut missed = missed.iter().map(|(_, change)| change);
        let mut first = Vec::new();
        if !position.is_complete {
            // The client has received the member event, but not the queue event after it.
            let queue = missed.next()?.affects_statistics_of()?;
            first.extend(self.queue_event(number, queue));
        }
        self.last_sent = number;
        // If the missed changes contain no link change, the client may not know that the
        // PBX is down.
        let reports_link = missed.any(|change| matches!(change, StateChange::Link { .. }));
        if !reports_link && !self.view.pbx.is_live() {
            first.push(self.pbx_event(false));
        }
        self.first = first;
        Some(())
    }

    /// Waits for the next events.
    ///
    /// # Cancel safety
    /// No event is lost if the future is dropped.
    pub async fn next(&mut self) -> Vec<StreamEvent> {
        if !self.first.is_empty() {
            return std::mem::take(&mut self.first);
        }
        loop {
            if self.needs_snapshot {
                match self.snapshot(false).await {
                    Ok(events) => return events,
                    Err(_) if self.connected && !self.view.pbx.is_live() => {
                        return vec![self.pbx_event(false)];
                    }
                    Err(_) => sleep(SNAPSHOT_RETRY_DELAY).await,
                }
                continue;
            }
            self.follower.changed_since(self.last_sent).await;
            sleep_until(self.next_batch).await;
            let Some((changes, latest)) = self.follower.since(self.last_sent) else {
                self.view.pbx.metrics().dropped_to_snapshot.inc();
                self.needs_snapshot = true;
                continue;
            };
            self.last_sent = latest;
            let events = self.render_changes(&changes);
            if !events.is_empty() {
                self.next_batch = Instant::now() + BATCH_INTERVAL;
                return events;
            }
        }
    }

    /// Renders changes as events. After a change that requires a snapshot, renders only link
    /// changes.
    fn render_changes(&mut self, changes: &[(u64, StateChange)]) -> Vec<StreamEvent> {
        let mut events = Vec::new();
        // A `queue` event contains the current statistics, so one event after the last change
        // is enough for each queue.
        let affected = changes.iter().filter_map(|(number, change)| {
            let queue = change.affects_statistics_of()?;
            Some((queue, *number))
        });
        let last_change: HashMap<_, _> = affected.collect();
        for (number, change) in changes {
            let statistics_of = change.affects_statistics_of();
            let statistics_of = statistics_of.filter(|queue| last_change[queue] == *number);
            match change {
                StateChange::Link { connected } => {
                    self.connected = *connected;
                    // Skipped changes don't count as sent. The snapshot will include them.
                    let position = self.view.position(self.last_sent.min(*number), true);
                    events.push(pbx_event(position, *connected));
                }
                _ if self.needs_snapshot => {}
                StateChange::Queue { queue } => {
                    if self.view.number(queue).is_some() {
                        self.needs_snapshot = true;
                        self.last_sent = number - 1;
                    }
                }
                StateChange::Member {
                    queue,
                    change,
                    member,
                } => {
                    let Some(shown_number) = self.view.number(queue) else {
                        continue;
                    };
                    let position = self.view.position(*number, statistics_of.is_none());
                    let names = (queue.as_str(), shown_number.as_str());
                    events.extend(self.view.member_event(position, names, *change, member));
                    events.extend(statistics_of.and_then(|q| self.queue_event(*number, q)));
                }
                StateChange::Statistics { .. } => {
                    events.extend(statistics_of.and_then(|q| self.queue_event(*number, q)));
                }
            }
        }
        events
    }

    /// Reads a snapshot. The events for later changes follow it.
    async fn snapshot(&mut self, all_named: bool) -> Result<Vec<StreamEvent>, ApiError> {
        let (queues, read) = self.view.read(all_named).await?;
        let data = self.view.snapshot_data(queues, read.now).await?;
        self.last_sent = read.latest;
        self.needs_snapshot = false;
        let position = self.view.position(read.latest, true);
        let mut events = vec![snapshot_event(position, data)];
        if self.connected == read.stale {
            events.push(self.pbx_event(!read.stale));
        }
        Ok(events)
    }

    fn queue_event(&self, change: u64, queue: &str) -> Option<StreamEvent> {
        self.view
            .queue_event(self.view.position(change, true), queue)
    }

    fn pbx_event(&mut self, connected: bool) -> StreamEvent {
        self.connected = connected;
        pbx_event(self.view.position(self.last_sent, true), connected)
    }

    /// Returns the account that the stream belongs to. The stream must end with the account.
    #[must_use]
    pub fn account(&self) -> Arc<Account> {
        self.view.account()
    }

    /// Returns the final events of a stream that the daemon closes: the unsent events of the
    /// first batch, and then `shutdown`.
    #[must_use]
    pub fn shutdown(&mut self) -> Vec<StreamEvent> {
        let mut events = std::mem::take(&mut self.first);
        events.push(shutdown_event(self.view.position(self.last_sent, true)));
        events
    }
}
