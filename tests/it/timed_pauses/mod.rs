//! Pauses with a reason and an end, and the state of agents after their calls. Asterisk is the
//! judge: its `QueueStatus` shows which pause stands, and its `queue_log` which changes were
//! made, and by whom.

mod audit;
mod catalog;
mod changes;
mod clock;
mod disturbances;
mod elsewhere;
mod keep_existing;
mod kill;
mod life;
mod member_fields;
mod random;
mod steps;
mod storage;
mod two_bridges;
mod watch;
mod wrapup;

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::support::{
    Ami, Asterisk, Bridge, Proxy, Reason, configuration, with_reasons, with_state_directory,
};
use watch::EventWatch;

/// The reasons of acme in these tests.
const REASONS: [Reason; 3] = [
    Reason {
        name: "Lunch",
        limit: Some("2s"),
        ends: true,
    },
    Reason {
        name: "Break",
        limit: Some("1s"),
        ends: false,
    },
    Reason {
        name: "Back office",
        limit: None,
        ends: false,
    },
];

/// The limit of the reason `Lunch`, in seconds.
const LUNCH_SECONDS: i64 = 2;

/// The reason with which the bridge ends a pause.
const TIME_OVER: &str = "Time over";

/// The bridge ends a pause at most this long after its end, or after it could know that.
const MAX_DELAY: Duration = Duration::from_secs(1);

/// A bridge ends a pause that it did not store after an additional delay of at most this long,
/// because another bridge may end it.
const MAX_STAND_IN_DELAY: Duration = Duration::from_secs(3);

/// Asterisk takes whole seconds from a clock that can be this far behind the wall clock.
const COARSE_CLOCK_LAG: Duration = Duration::from_millis(20);

/// Returns the interface of one of acme's agents.
fn interface(agent: u16) -> String {
    format!("Local/{agent}@acme-agents")
}

/// Parses a time of a response.
fn parse_time(time: &Value) -> Timestamp {
    let text = time.as_str().unwrap_or_else(|| panic!("no time: {time}"));
    text.parse().expect("a time")
}

/// Waits until the clock shows `time`.
fn wait_until(time: Timestamp) {
    let left = time.duration_since(Timestamp::now());
    // Passing time is what these tests are about: until then nothing may happen.
    std::thread::sleep(Duration::try_from(left).unwrap_or_default());
}

/// Waits until a second has just begun, so that what follows happens in the same second.
fn wait_for_new_second() {
    let now = Timestamp::now();
    let next = Timestamp::from_second(now.as_second() + 1).expect("a time");
    wait_until(next + COARSE_CLOCK_LAG);
}

/// A row of Asterisk's `queue_log`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct LogRow {
    second: i64,
    queue: String,
    member: String,
    event: String,
    reason: String,
}

/// Returns the pauses and unpauses of an agent in a queue, oldest first. Members are named
/// like their agents.
fn log_rows(asterisk: &Asterisk, queue: &str, agent: u16) -> Vec<LogRow> {
    let agent = agent.to_string();
    let log = asterisk.queue_log();
    let rows = log.lines().filter_map(|line| {
        let fields: Vec<_> = line.split('|').collect();
        let [second, _, queue, member, event, rest @ ..] = &fields[..] else {
            return None;
        };
        Some(LogRow {
            second: second.parse().ok()?,
            queue: (*queue).to_owned(),
            member: (*member).to_owned(),
            event: (*event).to_owned(),
            reason: rest.first().copied().unwrap_or_default().to_owned(),
        })
    });
    rows.filter(|row| row.queue == queue && row.member == agent)
        .filter(|row| ["PAUSE", "UNPAUSE"].contains(&row.event.as_str()))
        .collect()
}

/// Returns the rows with which the bridge has ended pauses by the clock.
fn ended_rows(rows: &[LogRow]) -> Vec<&LogRow> {
    let rows = rows.iter();
    rows.filter(|row| row.event == "UNPAUSE" && row.reason == TIME_OVER)
        .collect()
}

/// Returns whether Asterisk executed a change before `time`.
fn is_before(row: &LogRow, time: Timestamp) -> bool {
    row.second < (time - COARSE_CLOCK_LAG).as_second()
}

/// Returns whether Asterisk shows an agent as paused, and the reason. `None` if the agent is
/// not a member.
fn pause_in_asterisk(ami: &mut Ami, queue: &str, agent: u16) -> Option<(bool, String)> {
    let row = ami.member(queue, &interface(agent))?;
    Some((row["Paused"] == "1", row["PausedReason"].clone()))
}

/// An Asterisk, a bridge that reaches it through a proxy, and the folder with its state.
struct Scene {
    asterisk: Asterisk,
    proxy: Proxy,
    /// `None` while the bridge is dead.
    bridge: Option<Bridge>,
    configuration: String,
    /// Deleted with the scene.
    state: tempfile::TempDir,
    watch: EventWatch,
}

impl Scene {
    /// Starts an Asterisk in which `files` replace files of the sample configuration, and a
    /// bridge with [`REASONS`].
    fn start(version: u32, files: &[(&str, &str)]) -> Self {
        let asterisk = Asterisk::start_with(version, files);
        let proxy = Proxy::start(asterisk.port);
        let state = tempfile::tempdir().expect("a folder");
        let configuration = stored_configuration(proxy.port, state.path());
        let bridge = Some(Bridge::start(&configuration));
        let watch = EventWatch::start(&asterisk);
        Self {
            asterisk,
            proxy,
            bridge,
            configuration,
            state,
            watch,
        }
    }

    fn bridge(&self) -> &Bridge {
        self.bridge.as_ref().expect("a running bridge")
    }

    /// Kills the bridge with SIGKILL.
    fn kill_bridge(&mut self) {
        self.bridge = None;
    }

    /// Starts the bridge again on its state directory, and waits until it is ready.
    fn restart_bridge(&mut self) {
        self.bridge = Some(Bridge::start(&self.configuration));
    }
}

/// Returns a configuration with [`REASONS`] and a state directory.
fn stored_configuration(ami_port: u16, state: &std::path::Path) -> String {
    let configuration = with_reasons(&configuration(ami_port), &REASONS);
    with_state_directory(&configuration, state)
}
