//! What can be done to a simulated PBX other than over AMI: what callers, agents
//! and operators do to a real one.

use super::event::Lines;
use super::member::Member;
use super::server::Simulator;

impl Simulator {
    /// An agent takes their place in a queue.
    pub fn add_member(&self, queue: &str, interface: &str, name: &str, penalty: u32) {
        self.hub.with(|state| {
            let mut member = Member::new(interface, name, "", state.pbx.unix());
            member.penalty = penalty;
            // One who is there already has it.
            let _ = state.pbx.add(queue, member, None);
        });
    }

    /// A caller joins a queue, and waits for as long as the habits say.
    pub fn call(&self, queue: &str) {
        self.hub.with(|state| state.pbx.call(queue));
    }

    /// Every caller hangs up.
    pub fn hang_up_all(&self) {
        self.hub.with(|state| state.pbx.hang_up_all());
    }

    /// Gives a device a state, by Asterisk's code.
    pub fn set_device(&self, device: &str, status: u8) {
        self.hub
            .with(|state| state.pbx.force_device(device, status));
    }

    /// Reads the queues again, from another configuration, without a word.
    pub fn reload(&self, queues: &str) {
        self.hub.with(|state| state.pbx.reload(queues));
    }

    /// Unloads app_queue, or loads it again.
    pub fn set_loaded(&self, loaded: bool) {
        let event = if loaded { "Load" } else { "Unload" };
        let body = Lines::default()
            .put("Module", "app_queue.so")
            .put("Status", "Success");
        self.hub.with(|state| {
            state.loaded = loaded;
            state.tell_system(event, &body);
        });
    }

    /// `core stop gracefully` waits for the last call, or is called off.
    pub fn set_stopping(&self, stopping: bool) {
        self.hub.with(|state| state.stopping = stopping);
    }

    /// Stops everything, as on a machine that hangs, or lets it go on.
    pub fn set_frozen(&self, frozen: bool) {
        self.hub.frozen.send_replace(frozen);
    }

    /// The users of the sessions that are logged in.
    #[must_use]
    pub fn connected(&self) -> Vec<String> {
        self.hub.with(|state| state.connected())
    }

    /// Its queue_log.
    #[must_use]
    pub fn queue_log(&self) -> String {
        self.hub.with(|state| state.pbx.queue_log())
    }

    /// Its queue_log so far, which begins anew.
    #[must_use]
    pub fn take_queue_log(&self) -> String {
        self.hub.with(|state| {
            let log = state.pbx.queue_log();
            state.pbx.clear_queue_log();
            log
        })
    }
}
