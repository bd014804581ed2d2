//! Many agents are paused, unpaused, removed and added at random, by the bridge and by others.
//! For each agent, only the last change decides whether the bridge ends a pause.

use std::fmt::Write as _;
use std::sync::Mutex;
use std::time::Duration;

use fastrand::Rng;
use jiff::Timestamp;

use super::{
    LogRow, MAX_DELAY, Scene, TIME_OVER, interface, is_before, log_rows, parse_time, wait_until,
};
use crate::support::{Ami, on_both_versions};

on_both_versions!(last_change_of_each_agent_decides_about_its_pause);

const QUEUE: &str = "acme-6001";

const AGENTS: std::ops::Range<u16> = 1001..1031;

/// The number of changes of each agent.
const CHANGES: usize = 25;

#[derive(Debug, Clone, Copy)]
enum Change {
    /// A pause with a duration, in seconds.
    Timed(u8),
    Untimed,
    Unpause,
    /// Through AMI, with the reason of the bridge's pauses.
    PauseElsewhere,
    UnpauseElsewhere,
    /// Removed, and added as a paused member with a duration, in seconds.
    AddedPaused(u8),
}

impl Change {
    fn random(rng: &mut Rng) -> Self {
        match rng.u8(..10) {
            0..4 => Self::Timed(rng.u8(1..4)),
            4 => Self::Untimed,
            5 => Self::Unpause,
            6 => Self::PauseElsewhere,
            7 => Self::UnpauseElsewhere,
            _ => Self::AddedPaused(rng.u8(1..4)),
        }
    }

    /// Makes the change. Returns the promised end, if any.
    fn make(self, agent: u16, scene: &Scene, ami: &Mutex<Ami>) -> Option<Timestamp> {
        let request = |query: &str| {
            let query = format!("action={query}&agent={agent}&queue=6001");
            let body = scene.bridge().acme_ok(&query);
            let end = body["queues"][0].get("ends_at")?;
            end.is_string().then(|| parse_time(end))
        };
        let elsewhere = |paused: bool| {
            let reply = ami.lock().expect("an unpoisoned lock").reply_text(&format!(
                "QueuePause\r\nQueue: {QUEUE}\r\nInterface: {}\r\nPaused: {paused}\r\nReason: Tea",
                interface(agent)
            ));
            assert!(reply.starts_with("Success"), "{reply}");
            None
        };
        match self {
            Self::Timed(seconds) => request(&format!("pause&reason=Tea&duration={seconds}")),
            Self::Untimed => request("pause&reason=Tea"),
            Self::Unpause => request("unpause"),
            Self::PauseElsewhere => elsewhere(true),
            Self::UnpauseElsewhere => elsewhere(false),
            Self::AddedPaused(seconds) => {
                request("remove");
                request(&format!("add&paused=1&reason=Tea&duration={seconds}"))
            }
        }
    }
}

/// The changes of an agent, and the promised end of the last one.
struct History {
    agent: u16,
    changes: Vec<Change>,
    end: Option<Timestamp>,
}

impl History {
    fn run(agent: u16, mut rng: Rng, scene: &Scene, ami: &Mutex<Ami>) -> Self {
        let mut end = None;
        let mut changes = Vec::new();
        for _ in 0..CHANGES {
            let change = Change::random(&mut rng);
            end = change.make(agent, scene, ami);
            changes.push(change);
            // The changes have random distances, so that some meet the end of a pause.
            std::thread::sleep(Duration::from_millis(rng.u64(..400)));
        }
        Self {
            agent,
            changes,
            end,
        }
    }

    /// Describes how the outcome differs from what the last change demands.
    fn difference(&self, scene: &Scene) -> Option<String> {
        let rows = log_rows(&scene.asterisk, QUEUE, self.agent);
        let last = self.changes.last().expect("a change");
        let changed = match last {
            Change::Unpause | Change::UnpauseElsewhere => {
                |row: &LogRow| row.event == "UNPAUSE" && row.reason != TIME_OVER
            }
            _ => |row: &LogRow| row.event == "PAUSE",
        };
        let index = rows.iter().rposition(changed).map_or(0, |index| index + 1);
        let later = rows[index..].iter();
        // Asterisk 22 logs no pause for a member that is added paused.
        let is_relevant = |row: &&LogRow| match (last, self.end) {
            (Change::AddedPaused(_), Some(end)) => !is_before(row, end),
            _ => true,
        };
        let ends: Vec<_> = later.filter(is_relevant).collect();
        let is_right = match self.end {
            Some(end) => ends.len() == 1 && ends[0].reason == TIME_OVER && !is_before(ends[0], end),
            None => ends.is_empty(),
        };
        let expected = if self.end.is_some() {
            "one end"
        } else {
            "no end"
        };
        (!is_right).then(|| {
            format!(
                "agent {}: expected {expected} after the last change, {last:?} (end: {:?}), \
                 but found {ends:#?}. Changes: {:?}",
                self.agent, self.end, self.changes
            )
        })
    }
}

fn last_change_of_each_agent_decides_about_its_pause(version: u32) {
    let scene = Scene::start(version, &[]);
    for agent in AGENTS {
        scene
            .bridge()
            .acme_ok(&format!("action=add&agent={agent}&queue=6001"));
    }
    let mut rng = Rng::new();
    let ami = Mutex::new(scene.asterisk.ami());
    let histories: Vec<_> = std::thread::scope(|scope| {
        let (scene, ami) = (&scene, &ami);
        let run = |agent| {
            let rng = rng.fork();
            scope.spawn(move || History::run(agent, rng, scene, ami))
        };
        let threads: Vec<_> = AGENTS.map(run).collect();
        let results = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
        results
            .map(|result| result.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    let last_end = histories.iter().filter_map(|history| history.end).max();
    // A wrong end, or a second one, would come within this time.
    wait_until(last_end.unwrap_or(Timestamp::now()) + MAX_DELAY * 2);
    let differences = histories
        .iter()
        .filter_map(|history| history.difference(&scene));
    let text = differences.fold(String::new(), |mut text, difference| {
        let _ = writeln!(text, "{difference}");
        text
    });
    assert!(text.is_empty(), "\n{text}");
}
