//! The configuration of a simulated PBX.

use std::time::Duration;

use super::behavior::Behavior;
use super::pbx::{Member, SimulatedPbx};

/// The configuration of a simulated PBX.
#[derive(Debug, Clone)]
pub struct Config {
    /// The queues, in the format of Asterisk's `queues.conf`.
    pub queues_conf: String,
    /// The AMI users, in the format of Asterisk's `manager.conf`.
    pub manager_conf: String,
    /// How callers and agents behave.
    pub behavior: Behavior,
    /// The seed of the random behavior. The same seed gives the same sequence of calls
    /// and breaks.
    pub seed: u64,
    /// Dynamic members that the queues have at the beginning.
    pub members: Vec<InitialMember>,
    /// Device states that are set at the beginning, by device name. A state is one of
    /// Asterisk's codes.
    pub device_states: Vec<(String, u8)>,
    /// How much simulated time passes before the PBX accepts connections.
    pub elapsed: Duration,
}

/// A dynamic member that a queue has at the beginning.
#[derive(Debug, Clone)]
pub struct InitialMember {
    /// The name of the queue.
    pub queue: String,
    /// The interface.
    pub interface: String,
    /// The member name.
    pub name: String,
    /// The penalty.
    pub penalty: u32,
}

impl Config {
    /// A PBX with these queues and AMI users, on which nothing happens automatically.
    #[must_use]
    pub fn new(queues_conf: &str, manager_conf: &str) -> Self {
        Self {
            queues_conf: queues_conf.to_owned(),
            manager_conf: manager_conf.to_owned(),
            behavior: Behavior::sample_dialplan(),
            seed: 1,
            members: Vec::new(),
            device_states: Vec::new(),
            elapsed: Duration::ZERO,
        }
    }

    /// Builds the PBX. Its simulated clock is at zero, which is the Unix time
    /// `start_time`.
    pub(crate) fn build_pbx(&self, start_time: Duration) -> SimulatedPbx {
        let behavior = self.behavior.clone();
        let mut pbx = SimulatedPbx::new(&self.queues_conf, behavior, self.seed, start_time);
        pbx.start_call_timers();
        pbx.start_break_timers();
        for initial in &self.members {
            let now = pbx.unix_seconds();
            let mut member = Member::new(&initial.interface, &initial.name, "", now);
            member.penalty = initial.penalty;
            // A member that the queue already has stays as it is.
            let _ = pbx.add_member(&initial.queue, member, None);
        }
        for (device, state) in &self.device_states {
            pbx.set_device_state(device, *state);
        }
        pbx
    }
}
