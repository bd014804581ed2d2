//! The connections that a listener may have at once, and which of them have to go when
//! there is little room: those that are idle and have never shown who they are.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

/// Between two warnings about the same shortage.
const WARN_INTERVAL: Duration = Duration::from_secs(60);

/// Between two looks whether there is room.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);

/// How long a stranger may be idle when there is little room: long enough for a handshake
/// and a request to come.
const GRACE: Duration = Duration::from_secs(2);

/// The connections that a listener may have at once; beyond, new ones wait in the
/// operating system.
#[derive(Debug, Clone)]
pub struct Slots {
    free: Arc<Semaphore>,
    limit: usize,
    connections: TaskTracker,
    clients: Arc<Clients>,
}

#[derive(Debug, Default)]
struct Clients {
    next: AtomicU64,
    present: Mutex<HashMap<u64, Arc<Presence>>>,
}

impl Clients {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Arc<Presence>>> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slots {
    /// Room for `limit` connections.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(limit)),
            limit,
            connections: TaskTracker::new(),
            clients: Arc::default(),
        }
    }

    /// How many connections there are, and how many there may be. The slot that the
    /// accept loop holds for the next one is not counted.
    #[must_use]
    pub fn taken(&self) -> (usize, usize) {
        (self.connections.len(), self.limit)
    }

    /// The tasks of the connections.
    pub(super) fn connections(&self) -> &TaskTracker {
        &self.connections
    }

    /// Takes a slot, as soon as one is free.
    pub(super) async fn take(&self, warned_at: &mut Option<Instant>) -> Option<Slot> {
        if let Some(slot) = self.try_take() {
            return Some(slot);
        }
        if warned_at.is_none_or(|at| at.elapsed() > WARN_INTERVAL) {
            warn!(
                limit = self.limit,
                "all connections are taken: further ones wait"
            );
            *warned_at = Some(Instant::now());
        }
        let permit = Arc::clone(&self.free).acquire_owned().await.ok()?;
        Some(self.slot(permit))
    }

    /// Takes a slot, if one is free.
    pub(super) fn try_take(&self) -> Option<Slot> {
        let permit = Arc::clone(&self.free).try_acquire_owned().ok()?;
        Some(self.slot(permit))
    }

    fn slot(&self, permit: OwnedSemaphorePermit) -> Slot {
        Slot {
            number: self.clients.next.fetch_add(1, Ordering::Relaxed),
            presence: Arc::new(Presence::new(Instant::now())),
            clients: Arc::clone(&self.clients),
            _permit: permit,
        }
    }

    /// Closes idle strangers whenever there is little room. Never returns.
    pub(super) async fn make_room(&self) {
        let mut looks = interval(LOOK_INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            let closed = self.close_strangers(Instant::now());
            if closed > 0 {
                debug!(closed, "idle connections were closed to make room");
            }
        }
    }

    /// Closes those who are idle for longest, until an eighth of the slots is free.
    fn close_strangers(&self, now: Instant) -> usize {
        let wanted = (self.limit / 8).max(1);
        let clients = self.clients.lock();
        // The slot that the accept loop holds is free, too.
        let free = self.limit.saturating_sub(clients.len());
        let missing = wanted.saturating_sub(free);
        if missing == 0 {
            return 0;
        }
        let idle = clients
            .values()
            .filter_map(|presence| Some((presence.stranger_since()?, presence)));
        let mut idle: Vec<_> = idle
            .filter(|(since, _)| now.saturating_duration_since(*since) >= GRACE)
            .collect();
        idle.sort_by_key(|(since, _)| *since);
        idle.truncate(missing);
        for (_, presence) in &idle {
            presence.unwanted.cancel();
        }
        idle.len()
    }
}

/// A connection's place among those that there may be.
#[derive(Debug)]
pub(super) struct Slot {
    number: u64,
    presence: Arc<Presence>,
    clients: Arc<Clients>,
    _permit: OwnedSemaphorePermit,
}

