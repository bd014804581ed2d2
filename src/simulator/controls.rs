//! Controls a running PBX without AMI, as the callers, agents and operators of a real PBX do.

use super::headers::Headers;
use super::pbx::Member;
use super::server::Simulator;

impl Simulator {
    /// Adds a dynamic member to a queue. Does nothing if the queue already has the member.
    pub fn add_member(&self, queue: &str, interface: &str, name: &str, penalty: u32) {
        self.pbx.with_state(|state| {
            let mut member = Member::new(interface, name, "", state.pbx.unix_seconds());
            member.penalty = penalty;
            let _ = state.pbx.add_member(queue, member, None);
        });
    }

    /// Makes a caller join a queue, like `channel originate Local/QUEUE@callers` with the
    /// dialplan in `asterisk-sample`.
    pub fn originate_call(&self, queue: &str) {
        self.pbx.with_state(|state| state.pbx.originate_call(queue));
    }

    /// Hangs up every call, like `channel request hangup all`.
    pub fn hang_up_all(&self) {
        self.pbx.with_state(|state| state.pbx.hang_up_all());
    }

    /// Sets a device's state to one of Asterisk's codes, like `devstate change`.
    pub fn set_device_state(&self, device: &str, code: u8) {
        self.pbx
            .with_state(|state| state.pbx.set_device_state(device, code));
    }

    /// Replaces `queues.conf` and reloads it, like `queue reload all`. Like Asterisk,
    /// this sends no event.
    pub fn reload_queues(&self, queues_conf: &str) {
        self.pbx
            .with_state(|state| state.pbx.reload_queues(queues_conf));
    }

    /// Loads or unloads `app_queue.so`.
    pub fn set_app_queue_loaded(&self, loaded: bool) {
        let event = if loaded { "Load" } else { "Unload" };
        let headers = Headers::default()
            .with("Module", "app_queue.so")
            .with("Status", "Success");
        self.pbx.with_state(|state| {
            state.is_app_queue_loaded = loaded;
            state.emit_system_event(event, &headers);
        });
    }

    /// Starts or aborts `core stop gracefully`. Every AMI action fails while Asterisk waits
    /// for the last call to end.
    pub fn set_shutting_down(&self, shutting_down: bool) {
        self.pbx
            .with_state(|state| state.is_shutting_down = shutting_down);
    }

    /// Freezes or unfreezes the PBX, as if its machine hung. Connections to a frozen PBX stay
    /// open, but the PBX sends nothing.
    pub fn set_frozen(&self, frozen: bool) {
        self.pbx.set_frozen(frozen);
    }

    /// Returns the AMI users of the logged-in sessions.
    #[must_use]
    pub fn logged_in_users(&self) -> Vec<String> {
        self.pbx.with_state(|state| state.sessions.users())
    }

    /// Returns the content of `queue_log`.
    #[must_use]
    pub fn queue_log(&self) -> String {
        self.pbx.with_state(|state| state.pbx.queue_log.text())
    }

    /// Returns the content of `queue_log` and clears it.
    #[must_use]
    pub fn take_queue_log(&self) -> String {
        self.pbx.with_state(|state| {
            let text = state.pbx.queue_log.text();
            state.pbx.queue_log.clear();
            text
        })
    }
}
