//! The state that all AMI sessions share.

use super::session_registry::SessionRegistry;
use super::users::AmiUser;
use crate::simulator::event::AmiEvent;
use crate::simulator::headers::Headers;
use crate::simulator::pbx::SimulatedPbx;

/// The PBX, its AMI users and the open sessions.
#[derive(Debug)]
pub(crate) struct ServerState {
    pub(crate) pbx: SimulatedPbx,
    pub(crate) users: Vec<AmiUser>,
    pub(crate) sessions: SessionRegistry,
    /// False while `app_queue.so` is unloaded. No queue action exists then.
    pub(crate) is_app_queue_loaded: bool,
    /// True while `core stop gracefully` waits for the last call to end. Every action fails then.
    pub(crate) is_shutting_down: bool,
}

impl ServerState {
    pub(crate) fn new(pbx: SimulatedPbx, users: Vec<AmiUser>) -> Self {
        Self {
            pbx,
            users,
            sessions: SessionRegistry::default(),
            is_app_queue_loaded: true,
            is_shutting_down: false,
        }
    }

    /// Sends the PBX's new events to the sessions.
    pub(crate) fn deliver_events(&mut self) {
        for event in self.pbx.take_events() {
            self.sessions.deliver(&event);
        }
    }

    /// Delivers all pending events, and closes every session.
    pub(crate) fn close_sessions(&mut self) {
        self.deliver_events();
        self.sessions.close_all();
    }

    /// Emits an event about Asterisk itself or a module.
    pub(crate) fn emit_system_event(&mut self, name: &str, headers: &Headers) {
        self.pbx.emit(AmiEvent::system(name, headers));
    }

    /// Returns the event that follows a login, if the session receives system events.
    pub(crate) fn fully_booted_event(&self) -> String {
        let uptime = self.pbx.now.as_secs();
        let headers = Headers::default()
            .with("Uptime", uptime)
            .with("LastReload", uptime)
            .with("Status", "Fully Booted");
        AmiEvent::system("FullyBooted", &headers).text
    }

    /// Returns the `Timestamp` for a Ping response: Unix seconds with microseconds.
    pub(crate) fn ping_timestamp(&self) -> String {
        let time = self.pbx.unix_time();
        format!("{}.{:06}", time.as_secs(), time.subsec_micros())
    }
}