impl Slot {
    /// A client has come, and has the slot from now on.
    pub(super) fn occupy(&self) -> Arc<Presence> {
        self.presence.lock().idle_since = Some(Instant::now());
        let presence = Arc::clone(&self.presence);
        self.clients.lock().insert(self.number, presence);
        Arc::clone(&self.presence)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.clients.lock().remove(&self.number);
    }
}

/// What a client is doing.
#[derive(Debug)]
pub(super) struct Presence {
    state: Mutex<State>,
    /// Cancelled when the connection is to be closed to make room.
    unwanted: CancellationToken,
}

#[derive(Debug, Clone, Copy)]
struct State {
    /// `None` while a request is under way, or the answer to it.
    idle_since: Option<Instant>,
    has_asked: bool,
    is_known: bool,
}

impl Presence {
    fn new(now: Instant) -> Self {
        Self {
            state: Mutex::new(State {
                idle_since: Some(now),
                has_asked: false,
                is_known: false,
            }),
            unwanted: CancellationToken::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request has come; the answer is sent when the guard is dropped.
    pub(super) fn asks(self: &Arc<Self>) -> Busy {
        let mut state = self.lock();
        state.idle_since = None;
        state.has_asked = true;
        Busy(Arc::clone(self))
    }

    /// A handshake is under way; the client is idle again when the guard is dropped.
    pub(super) fn shakes_hands(self: &Arc<Self>) -> Busy {
        self.lock().idle_since = None;
        Busy(Arc::clone(self))
    }

    /// Whether a whole request has come.
    pub(super) fn has_asked(&self) -> bool {
        self.lock().has_asked
    }

    /// The client has shown who it is.
    pub(super) fn is_known(&self) {
        self.lock().is_known = true;
    }

    /// Waits until the connection is to be closed to make room.
    pub(super) async fn unwanted(&self) {
        self.unwanted.cancelled().await;
        // A request may have come just now: it is answered before.
        while self.stranger_since().is_none() {
            sleep(LOOK_INTERVAL).await;
        }
    }

    /// Since when it is idle, if it has never shown who it is.
    fn stranger_since(&self) -> Option<Instant> {
        let state = *self.lock();
        state.idle_since.filter(|_| !state.is_known)
    }
}

/// While it lasts, a handshake, a request or its answer is under way.
#[derive(Debug)]
pub(super) struct Busy(Arc<Presence>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.lock().idle_since = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unwanted(client: &(Slot, Arc<Presence>)) -> bool {
        client.1.unwanted.is_cancelled()
    }

    #[tokio::test(start_paused = true)]
    async fn idle_strangers_go_first_and_only_when_there_is_little_room() {
        let slots = Slots::new(16);
        let come = || {
            let slot = slots.try_take().expect("a slot");
            let presence = slot.occupy();
            (slot, presence)
        };
        let mut clients = Vec::new();
        for _ in 0..14 {
            clients.push(come());
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        tokio::time::advance(GRACE).await;
        assert_eq!(slots.close_strangers(Instant::now()), 0);
        let busy = clients[0].1.asks();
        drop(clients[1].1.asks());
        clients[2].1.is_known();
        clients.push(come());
        clients.push(come());
        // Two of sixteen have to be free: the oldest that are idle and not known.
        assert_eq!(slots.close_strangers(Instant::now()), 2);
        let closed: Vec<_> = (0..16).filter(|at| unwanted(&clients[*at])).collect();
        assert_eq!(closed, [3, 4]);
        drop(busy);
        clients.drain(3..5);
        assert_eq!(slots.close_strangers(Instant::now()), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_asks_at_the_last_moment_is_answered() {
        let slots = Slots::new(1);
        let slot = slots.try_take().expect("a slot");
        let presence = slot.occupy();
        tokio::time::advance(GRACE).await;
        assert_eq!(slots.close_strangers(Instant::now()), 1);
        let busy = presence.asks();
        let wait =
            |seconds| tokio::time::timeout(Duration::from_secs(seconds), presence.unwanted());
        assert!(wait(60).await.is_err());
        // Until it is answered.
        drop(busy);
        assert!(wait(1).await.is_ok());
    }
}
