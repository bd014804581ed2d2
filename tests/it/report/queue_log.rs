//! The report equals `queue_log`, to the second.

use serde_json::Value;

use super::comparison::{assert_equal, compare, compare_reasons};
use super::judge::{Judge, SERVICE_LEVEL_SECONDS, Span};
use super::late_events::LateEvents;
use crate::support::{
    Ami, Asterisk, Bridge, Reason, configuration, eventually, manager_conf, on_both_versions,
    sample_config, wait_for_start_of_second, with_acme_keys, with_reasons, with_state_directory,
};

on_both_versions!(
    report_equals_queue_log,
    difference_lies_within_the_gap_after_a_kill,
);

/// Agent 1090 never answers.
const AGENTS: [&str; 5] = ["1001", "1002", "1003", "1004", "1090"];
const QUEUES: [&str; 2] = ["6001", "6002"];
const REASONS: [&str; 3] = ["Lunch", "Break", ""];

/// An Asterisk and a bridge, in which agents pause and take calls.
struct Scene {
    asterisk: Asterisk,
    ami: Ami,
    bridge: Option<Bridge>,
    configuration: String,
    random: fastrand::Rng,
    /// Deleted with the scene.
    _state: tempfile::TempDir,
}

impl Scene {
    fn start(version: u32) -> Self {
        let service_level = format!("servicelevel = {SERVICE_LEVEL_SECONDS}");
        let queues = sample_config("queues.conf")
            .replace("timeout = 15", "timeout = 3")
            .replace("servicelevel = 60", &service_level);
        // Otherwise, events on a busy machine may arrive in a later second than they happened in.
        let manager = manager_conf().replace("[general]", "[general]\ntimestampevents = yes");
        let files = [("queues.conf", &*queues), ("manager.conf", &manager)];
        let asterisk = Asterisk::start_with(version, &files);
        let state = tempfile::tempdir().expect("a folder");
        let lunch = Reason {
            name: "Lunch",
            limit: Some("1h"),
            ends: false,
        };
        let configuration = with_reasons(&configuration(asterisk.port), &[lunch]);
        let configuration = with_acme_keys(&configuration, "time_zone = \"Asia/Jerusalem\"");
        let configuration = with_state_directory(&configuration, state.path());
        Self {
            bridge: Some(Bridge::start(&configuration)),
            ami: asterisk.ami(),
            asterisk,
            configuration,
            random: fastrand::Rng::with_seed(21),
            _state: state,
        }
    }

    fn bridge(&self) -> &Bridge {
        self.bridge.as_ref().expect("a running bridge")
    }

    /// Lets each agent do at most one thing in the second that begins, and callers come and go.
    fn step(&mut self, step: u32) {
        wait_for_next_second();
        for agent in AGENTS {
            let change = self.random.u32(..8);
            if change < 2 {
                wait_for_early_second();
            }
            match change {
                0 => self.pause(agent),
                1 => self.unpause(agent),
                _ => {}
            }
        }
        if !step.is_multiple_of(3) {
            let queue = self.random.choice(QUEUES).expect("a queue");
            self.asterisk.add_caller(&format!("acme-{queue}"));
        }
        if step % 7 == 6 {
            self.asterisk.cli("channel request hangup all");
        }
    }

    /// Pauses an agent in all queues through the bridge, or in one queue on the PBX's console.
    fn pause(&mut self, agent: &str) {
        let reason = self.random.choice(REASONS).expect("a reason");
        match &self.bridge {
            Some(bridge) if self.random.bool() => {
                bridge.acme_ok(&format!("action=pause&agent={agent}&reason={reason}"));
            }
            _ => {
                let queue = self.random.choice(QUEUES).expect("a queue");
                self.ami_pause(agent, queue, true, reason);
            }
        }
    }

    fn unpause(&mut self, agent: &str) {
        match &self.bridge {
            Some(bridge) if self.random.bool() => {
                bridge.acme_ok(&format!("action=unpause&agent={agent}"));
            }
            _ => {
                for queue in QUEUES {
                    self.ami_pause(agent, queue, false, "");
                }
            }
        }
    }

    /// Pauses or unpauses an agent in a queue through AMI, as another program would.
    fn ami_pause(&mut self, agent: &str, queue: &str, paused: bool, reason: &str) {
        let reply = self.ami.reply_text(&format!(
            "QueuePause\r\nQueue: acme-{queue}\r\nInterface: Local/{agent}@acme-agents\r\n\
             Paused: {paused}\r\nReason: {reason}"
        ));
        assert!(reply.starts_with("Success"), "{reply}");
    }

    fn add_members(&self) {
        wait_for_next_second();
        let agents = AGENTS.join(",");
        for queue in QUEUES {
            self.bridge()
                .acme_ok(&format!("action=add&agent={agents}&queue={queue}"));
        }
    }

    /// Ends all calls, and then all logins.
    fn finish(&self) {
        self.asterisk.cli("channel request hangup all");
        eventually("all channels end", || {
            let channels = self.asterisk.cli("core show channels");
            channels.contains("0 active channels").then_some(())
        });
        wait_for_next_second();
        let agents = AGENTS.join(",");
        self.bridge()
            .acme_ok(&format!("action=remove&agent={agents}&queue=*"));
    }

    /// Returns the rows of today's report.
    fn rows(&self, query: &str) -> Vec<Value> {
        let report = self.bridge().acme_ok(&format!("action=showreport&{query}"));
        report["rows"].as_array().expect("rows").clone()
    }

