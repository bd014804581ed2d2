//! Calls that agents answer, end or miss, on a real Asterisk and on the simulated PBX.

use std::time::{SystemTime, UNIX_EPOCH};

use super::{Ami, AmiMessage, Asterisk, eventually, sample_config};

/// An agent of acme who never answers, as do the agents 1090 to 1099 of both organizations.
pub(crate) const ABSENT_AGENT: &str = "Local/1090@acme-agents";

impl Asterisk {
    /// Starts an Asterisk with the sample configuration and `shared_lastcall`, so that a call
    /// counts in all queues of its agent.
    pub(crate) fn start_with_shared_last_call(version: u32) -> Self {
        let queues = sample_config("queues.conf");
        let queues = queues.replace("shared_lastcall = no", "shared_lastcall = yes");
        Self::start_with(version, &[("queues.conf", &queues)])
    }

    /// Adds a caller to a queue, and waits until `interface` has answered.
    pub(crate) fn answer_call(&self, queue: &str, interface: &str) {
        self.add_caller(queue);
        let mut ami = self.ami();
        eventually("the agent answers", || {
            (member(&mut ami, queue, interface)["InCall"] == "1").then_some(())
        });
    }

    /// Hangs up all calls, and waits until the call of `interface` has ended. Returns the
    /// member's `LastCall` in that queue.
    pub(crate) fn end_calls(&self, queue: &str, interface: &str) -> u64 {
        self.cli("channel request hangup all");
        let mut ami = self.ami();
        eventually("the agent's call ends", || {
            let member = member(&mut ami, queue, interface);
            // Asterisk updates `LastCall` and `InCall` at the same time, after AgentComplete.
            (member["InCall"] == "0" && member["LastCall"] != "0")
                .then(|| member["LastCall"].parse().expect("a Unix time"))
        })
    }

    /// Lets `interface` answer and end a call. Returns the member's `LastCall` in that queue.
    pub(crate) fn take_call(&self, queue: &str, interface: &str) -> u64 {
        self.answer_call(queue, interface);
        self.end_calls(queue, interface)
    }

    /// Adds a caller to a queue with `autopause`, and waits until Asterisk has paused `interface`
    /// for not answering. Then the caller hangs up.
    pub(crate) fn miss_call(&self, queue: &str, interface: &str) {
        self.add_caller(queue);
        let mut ami = self.ami();
        eventually("the agent is paused", || {
            (member(&mut ami, queue, interface)["Paused"] == "1").then_some(())
        });
        self.cli("channel request hangup all");
    }
}

/// Returns the `QueueMember` row of `interface` in `queue`.
fn member(ami: &mut Ami, queue: &str, interface: &str) -> AmiMessage {
    ami.member(queue, interface).expect("a member of the queue")
}

/// Waits until the first tenth of a second of the machine's clock, which Asterisk shares. A step
/// that follows within half a second does not fall on the edge of two seconds.
pub(crate) fn wait_for_start_of_second() -> u64 {
    eventually("a second begins", || {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
        (now.subsec_millis() < 100).then_some(now.as_secs())
    })
}
