//! Writes the event streams of a view in groups. All streams of a view have something to write at
//! the same time, so one task for many of them avoids most of the cost of waking tasks.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::delivery::Delivery;
use crate::api::ViewId;

/// Maximum number of streams in a group. Tokio lets a task write 128 times before it must yield, so
/// a batch to each stream of the group fits.
const MAX_STREAMS: usize = 64;

/// The groups of all views.
#[derive(Default)]
pub(super) struct DeliveryGroups {
    by_view: Mutex<HashMap<ViewId, Vec<Group>>>,
    /// Closes all connections when canceled.
    pub(super) abort: CancellationToken,
}

/// A group that accepts streams. A group without streams ends.
struct Group {
    streams: usize,
    added: UnboundedSender<Delivery>,
}

impl DeliveryGroups {
    /// Writes an event stream until it ends.
    pub(super) fn add(self: &Arc<Self>, delivery: Delivery) {
        let view = delivery.body.events.view();
        let mut by_view = self.lock();
        let groups = by_view.entry(view).or_default();
        // A task that has panicked leaves its group.
        groups.retain(|group| !group.added.is_closed());
        if let Some(group) = groups.iter_mut().find(|group| group.streams < MAX_STREAMS) {
            group.streams += 1;
            // The task runs as long as its group has streams.
            let _ = group.added.send(delivery);
            return;
        }
        let (added, receiver) = unbounded_channel();
        let task = GroupTask {
            groups: Arc::clone(self),
            view,
            added: added.clone(),
            receiver,
            changes: delivery.body.events.changes(),
        };
        let _ = added.send(delivery);
        groups.push(Group { streams: 1, added });
        tokio::spawn(task.run());
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ViewId, Vec<Group>>> {
        self.by_view.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes the streams of a group.
struct GroupTask {
    groups: Arc<DeliveryGroups>,
    view: ViewId,
    /// Identifies the group.
    added: UnboundedSender<Delivery>,
    receiver: UnboundedReceiver<Delivery>,
    changes: watch::Receiver<()>,
}

impl GroupTask {
    async fn run(mut self) {
        let abort = self.groups.abort.clone();
        tokio::select! {
            () = self.deliver() => {}
            () = abort.cancelled() => debug!("event streams aborted at shutdown"),
        }
    }

    /// Returns when all streams have ended.
    async fn deliver(&mut self) {
        let mut deliveries = Vec::new();
        loop {
            tokio::select! {
                // `changes` is polled before the streams, so a change while they are polled wakes
                // the task again.
                biased;
                Some(delivery) = self.receiver.recv() => deliveries.push(delivery),
                Ok(()) = self.changes.changed() => {}
                ended = poll_fn(|context| poll_all(&mut deliveries, context)) => {
                    if self.leave(ended) {
                        return;
                    }
                }
            }
        }
    }

    /// Subtracts streams that have ended from the number of streams. Returns whether none is left.
    /// In that case, the group accepts no more streams.
    fn leave(&self, ended: usize) -> bool {
        let mut by_view = self.groups.lock();
        let Some(groups) = by_view.get_mut(&self.view) else {
            return true;
        };
        let is_this = |group: &Group| group.added.same_channel(&self.added);
        let Some(index) = groups.iter().position(is_this) else {
            return true;
        };
        groups[index].streams -= ended;
        if groups[index].streams > 0 {
            return false;
        }
        groups.swap_remove(index);
        if groups.is_empty() {
            by_view.remove(&self.view);
        }
        true
    }
}

/// Writes as much of each stream as its connection accepts. Removes the streams that have ended,
/// and returns their number.
fn poll_all(deliveries: &mut Vec<Delivery>, context: &mut Context<'_>) -> Poll<usize> {
    let before = deliveries.len();
    deliveries.retain_mut(|delivery| delivery.poll(context).is_pending());
    match before - deliveries.len() {
        0 => Poll::Pending,
        ended => Poll::Ready(ended),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::super::testing::{TestStreams, read_to_end};
    use super::*;

    /// Returns the number of streams in each group.
    fn sizes(groups: &DeliveryGroups) -> Vec<usize> {
        let by_view = groups.lock();
        let groups = by_view.values().flatten();
        groups.map(|group| group.streams).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn groups_end_with_their_last_stream() {
        let streams = TestStreams::new();
        let groups = streams.groups();
        let mut clients: Vec<_> = (0..=2 * MAX_STREAMS).map(|_| streams.open(1024)).collect();
        assert_eq!(sizes(groups), [MAX_STREAMS, MAX_STREAMS, 1]);
        for client in &mut clients {
            client.read_u8().await.expect("the response");
        }
        // The bridge notices at the next heartbeat that the clients have disconnected.
        drop(clients);
        streams.all_closed().await;
        assert!(groups.lock().is_empty());
        let mut client = streams.open(1024);
        assert_eq!(sizes(groups), [1]);
        streams.stop();
        let text = read_to_end(&mut client).await;
        assert!(text.contains("event: shutdown"), "{text}");
        assert!(text.ends_with("\r\n0\r\n\r\n"), "{text}");
        streams.all_closed().await;
        assert!(groups.lock().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn client_that_does_not_read_does_not_delay_its_group() {
        let streams = TestStreams::new();
        let _slow = streams.open(1);
        let mut client = streams.open(1024);
        streams.stop();
        let text = read_to_end(&mut client).await;
        assert!(text.contains("event: shutdown"), "{text}");
        assert_eq!(sizes(streams.groups()), [1]);
        streams.groups().abort.cancel();
        streams.all_closed().await;
    }
}