    fn row(&self, query: &str, key: &str, value: &str) -> Value {
        let rows = self.rows(query);
        let row = rows.into_iter().find(|row| row[key] == value);
        row.unwrap_or_else(|| panic!("no row for {key} {value}"))
    }
}

/// Waits until it is early in a second. Asterisk reads the clock several times for one change, and
/// on a busy machine, a second could begin in between.
fn wait_for_early_second() {
    if jiff::Timestamp::now().subsec_millisecond() > 250 {
        wait_for_start_of_second();
    }
}

/// Waits until another second begins, so that an agent does at most one thing in a second.
fn wait_for_next_second() {
    let second = || jiff::Timestamp::now().as_second();
    let before = second();
    eventually("the second ends", || (second() > before).then_some(()));
    wait_for_start_of_second();
}

fn report_equals_queue_log(version: u32) {
    let mut scene = Scene::start(version);
    let late_events = LateEvents::watch(&scene.asterisk);
    scene.add_members();
    for step in 0..70 {
        scene.step(step);
    }
    scene.finish();
    let log = scene.asterisk.queue_log();
    let judge = Judge::of(&log, i64::MAX, &[]);
    let events = |event: &str| log.matches(&format!("|{event}|")).count();
    println!(
        "{} pauses, {} calls, {} given up, {} missed",
        events("PAUSE"),
        events("CONNECT"),
        events("ABANDON"),
        events("RINGNOANSWER"),
    );
    assert!(events("PAUSE") > 30 && events("CONNECT") > 10, "{log}");
    assert!(events("ABANDON") > 0 && events("RINGNOANSWER") > 0, "{log}");
    assert_equal(|| {
        for agent in AGENTS {
            let expected = judge.agent(agent);
            let row = scene.row("by=agent", "agent", agent);
            let late = |name: &str| late_events.seconds(&log, name, |_, own| own == agent);
            compare(agent, &row, &expected, |number, name| {
                let expected = expected[name].as_i64().expect("a number");
                (number - expected).abs() <= late(name)
            })?;
            if late("pauses") == 0 {
                compare_reasons(agent, &row, &expected)?;
            }
        }
        for queue in QUEUES {
            let expected = judge.queue(queue, &AGENTS);
            let agents = AGENTS.join(",");
            let own = scene.row(&format!("by=queue&agent={agents}"), "queue", queue);
            let mut row = scene.row("by=queue", "queue", queue);
            // The figures of agents without the static member, and those of callers.
            for (name, value) in own.as_object().expect("an object") {
                row[name] = value.clone();
            }
            compare(queue, &row, &expected, |number, name| {
                let expected = expected[name].as_i64().expect("a number");
                let late = late_events.seconds(&log, name, |own, _| own == queue);
                (number - expected).abs() <= late
            })?;
        }
        Ok(())
    });
    let agents = AGENTS.join(",");
    let sum = |rows: Vec<Value>, name: &str| -> i64 {
        rows.iter()
            .map(|row| row[name].as_i64().expect("a number"))
            .sum()
    };
    for name in [
        "logged_in_seconds",
        "paused_seconds",
        "calls_taken",
        "pauses",
    ] {
        let by_agent = sum(scene.rows(&format!("agent={agents}")), name);
        let by_day = sum(scene.rows(&format!("by=day&agent={agents}")), name);
        assert_eq!(by_agent, by_day, "{name}");
    }
}

fn difference_lies_within_the_gap_after_a_kill(version: u32) {
    let mut scene = Scene::start(version);
    let late_events = LateEvents::watch(&scene.asterisk);
    scene.add_members();
    for step in 0..30 {
        scene.step(step);
    }
    // SIGKILL.
    scene.bridge = None;
    for step in 30..36 {
        scene.step(step);
    }
    scene.bridge = Some(Bridge::start(&scene.configuration));
    for step in 36..50 {
        scene.step(step);
    }
    scene.finish();
    let report = scene.bridge().acme_ok("action=showreport");
    assert_eq!(report["complete"], false);
    let gaps: Vec<Span> = report["gaps"]
        .as_array()
        .expect("gaps")
        .iter()
        .map(|gap| {
            let time = |name: &str| {
                let text = gap[name].as_str().expect("a time");
                text.parse::<jiff::Timestamp>().expect("a time").as_second()
            };
            (time("from"), time("to"))
        })
        .collect();
    assert_eq!(gaps.len(), 1, "{report}");
    assert!(gaps[0].1 - gaps[0].0 < 30, "{report}");
    let log = scene.asterisk.queue_log();
    let all = Judge::of(&log, i64::MAX, &[]);
    let seen = Judge::of(&log, i64::MAX, &gaps);
    assert_equal(|| {
        for agent in AGENTS {
            let late = |name: &str| late_events.seconds(&log, name, |_, own| own == agent);
            let (all, seen) = (all.agent(agent), seen.agent(agent));
            let row = scene.row("by=agent", "agent", agent);
            compare(agent, &row, &all, |number, name| {
                let number_of = |row: &Value| row[name].as_i64().unwrap_or(0);
                let range = number_of(&seen)..=number_of(&all);
                number >= range.start() - late(name) && number <= range.end() + late(name)
            })?;
            // All members were there all the time, which Asterisk proves.
            compare(agent, &row, &all, |number, name| {
                let expected = all[name].as_i64().unwrap_or(0);
                name != "logged_in_seconds" || (number - expected).abs() <= late(name)
            })?;
        }
        Ok(())
    });
}
