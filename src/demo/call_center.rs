//! The demo's call center: its queues, agents and callers.

use std::time::Duration;

use crate::simulator::{
    AgentBreaks, Behavior, CallerId, CallerSource, Config, InitialMember, ScheduledPause,
    device_state,
};

const QUEUES_CONF: &str = "
[general]
[all](!)
timeout = 15
wrapuptime = 15
ringinuse = no
servicelevel = 20

; Support. All available agents ring.
[demo-6001](all)
strategy = ringall
weight = 5

; Sales
[demo-6002](all)
strategy = leastrecent
maxlen = 20

; Billing
[demo-6003](all)
strategy = rrmemory

; Deliveries. There are too few agents, so callers wait and give up.
[demo-6004](all)
strategy = fewestcalls

; Night desk. Asterisk pauses agents who do not answer.
[demo-6005](all)
strategy = linear
autopause = yes
; A static member. The bridge can pause it, but not remove it.
member => PJSIP/1020,0,Static Sam
";

const MANAGER_CONF: &str = "
[queuebridge]
secret = demo
read = agent,system
write = agent
";

/// The number, name and queues of each agent.
const AGENTS: [(&str, &str, &[&str]); 19] = [
    ("1001", "Dana Levi", &["6001", "6002"]),
    ("1002", "דנה כהן", &["6001", "6003"]),
    ("1003", "أمل حداد", &["6001"]),
    ("1004", "Zoë Müller", &["6002", "6003"]),
    ("1005", "Miguel Ángel Ruiz", &["6004"]),
    ("1006", "Анна Иванова", &["6001", "6005"]),
    ("1007", "山田 太郎", &["6002"]),
    ("1008", "Łukasz Żak", &["6003"]),
    ("1009", "יוסי אברהם", &["6001", "6002", "6003"]),
    ("1010", "محمد علي", &["6002"]),
    ("1011", "Élodie Moreau", &["6003", "6005"]),
    ("1012", "Γιώργος Παππάς", &["6001"]),
    ("1013", "Nguyễn Thị Hoa", &["6002"]),
    ("1014", "प्रिया शर्मा", &["6001", "6003"]),
    ("1015", "שירה מזרחי", &["6004", "6002"]),
    ("1016", "Oluwaseun Ade", &["6002"]),
    ("1017", "Kim Min-jun", &["6003"]),
    ("1018", "ليلى منصور", &["6001"]),
    ("1019", "Håkon Åsen", &["6005"]),
];

/// Agents up to this number take no breaks, so that only the demo's user pauses them.
const LAST_AGENT_WITHOUT_BREAKS: &str = "1005";

/// An agent whose phone is disconnected.
const UNAVAILABLE_AGENT: &str = "1019";

/// An agent who has left the phone. Asterisk pauses this agent at the first call.
const ABSENT_AGENT: &str = "1020";

/// An agent whose short breaks last longer than the reason's limit.
const OVERDUE_AGENT: &str = "1012";

/// The agents of the night desk who can miss a call.
const NIGHT_DESK: [&str; 2] = ["1006", "1011"];

/// The reasons for breaks. `texts` lists some of them as the organization's reasons.
const PAUSE_REASONS: [&str; 5] = ["Lunch", SHORT_BREAK, "Back office", "הפסקה", "Training"];

/// Asterisk's reason for pausing an agent who has missed a call.
const AUTO_PAUSE: &str = "Auto-Pause";

const SHORT_BREAK: &str = "Short break";

/// The number and name of each caller.
const CALLERS: [(&str, &str); 10] = [
    ("0501234567", "Sample Caller"),
    ("0521112233", "נועה פרץ"),
    ("+442071838750", "Oliver Smith"),
    ("+33142685300", "Chloé Dubois"),
    ("+4930901820", "Jürgen Weiß"),
    ("0547654321", "أحمد خليل"),
    ("+74957556983", "Ольга Смирнова"),
    ("+81332110111", "佐藤 花子"),
    ("", ""),
    ("036123456", ""),
];

