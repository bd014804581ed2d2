//! The bridge's simulated PBX, with the same methods as a real Asterisk in the tests.

use ami_bridge::simulator::{Config, Simulator};
use tokio::runtime::Runtime;

use super::{Ami, ReservedPort};

/// A simulated PBX with a tokio runtime, so that synchronous tests can use it.
pub(crate) struct Simulated {
    runtime: Runtime,
    simulator: Simulator,
    pub(crate) port: u16,
    /// No other program gets the port while the simulator restarts.
    _reserved: ReservedPort,
}

impl Simulated {
    pub(crate) fn start(queues: &str, manager: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let reserved = ReservedPort::reserve();
        let config = Config {
            listen: reserved.address,
            ..Config::new(queues, manager)
        };
        let simulator = runtime
            .block_on(Simulator::start(config))
            .expect("a running simulator");
        Self {
            port: reserved.address.port(),
            _reserved: reserved,
            simulator,
            runtime,
        }
    }

    pub(crate) fn restart(&mut self) {
        let result = self.runtime.block_on(self.simulator.restart());
        result.expect("a restarted simulator");
    }

    pub(crate) fn kill(&self) {
        self.runtime.block_on(self.simulator.kill());
    }

    /// Runs an Asterisk CLI command. Supports only the commands that the tests use.
    pub(crate) fn cli(&self, command: &str) -> String {
        let words: Vec<_> = command.split(' ').collect();
        match words[..] {
            ["channel", "originate", channel, ..] => {
                let queue = channel.strip_prefix("Local/");
                let queue = queue.and_then(|rest| rest.strip_suffix("@callers"));
                self.simulator
                    .originate_call(queue.expect("a channel Local/<queue>@callers"));
            }
            ["channel", "request", "hangup", "all"] => self.simulator.hang_up_all(),
            ["devstate", "change", device, state] => {
                let state = DEVICE_STATES.iter().position(|name| *name == state);
                let code = state.and_then(|code| u8::try_from(code).ok());
                self.simulator
                    .set_device_state(device, code.expect("a device state"));
            }
            ["manager", "show", "connected"] => return self.simulator.logged_in_users().join("\n"),
            ["queue", "show", queue] => return self.show_queue(queue),
            ["core", "stop", "now"] => self.runtime.block_on(self.simulator.stop()),
            ["core", "stop", "gracefully"] => self.simulator.set_shutting_down(true),
            ["core", "abort", "shutdown"] => self.simulator.set_shutting_down(false),
            _ => panic!("the simulated PBX does not support {command}"),
        }
        String::new()
    }

    fn show_queue(&self, queue: &str) -> String {
        let mut ami = Ami::login(self.port, "tester", "tester-secret");
        let members = ami.members(queue).into_iter().map(|member| {
            let [name, location, penalty] =
                ["Name", "Location", "Penalty"].map(|name| &member[name]);
            let dynamic = ["", " (dynamic)"][usize::from(member["Membership"] == "dynamic")];
            let paused = ["", " (paused)"][usize::from(member["Paused"] == "1")];
            format!("{name} ({location}) with penalty {penalty}{dynamic}{paused}\n")
        });
        members.collect()
    }

    pub(crate) fn queue_log(&self) -> String {
        self.simulator.queue_log()
    }

    pub(crate) fn take_queue_log(&self) -> String {
        self.simulator.take_queue_log()
    }

    pub(crate) fn set_frozen(&self, frozen: bool) {
        self.simulator.set_frozen(frozen);
    }
}

/// Asterisk's device states, indexed by their numeric code.
const DEVICE_STATES: [&str; 9] = [
    "UNKNOWN",
    "NOT_INUSE",
    "INUSE",
    "BUSY",
    "INVALID",
    "UNAVAILABLE",
    "RINGING",
    "RINGINUSE",
    "ONHOLD",
];
