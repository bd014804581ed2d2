//! The simulated PBX's state.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::Duration;

use fastrand::Rng;

use super::call::{Call, CallId};
use super::device::Device;
use super::queue::Queue;
use super::queue_log::QueueLog;
use super::queues_conf::{parse_queues, parse_shared_last_call};
use super::timers::{Timer, Timers};
use crate::simulator::behavior::Behavior;
use crate::simulator::event::AmiEvent;

/// How long Asterisk waits before it tries again to find a member for a waiting caller.
const DISTRIBUTION_RETRY_DELAY: Duration = Duration::from_secs(1);

/// The state of the simulated PBX. Its methods do no IO and never read the clock. Each
/// change emits events in the order in which Asterisk 22 sends them.
#[derive(Debug)]
pub(crate) struct SimulatedPbx {
    /// The Unix time at which the simulated clock was at zero.
    start_time: Duration,
    /// The time on the simulated clock.
    pub(crate) now: Duration,
    /// The queues, in the order in which Asterisk lists them.
    pub(crate) queues: Vec<Queue>,
    /// Whether a call counts in all queues of its agent: the setting `shared_lastcall`.
    pub(super) shares_last_call: bool,
    /// The devices that have changed since the start, by lower-case name.
    pub(crate) devices: BTreeMap<String, Device>,
    pub(crate) calls: BTreeMap<CallId, Call>,
    pub(crate) timers: Timers,
    pub(crate) queue_log: QueueLog,
    pub(super) channels_created: u64,
    pub(super) local_channels_created: u64,
    pub(super) behavior: Behavior,
    pub(super) random: Rng,
    /// The events that `take_events` has not yet returned.
    events: Vec<AmiEvent>,
}

impl SimulatedPbx {
    /// Creates a PBX with the queues in a `queues.conf`. Its simulated clock starts at zero,
    /// which corresponds to the Unix time `start_time`.
    pub(crate) fn new(
        queues_conf: &str,
        behavior: Behavior,
        seed: u64,
        start_time: Duration,
    ) -> Self {
        let mut pbx = Self {
            start_time,
            now: Duration::ZERO,
            queues: parse_queues(queues_conf, start_time.as_secs()),
            shares_last_call: parse_shared_last_call(queues_conf),
            devices: BTreeMap::new(),
            calls: BTreeMap::new(),
            timers: Timers::default(),
            queue_log: QueueLog::default(),
            channels_created: 0,
            local_channels_created: 0,
            behavior,
            random: Rng::with_seed(seed),
            events: Vec::new(),
        };
        pbx.append_to_queue_log("NONE", "NONE", "NONE", "QUEUESTART", "");
        pbx.refresh_member_statuses();
        pbx
    }

    /// Returns the current Unix time.
    pub(crate) fn unix_time(&self) -> Duration {
        self.start_time + self.now
    }

    /// Returns the current Unix time in seconds, rounded down as in Asterisk.
    pub(crate) fn unix_seconds(&self) -> u64 {
        self.unix_time().as_secs()
    }

    pub(super) fn start_timer(&mut self, delay: Duration, timer: Timer) {
        self.timers.start(self.now + delay, timer);
    }

    pub(crate) fn emit(&mut self, event: AmiEvent) {
        self.events.push(event);
    }

    /// Returns the events emitted since the previous call.
    pub(crate) fn take_events(&mut self) -> Vec<AmiEvent> {
        std::mem::take(&mut self.events)
    }

    /// Appends a line to `queue_log`. See [`QueueLog::append`] for the fields.
    pub(super) fn append_to_queue_log(
        &mut self,
        call_id: &str,
        queue: &str,
        agent: &str,
        event: &str,
        data: impl Display,
    ) {
        let time = self.unix_seconds();
        self.queue_log
            .append(time, call_id, queue, agent, event, data);
    }

    /// Finds a queue by name. Ignores case, like Asterisk.
    pub(crate) fn queue_mut(&mut self, name: &str) -> Option<&mut Queue> {
        let mut queues = self.queues.iter_mut();
        queues.find(|queue| queue.name.eq_ignore_ascii_case(name))
    }

    /// Starts a queue's distribution timer if callers are waiting and the timer is not running.
    /// Call this method when a member may have become available, because Asterisk notices this only
    /// at its next attempt.
    pub(super) fn schedule_distribution(&mut self, queue: &str) {
        let needs_timer =
            |queue: &&mut Queue| !queue.callers.is_empty() && !queue.distribution_scheduled;
        if let Some(queue) = self.queue_mut(queue).filter(needs_timer) {
            queue.distribution_scheduled = true;
            let queue = queue.name.clone();
            self.start_timer(DISTRIBUTION_RETRY_DELAY, Timer::Distribute { queue });
        }
    }

    /// Updates the status of every member from the devices, without an event.
    pub(super) fn refresh_member_statuses(&mut self) {
        for queue in &mut self.queues {
            queue.refresh_member_statuses(&self.devices);
        }
    }
}