/// Simulated time that passes before the demo starts. It fills the statistics and the queues,
/// which would otherwise be empty when the user opens the panel.
const ELAPSED_TIME: Duration = Duration::from_secs(600);

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
    let source = |queue: &str, interval_ms| CallerSource {
        queue: queue.to_owned(),
        interval_ms,
    };
    let caller_id = |(number, name): (&str, &str)| CallerId {
        number: number.to_owned(),
        name: name.to_owned(),
    };
    Behavior {
        answer_delay_ms: 1_000..20_000,
        answered_percent: 85,
        absent_interfaces: vec![interface(ABSENT_AGENT)],
        talk_time_ms: 15_000..90_000,
        // So that an agent is in wrap-up at almost any time.
        longest_call_end_interval: Some(Duration::from_secs(10)),
        agent_hangup_percent: 40,
        patience_ms: 15_000..75_000,
        caller_sources: vec![
            source("demo-6001", 5_000..20_000),
            source("demo-6002", 5_000..25_000),
            source("demo-6003", 10_000..35_000),
            source("demo-6004", 8_000..25_000),
            source("demo-6005", 30_000..90_000),
        ],
        caller_ids: CALLERS.map(caller_id).to_vec(),
        breaks: breaks(),
        scheduled_pauses: scheduled_pauses(),
    }
}

/// Returns the pauses that the demo shows at any time. At the start of the demo, after
/// `ELAPSED_TIME`, one agent is on a short break that exceeds its limit of a minute seconds
/// later. Asterisk has paused another agent for a missed call. That agent is unpaused a minute
/// later, and misses a call again.
fn scheduled_pauses() -> Vec<ScheduledPause> {
    let auto_pause = |agent: &str, ends_after, interval| ScheduledPause {
        interface: interface(agent),
        reason: AUTO_PAUSE.to_owned(),
        begins_after: None,
        ends_after: Duration::from_secs(ends_after),
        interval: Duration::from_secs(interval),
    };
    let mut pauses = vec![
        ScheduledPause {
            interface: interface(OVERDUE_AGENT),
            reason: SHORT_BREAK.to_owned(),
            begins_after: Some(Duration::from_secs(5)),
            ends_after: Duration::from_secs(155),
            interval: Duration::from_secs(180),
        },
        auto_pause(ABSENT_AGENT, 60, 300),
    ];
    pauses.extend(NIGHT_DESK.map(|agent| auto_pause(agent, 20, 40)));
    pauses
}

fn breaks() -> AgentBreaks {
    let agents = AGENTS
        .iter()
        .filter(|(number, ..)| *number > LAST_AGENT_WITHOUT_BREAKS && *number != OVERDUE_AGENT);
    AgentBreaks {
        interfaces: agents.map(|(number, ..)| interface(number)).collect(),
        reasons: PAUSE_REASONS.map(str::to_owned).to_vec(),
        first_after_ms: 5_000..300_000,
        interval_ms: 60_000..300_000,
        length_ms: 20_000..90_000,
    }
}

fn members() -> Vec<InitialMember> {
    let mut members = Vec::new();
    for (number, name, queues) in AGENTS {
        // The penalty is 0 in an agent's first queue, and increases by 1 with each further
        // queue.
        for (penalty, queue) in (0..).zip(queues) {
            members.push(InitialMember {
                queue: format!("demo-{queue}"),
                interface: interface(number),
                name: name.to_owned(),
                penalty,
            });
        }
    }
    members
}

