//! Configures a simulated PBX.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::behavior::Behavior;
use super::pbx::{Member, SimulatedPbx};

/// The configuration of a simulated PBX.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the PBX accepts AMI connections. With port 0, it chooses a free port.
    pub listen: SocketAddr,
    /// The queues, in the format of Asterisk's `queues.conf`.
    pub queues_conf: String,
    /// The AMI users, in the format of Asterisk's `manager.conf`.
    pub manager_conf: String,
    /// The behavior of callers and agents.
    pub behavior: Behavior,
    /// The seed for the random number generator. The same seed produces the same sequence of
    /// calls and breaks.
    pub seed: u64,
    /// The initial dynamic members of the queues.
    pub members: Vec<InitialMember>,
    /// The initial device states, as pairs of a device name and one of Asterisk's state codes.
    pub device_states: Vec<(String, u8)>,
    /// The simulated time that passes before the PBX accepts connections.
    pub elapsed: Duration,
}

/// An initial dynamic member of a queue.
#[derive(Debug, Clone)]
pub struct InitialMember {
    /// The queue's name.
    pub queue: String,
    /// The member's interface.
    pub interface: String,
    /// The member's name.
    pub name: String,
    /// The member's penalty.
    pub penalty: u32,
}

impl Config {
    /// Creates the configuration of a PBX with these queues and AMI users, on a free loopback
    /// port. No calls are generated, and agents take no breaks.
    #[must_use]
    pub fn new(queues_conf: &str, manager_conf: &str) -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            queues_conf: queues_conf.to_owned(),
            manager_conf: manager_conf.to_owned(),
            behavior: Behavior::sample_dialplan(),
            seed: 1,
            members: Vec::new(),
            device_states: Vec::new(),
            elapsed: Duration::ZERO,
        }
    }

    /// Builds the PBX. Its simulated clock starts at zero, which corresponds to the Unix time
    /// `start_time`.
    pub(crate) fn build_pbx(&self, start_time: Duration) -> SimulatedPbx {
        let behavior = self.behavior.clone();
        let mut pbx = SimulatedPbx::new(&self.queues_conf, behavior, self.seed, start_time);
        pbx.start_call_timers();
        pbx.start_longest_call_timer();
        pbx.start_break_timers();
        pbx.start_scheduled_pause_timers();
        for initial in &self.members {
            let now = pbx.unix_seconds();
            let mut member = Member::new(&initial.interface, &initial.name, "", now);
            member.penalty = initial.penalty;
            // If the queue already has the member, adding fails and the existing member
            // remains unchanged.
            let _ = pbx.add_member(&initial.queue, member, None);
        }
        for (device, state) in &self.device_states {
            pbx.set_device_state(device, *state);
        }
        pbx
    }
}
