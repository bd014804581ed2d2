//! Two bridges for one Asterisk, each with its own state directory, and with a reason that
//! both end.

use std::time::Duration;

use jiff::Timestamp;

use super::watch::EventWatch;
use super::{
    LUNCH_SECONDS, MAX_DELAY, MAX_STAND_IN_DELAY, TIME_OVER, ended_rows, interface, log_rows,
    parse_time, pause_in_asterisk, stored_configuration, wait_until,
};
use crate::support::{Asterisk, Bridge, eventually, on_both_versions};

on_both_versions!(
    two_bridges_send_one_unpause_for_each_pause,
    two_bridges_stand_in_for_each_other,
);

const QUEUE: &str = "acme-6001";

/// How often each kind of pause is repeated.
const ROUNDS: usize = 3;

/// Agents 1001 to 1012 are paused at the same time, a third of them by each bridge, and a third
/// without a bridge.
const AGENTS: std::ops::Range<u16> = 1001..1013;

/// The duration of pauses that the bridges do not know from their reason, in seconds.
const ERRAND_SECONDS: u32 = 3;

struct Setup {
    asterisk: Asterisk,
    watch: EventWatch,
    configurations: [String; 2],
    /// A bridge is `None` while it is dead.
    bridges: [Option<Bridge>; 2],
    _states: [tempfile::TempDir; 2],
}

impl Setup {
    fn start(version: u32) -> Self {
        let asterisk = Asterisk::start(version);
        let states = [0, 1].map(|_| tempfile::tempdir().expect("a folder"));
        let configurations = states
            .each_ref()
            .map(|state| stored_configuration(asterisk.port, state.path()));
        let bridges = configurations
            .each_ref()
            .map(|text| Some(Bridge::start(text)));
        let watch = EventWatch::start(&asterisk);
        let setup = Self {
            asterisk,
            watch,
            configurations,
            bridges,
            _states: states,
        };
        for agent in AGENTS {
            let query = format!("action=add&agent={agent}&queue=6001");
            setup.bridge(0).acme_ok(&query);
        }
        setup
    }

    fn bridge(&self, number: usize) -> &Bridge {
        self.bridges[number].as_ref().expect("a running bridge")
    }

    /// Pauses an agent through a bridge. Returns the promised end.
    fn pause(&self, bridge: usize, agent: u16, reason: &str) -> Timestamp {
        let query = format!("action=pause&agent={agent}&queue=6001&reason={reason}");
        let body = self.bridge(bridge).acme_ok(&query);
        parse_time(&body["queues"][0]["ends_at"])
    }

    /// Pauses an agent on Asterisk's command line. Returns the limit of the pause, which
    /// Asterisk counts in whole seconds.
    fn pause_elsewhere(&self, agent: u16) -> Timestamp {
        let interface = interface(agent);
        self.asterisk.cli(&format!(
            "queue pause member {interface} queue {QUEUE} reason Lunch"
        ));
        let rows = log_rows(&self.asterisk, QUEUE, agent);
        let row = rows.last().expect("a pause");
        assert_eq!(row.event, "PAUSE", "{row:?}");
        Timestamp::from_second(row.second + LUNCH_SECONDS).expect("a time")
    }

    /// Waits until a pause made after `begun` has ended. Asserts that it did so between `end`
    /// and `latest`.
    fn wait_for_end(&self, agent: u16, begun: Timestamp, end: Timestamp, latest: Timestamp) {
        let at = eventually(&format!("the pause of agent {agent} ends"), || {
            let times = self.watch.unpauses(QUEUE, agent, TIME_OVER);
            times.into_iter().find(|at| *at > begun)
        });
        assert!(
            (end..=latest).contains(&at),
            "the pause of agent {agent} must end between {end} and {latest}, not at {at}: {:#?}",
            log_rows(&self.asterisk, QUEUE, agent)
        );
    }
}

fn two_bridges_send_one_unpause_for_each_pause(version: u32) {
    let setup = Setup::start(version);
    for round in 1..=ROUNDS {
        let begun = Timestamp::now();
        let pause = |agent: u16| match agent % 3 {
            2 => (
                setup.pause_elsewhere(agent),
                MAX_STAND_IN_DELAY + Duration::from_secs(1),
            ),
            bridge => (
                setup.pause(usize::from(bridge), agent, "Lunch"),
                Duration::ZERO,
            ),
        };
        let ends: Vec<_> = AGENTS.map(|agent| (agent, pause(agent))).collect();
        for (agent, (end, delay)) in ends {
            setup.wait_for_end(agent, begun, end, end + MAX_DELAY + delay);
        }
        // The second bridge would send its unpause within this time.
        std::thread::sleep(MAX_STAND_IN_DELAY + MAX_DELAY);
        for agent in AGENTS.filter(|agent| agent % 3 != 2) {
            let rows = log_rows(&setup.asterisk, QUEUE, agent);
            assert_eq!(
                ended_rows(&rows).len(),
                round,
                "agent {agent} must be unpaused once for each of {round} pauses: {rows:#?}"
            );
        }
    }
    // Neither bridge stores these pauses, and each waits for a random time. On a busy machine,
    // both may rarely look at the same moment.
    let elsewhere = AGENTS.filter(|agent| agent % 3 == 2);
    let rows: Vec<_> = elsewhere
        .map(|agent| log_rows(&setup.asterisk, QUEUE, agent))
        .collect();
    let ends: usize = rows.iter().map(|rows| ended_rows(rows).len()).sum();
    let pauses = rows.len() * ROUNDS;
    assert!(
        (pauses..=pauses + 1).contains(&ends),
        "expected one unpause for each of {pauses} pauses made elsewhere, with one exception at \
         most: {rows:#?}"
    );
}

fn two_bridges_stand_in_for_each_other(version: u32) {
    let mut setup = Setup::start(version);
    let begun = Timestamp::now();
    let lunch = setup.pause(0, 1001, "Lunch");
    let errand_query = format!("Errand&duration={ERRAND_SECONDS}");
    let errand = setup.pause(0, 1002, &errand_query);
    let elsewhere = setup.pause_elsewhere(1003);
    setup.bridges[0] = None;
    let latest = |end| end + MAX_DELAY + MAX_STAND_IN_DELAY;
    setup.wait_for_end(1001, begun, lunch, latest(lunch));
    let second = Duration::from_secs(1);
    setup.wait_for_end(1003, begun, elsewhere, latest(elsewhere) + second);
    // The other bridge knows neither the end nor a limit of the errand.
    wait_until(latest(errand));
    let pause = pause_in_asterisk(&mut setup.asterisk.ami(), QUEUE, 1002);
    assert_eq!(
        pause,
        Some((true, "Errand".to_owned())),
        "the errand's end must wait for the bridge that has stored it"
    );
    setup.bridges[0] = Some(Bridge::start(&setup.configurations[0]));
    let restarted = Timestamp::now();
    setup.wait_for_end(1002, begun, errand, restarted + MAX_DELAY);
    for agent in [1001, 1002, 1003] {
        let rows = log_rows(&setup.asterisk, QUEUE, agent);
        assert_eq!(
            ended_rows(&rows).len(),
            1,
            "agent {agent} must be unpaused once: {rows:#?}"
        );
    }
}