fn interface(agent: &str) -> String {
    format!("PJSIP/{agent}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::{Member, SimulatedPbx};

    /// Runs the call center for 15 minutes in steps of one second. Returns the text of
    /// every event.
    fn run(seed: u64) -> (SimulatedPbx, Vec<String>) {
        let mut pbx = config(seed).build_pbx(Duration::from_secs(1_000));
        let mut events = Vec::new();
        for second in 0..900 {
            pbx.advance(Duration::from_secs(second));
            events.extend(pbx.take_events().into_iter().map(|event| event.text));
        }
        (pbx, events)
    }

    #[test]
    fn same_seed_produces_the_same_events() {
        let (first, repeated, different) = (run(1).1, run(1).1, run(2).1);
        assert_eq!(first, repeated);
        assert_ne!(first, different);
    }

    #[test]
    fn every_event_type_occurs() {
        let (_, events) = run(1);
        for name in [
            "QueueCallerJoin",
            "QueueCallerLeave",
            "QueueCallerAbandon",
            "AgentCalled",
            "AgentRingNoAnswer",
            "AgentConnect",
            "AgentComplete",
            "QueueMemberStatus",
            "QueueMemberPause",
        ] {
            let start = format!("Event: {name}\r\n");
            let events = events.iter().filter(|text| text.starts_with(&start));
            let count = events.count();
            assert!(count >= 5, "{name}: {count}");
        }
    }

    #[test]
    fn queues_complete_calls_and_stay_short() {
        for queue in &run(1).0.queues {
            assert!(queue.statistics.completed >= 3, "{queue:?}");
            assert!(queue.callers.len() <= 8, "{queue:?}");
        }
    }

    #[test]
    fn callers_members_and_devices_agree_on_active_calls() {
        let (pbx, _) = run(1);
        let waiting: usize = pbx.queues.iter().map(|queue| queue.callers.len()).sum();
        let devices = pbx.devices.values();
        let active: u32 = devices.map(|device| device.active_calls).sum();
        assert_eq!(pbx.calls.len(), waiting + active as usize);
        let members = pbx.queues.iter().flat_map(|queue| &queue.members);
        let in_call: Vec<_> = members.filter(|member| member.in_call).collect();
        assert_eq!(in_call.len(), active as usize);
        assert!(
            in_call
                .iter()
                .all(|member| member.status == device_state::IN_USE)
        );
    }

    /// Returns the interfaces of the members for whom `condition` holds.
    fn members_with(pbx: &SimulatedPbx, condition: impl Fn(&Member, u64) -> bool) -> Vec<&str> {
        let now = pbx.unix_seconds();
        let members = pbx.queues.iter().flat_map(|queue| &queue.members);
        let matching = members.filter(|member| condition(member, now));
        matching.map(|member| member.interface.as_str()).collect()
    }

    #[test]
    fn demo_starts_with_a_long_break_an_auto_pause_and_wrap_up() {
        for seed in 0..20 {
            let mut pbx = config(seed).build_pbx(Duration::from_secs(1_000));
            let mut last_wrap_up = 0;
            for second in 0..60 {
                pbx.advance(ELAPSED_TIME + Duration::from_secs(second));
                let auto_paused = members_with(&pbx, |member, _| member.reason == AUTO_PAUSE);
                assert!(auto_paused.contains(&"PJSIP/1020"), "{seed}, {second} s");
                let in_wrap_up = members_with(&pbx, |member, now| {
                    let is_free = !member.paused && member.status == device_state::NOT_IN_USE;
                    is_free && now < member.last_call + 15
                });
                if !in_wrap_up.is_empty() {
                    last_wrap_up = second;
                }
                assert!(second - last_wrap_up < 10, "{seed}, {second} s");
                let on_long_break = members_with(&pbx, |member, now| {
                    member.reason == SHORT_BREAK && now >= member.last_pause + 60
                });
                let is_overdue = on_long_break.contains(&"PJSIP/1012");
                assert_eq!(is_overdue, second >= 5, "{seed}, {second} s");
            }
        }
    }

    #[test]
    fn auto_paused_agent_returns_and_misses_another_call() {
        let mut pbx = config(1).build_pbx(Duration::from_secs(1_000));
        let mut states = Vec::new();
        for second in 0..600 {
            pbx.advance(ELAPSED_TIME + Duration::from_secs(second));
            let auto_paused = members_with(&pbx, |member, _| member.reason == AUTO_PAUSE);
            states.push(auto_paused.contains(&"PJSIP/1020"));
        }
        states.dedup();
        assert_eq!(states, [true, false, true, false, true]);
    }
}
