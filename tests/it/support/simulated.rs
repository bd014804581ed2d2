//! The simulated PBX of the bridge, with the interface of a real Asterisk in the tests.

use ami_bridge::simulator::{Config, Simulator};
use tokio::runtime::Runtime;

use super::Ami;

/// A simulated PBX whose tasks run on their own thread.
pub(crate) struct Simulated {
    runtime: Runtime,
    simulator: Simulator,
    pub(crate) port: u16,
}

impl Simulated {
    pub(crate) fn start(queues: &str, manager: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let simulator = runtime
            .block_on(Simulator::start(Config::new(queues, manager)))
            .expect("started");
        Self {
            port: simulator.address().port(),
            simulator,
            runtime,
        }
    }

    pub(crate) fn restart(&mut self) {
        let started = self.runtime.block_on(self.simulator.restart());
        started.expect("started again");
    }

    pub(crate) fn kill(&self) {
        self.runtime.block_on(self.simulator.kill());
    }

    /// Runs a command of Asterisk's command line. Supports only the commands that the tests
    /// use.
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
                    .set_device_state(device, code.expect("a state"));
            }
            ["manager", "show", "connected"] => return self.simulator.logged_in_users().join("\n"),
            ["queue", "show", queue] => return self.show(queue),
            ["core", "stop", "now"] => self.runtime.block_on(self.simulator.stop()),
            ["core", "stop", "gracefully"] => self.simulator.set_shutting_down(true),
            ["core", "abort", "shutdown"] => self.simulator.set_shutting_down(false),
            _ => panic!("the simulated PBX does not support {command}"),
        }
        String::new()
    }

    fn show(&self, queue: &str) -> String {
        let mut ami = Ami::login(self.port, "tester", "tester-secret");
        let members = ami.members(queue).into_iter().map(|member| {
            let [name, location, penalty] = ["Name", "Location", "Penalty"].map(|f| &member[f]);
            format!("{name} ({location}) with penalty {penalty}\n")
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

/// The device states of Asterisk by their numeric code.
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
