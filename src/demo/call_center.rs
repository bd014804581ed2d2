//! The behavior of the demo's call center.

use std::time::Duration;

use super::roster::{AGENTS, CALLERS, MANAGER_CONF, QUEUES_CONF};
use crate::simulator::{
    AgentBreaks, Behavior, CallerId, CallerSource, Config, InitialMember, ScheduledPause,
    device_state,
};

/// Agents up to this number take no breaks, so that only the demo's user pauses them.
const LAST_AGENT_WITHOUT_BREAKS: &str = "1005";

/// An agent whose phone is disconnected.
const UNAVAILABLE_AGENT: &str = "1019";

/// An agent who has left the phone. Asterisk pauses this agent at the first call.
const ABSENT_AGENT: &str = "1020";

/// Agents whose breaks last longer than the reason's limit. See `scheduled_pauses`.
const OVERDUE_AGENTS: [&str; 2] = ["1012", "1015"];

/// The agents of the night desk who can miss a call.
const NIGHT_DESK: [&str; 2] = ["1006", "1011"];

/// The reasons for breaks. `texts` lists some of them as the organization's reasons.
const PAUSE_REASONS: [&str; 5] = [
    "Lunch",
    SHORT_BREAK,
    "Back office",
    HEBREW_BREAK,
    "Training",
];

/// Asterisk's reason for pausing an agent who has missed a call.
const AUTO_PAUSE: &str = "Auto-Pause";

pub(super) const SHORT_BREAK: &str = "Short break";

pub(super) const HEBREW_BREAK: &str = "הפסקה";

/// Simulated time that passes before the demo starts. It fills the statistics and the queues,
/// which would otherwise be empty when the user opens the panel.
pub(super) const ELAPSED_TIME: Duration = Duration::from_secs(600);

/// Returns the configuration of the simulated PBX.
pub(super) fn config(seed: u64) -> Config {
    Config {
        behavior: behavior(),
        seed,
        members: members(),
        device_states: vec![(interface(UNAVAILABLE_AGENT), device_state::UNAVAILABLE)],
        elapsed: ELAPSED_TIME,
        ..Config::new(QUEUES_CONF, MANAGER_CONF)
    }
}

/// Returns the behavior of a busy call center. Calls arrive every few seconds, agents do not
/// answer all of them, and some callers give up.
fn behavior() -> Behavior {
    let caller_id = |(number, name): (&str, &str)| CallerId {
        number: number.to_owned(),
        name: name.to_owned(),
    };
    Behavior {
        answer_delay_ms: 1_000..20_000,
        answered_percent: 85,
        absent_interfaces: vec![interface(ABSENT_AGENT)],
        talk_time_ms: 15_000..60_000,
        // So that an agent is in wrap-up at almost any time.
        longest_call_end_interval: Some(Duration::from_secs(10)),
        agent_hangup_percent: 40,
        // Some callers wait longer than the minute after which the pages highlight them.
        patience_ms: 20_000..180_000,
        caller_sources: caller_sources(),
        caller_ids: CALLERS.map(caller_id).to_vec(),
        breaks: breaks(),
        scheduled_pauses: scheduled_pauses(),
    }
}

/// Returns the sources of calls. Two queues also get many calls at once, every few minutes. The
/// first such calls after `ELAPSED_TIME` arrive in the first seconds of the demo.
fn caller_sources() -> Vec<CallerSource> {
    let source = |queue: &str, interval_ms, callers| CallerSource {
        queue: queue.to_owned(),
        interval_ms,
        callers,
    };
    vec![
        source("Support", 8_000..25_000, 1),
        source("Sales", 10_000..35_000, 1),
        source("Billing", 20_000..60_000, 1),
        source("Orders", 20_000..60_000, 1),
        source("Repairs", 20_000..70_000, 1),
        source("Returns", 25_000..75_000, 1),
        source("Deliveries", 30_000..90_000, 1),
        source("Hebrew", 25_000..80_000, 1),
        source("Arabic", 30_000..90_000, 1),
        source("Night-desk", 40_000..120_000, 1),
        source("Support", 150_000..150_001, 10),
        source("Deliveries", 200_000..200_001, 4),
    ]
}

/// Returns the pauses that the demo shows at any time. At the start of the demo, after
/// `ELAPSED_TIME`, one agent is on a break that is over its limit of a minute, and the break of
/// another one exceeds it seconds later. Both take such breaks again and again. Asterisk has paused
/// another agent for a missed call. That agent is unpaused a minute later, and misses a call again.
fn scheduled_pauses() -> Vec<ScheduledPause> {
    let auto_pause = |agent: &str, ends_after, interval| ScheduledPause {
        interface: interface(agent),
        reason: AUTO_PAUSE.to_owned(),
        begins_after: None,
        ends_after: Duration::from_secs(ends_after),
        interval: Duration::from_secs(interval),
    };
    let [first_overdue, second_overdue] = OVERDUE_AGENTS;
    let mut pauses = vec![
        ScheduledPause {
            interface: interface(first_overdue),
            reason: SHORT_BREAK.to_owned(),
            begins_after: Some(Duration::from_secs(5)),
            ends_after: Duration::from_secs(155),
            interval: Duration::from_secs(180),
        },
        ScheduledPause {
            interface: interface(second_overdue),
            reason: HEBREW_BREAK.to_owned(),
            begins_after: Some(Duration::from_secs(30)),
            ends_after: Duration::from_secs(240),
            interval: Duration::from_secs(240),
        },
        auto_pause(ABSENT_AGENT, 60, 300),
    ];
    pauses.extend(NIGHT_DESK.map(|agent| auto_pause(agent, 20, 40)));
    pauses
}

fn breaks() -> AgentBreaks {
    let agents = AGENTS.iter().filter(|(number, ..)| {
        *number > LAST_AGENT_WITHOUT_BREAKS && !OVERDUE_AGENTS.contains(number)
    });
    AgentBreaks {
        interfaces: agents.map(|(number, ..)| interface(number)).collect(),
        reasons: PAUSE_REASONS.map(str::to_owned).to_vec(),
        first_after_ms: 5_000..300_000,
        interval_ms: 60_000..300_000,
        // Shorter than any limit. Only `OVERDUE_AGENTS` exceed one.
        length_ms: 20_000..55_000,
    }
}

fn members() -> Vec<InitialMember> {
    let mut members = Vec::new();
    for (number, name, queues) in AGENTS {
        // The penalty is 0 in an agent's first queue, and increases by 1 with each further
        // queue.
        for (penalty, queue) in (0..).zip(queues) {
            members.push(InitialMember {
                queue: (*queue).to_owned(),
                interface: interface(number),
                name: name.to_owned(),
                penalty,
            });
        }
    }
    members
}

pub(super) fn interface(agent: &str) -> String {
    format!("PJSIP/{agent}")
}

#[cfg(test)]
mod tests;
