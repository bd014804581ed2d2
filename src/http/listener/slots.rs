//! Limits a listener's connections, and closes idle connections when few slots are free.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::usage::UsageMonitor;

/// Minimum interval between two warnings that all slots are taken.
const WARN_INTERVAL: Duration = Duration::from_secs(60);

/// How often to check how many slots are free.
const CHECK_INTERVAL: Duration = Duration::from_millis(250);

/// How long an unauthenticated client may be idle before it can be evicted. This is long
/// enough for the first bytes of a handshake or a request to arrive.
const IDLE_GRACE: Duration = Duration::from_secs(2);

/// A listener's connection slots. While all slots are taken, new connections wait in the
/// kernel's backlog.
#[derive(Debug, Clone)]
pub struct Slots {
    /// The listener's name in the log.
    listener: &'static str,
    free: Arc<Semaphore>,
    limit: usize,
    connections: TaskTracker,
    clients: Arc<Clients>,
}

/// The clients that occupy slots.
#[derive(Debug, Default)]
struct Clients {
    next_number: AtomicU64,
    activities: Mutex<HashMap<u64, Arc<ClientActivity>>>,
}

impl Clients {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Arc<ClientActivity>>> {
        self.activities
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slots {
    /// Creates slots for `limit` connections. `listener` is the listener's name in the log.
    #[must_use]
    pub fn new(listener: &'static str, limit: usize) -> Self {
        Self {
            listener,
            free: Arc::new(Semaphore::new(limit)),
            limit,
            connections: TaskTracker::new(),
            clients: Arc::default(),
        }
    }

    /// Returns the number of connections, and the limit. The slot that the accept loop holds
    /// for the next connection is not counted.
    #[must_use]
    pub fn taken(&self) -> (usize, usize) {
        (self.connections.len(), self.limit)
    }

    /// Returns the tracker for the connection tasks.
    pub(super) fn connections(&self) -> &TaskTracker {
        &self.connections
    }

    /// Takes a slot. If no slot is free, logs a warning and waits. `warned_at` is the time of
    /// the last such warning.
    pub(super) async fn take(&self, warned_at: &mut Option<Instant>) -> Slot {
        if let Some(slot) = self.try_take() {
            return slot;
        }
        if warned_at.is_none_or(|at| at.elapsed() > WARN_INTERVAL) {
            warn!(
                listener = self.listener,
                limit = self.limit,
                "connection limit reached; new connections wait"
            );
            *warned_at = Some(Instant::now());
        }
        match Arc::clone(&self.free).acquire_owned().await {
            Ok(permit) => self.new_slot(permit),
            Err(_) => unreachable!("the semaphore is never closed"),
        }
    }

    /// Takes a free slot, or returns `None` if all slots are taken.
    pub(super) fn try_take(&self) -> Option<Slot> {
        let permit = Arc::clone(&self.free).try_acquire_owned().ok()?;
        Some(self.new_slot(permit))
    }

    fn new_slot(&self, permit: OwnedSemaphorePermit) -> Slot {
        Slot {
            number: self.clients.next_number.fetch_add(1, Ordering::Relaxed),
            activity: Arc::new(ClientActivity::new(Instant::now())),
            clients: Arc::clone(&self.clients),
            _permit: permit,
        }
    }

    /// Whenever few slots are free, logs a warning and closes idle connections of unauthenticated
    /// clients. Never returns.
    pub(super) async fn supervise(&self) {
        let mut usage = UsageMonitor::default();
        let mut ticks = interval(CHECK_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let (listener, limit) = (self.listener, self.limit);
            let connections = self.clients.lock().len();
            if usage.must_warn(connections, limit) {
                warn!(
                    listener,
                    connections, limit, "connections approach their limit"
                );
            }
            let closed = self.evict(Instant::now());
            if closed > 0 {
                debug!(closed, "closed idle connections to free slots");
            }
        }
    }

    /// Evicts the clients that have been idle the longest, until an eighth of the slots is
    /// free. Returns the number of evicted clients.
    fn evict(&self, now: Instant) -> usize {
        let target = (self.limit / 8).max(1);
        let clients = self.clients.lock();
        // The slot that the accept loop holds counts as free.
        let free = self.limit.saturating_sub(clients.len());
        let needed = target.saturating_sub(free);
        if needed == 0 {
            return 0;
        }
        let idle = clients
            .values()
            .filter_map(|activity| Some((activity.evictable_since()?, activity)));
        let mut idle: Vec<_> = idle
            .filter(|(since, _)| now.saturating_duration_since(*since) >= IDLE_GRACE)
            .collect();
        idle.sort_by_key(|(since, _)| *since);
        idle.truncate(needed);
        for (_, activity) in &idle {
            activity.evicted.cancel();
        }
        idle.len()
    }
}

/// A slot for one connection. Dropping it frees the slot.
#[derive(Debug)]
pub(super) struct Slot {
    number: u64,
    activity: Arc<ClientActivity>,
    clients: Arc<Clients>,
    _permit: OwnedSemaphorePermit,
}

impl Slot {
    /// Assigns the slot to a client that has connected.
    pub(super) fn occupy(&self) -> Arc<ClientActivity> {
        self.activity.lock().idle_since = Some(Instant::now());
        let activity = Arc::clone(&self.activity);
        self.clients.lock().insert(self.number, activity);
        Arc::clone(&self.activity)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.clients.lock().remove(&self.number);
    }
}

/// Tracks whether a connected client is idle, busy or authenticated.
#[derive(Debug)]
pub(super) struct ClientActivity {
    state: Mutex<ActivityState>,
    /// Canceled when the connection must be closed to free its slot.
    evicted: CancellationToken,
}

#[derive(Debug, Clone, Copy)]
struct ActivityState {
    /// `None` during a handshake, and from a request's arrival until its response is sent.
    idle_since: Option<Instant>,
    has_sent_request: bool,
    is_authenticated: bool,
}

impl ClientActivity {
    fn new(now: Instant) -> Self {
        Self {
            state: Mutex::new(ActivityState {
                idle_since: Some(now),
                has_sent_request: false,
                is_authenticated: false,
            }),
            evicted: CancellationToken::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, ActivityState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks the client as busy with a request, until the guard is dropped.
    pub(super) fn begin_request(self: &Arc<Self>) -> BusyGuard {
        let mut state = self.lock();
        state.idle_since = None;
        state.has_sent_request = true;
        BusyGuard(Arc::clone(self))
    }

    /// Marks the client as busy with a TLS handshake, until the guard is dropped.
    pub(super) fn begin_handshake(self: &Arc<Self>) -> BusyGuard {
        self.lock().idle_since = None;
        BusyGuard(Arc::clone(self))
    }

    /// Returns whether a complete request has arrived.
    pub(super) fn has_sent_request(&self) -> bool {
        self.lock().has_sent_request
    }

    /// Records that the client has sent valid credentials. An authenticated client is never
    /// evicted.
    pub(super) fn mark_authenticated(&self) {
        self.lock().is_authenticated = true;
    }

    /// Waits until the connection must be closed to free its slot.
    pub(super) async fn evicted(&self) {
        self.evicted.cancelled().await;
        // A request may have arrived just before the eviction. Its response is sent before the
        // connection closes.
        while self.evictable_since().is_none() {
            sleep(CHECK_INTERVAL).await;
        }
    }

    /// Returns the time at which the client became idle, or `None` if the client is busy or
    /// authenticated.
    fn evictable_since(&self) -> Option<Instant> {
        let state = *self.lock();
        state.idle_since.filter(|_| !state.is_authenticated)
    }
}

/// Marks the client as idle when dropped.
#[derive(Debug)]
pub(super) struct BusyGuard(Arc<ClientActivity>);

impl Drop for BusyGuard {
    fn drop(&mut self) {
        self.0.lock().idle_since = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_evicted(client: &(Slot, Arc<ClientActivity>)) -> bool {
        client.1.evicted.is_cancelled()
    }

    #[tokio::test(start_paused = true)]
    async fn longest_idle_unauthenticated_clients_are_evicted_when_few_slots_are_free() {
        let slots = Slots::new("api", 16);
        let connect = || {
            let slot = slots.try_take().expect("a free slot");
            let activity = slot.occupy();
            (slot, activity)
        };
        let mut clients = Vec::new();
        for _ in 0..14 {
            clients.push(connect());
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        tokio::time::advance(IDLE_GRACE).await;
        assert_eq!(slots.evict(Instant::now()), 0);
        let busy = clients[0].1.begin_request();
        drop(clients[1].1.begin_request());
        clients[2].1.mark_authenticated();
        clients.push(connect());
        clients.push(connect());
        // Two of the 16 slots must be free. Client 0 is busy, client 1 was busy a moment ago,
        // and client 2 is authenticated.
        assert_eq!(slots.evict(Instant::now()), 2);
        let evicted: Vec<_> = (0..16)
            .filter(|index| is_evicted(&clients[*index]))
            .collect();
        assert_eq!(evicted, [3, 4]);
        drop(busy);
        clients.drain(3..5);
        assert_eq!(slots.evict(Instant::now()), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn evicted_client_gets_its_response_if_it_has_just_sent_a_request() {
        let slots = Slots::new("api", 1);
        let slot = slots.try_take().expect("a free slot");
        let activity = slot.occupy();
        tokio::time::advance(IDLE_GRACE).await;
        assert_eq!(slots.evict(Instant::now()), 1);
        let busy = activity.begin_request();
        let wait = |seconds| tokio::time::timeout(Duration::from_secs(seconds), activity.evicted());
        assert!(wait(60).await.is_err());
        drop(busy);
        assert!(wait(1).await.is_ok());
    }
}
