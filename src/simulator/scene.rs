//! The call centre of the demonstration: its queues, its people, and the texts
//! around it.

use std::net::SocketAddr;
use std::time::Duration;

use super::habits::Habits;
use super::member::Member;
use super::pbx::Pbx;
use super::server::Config;

const QUEUES: &str = "
[general]
[all](!)
timeout = 15
ringinuse = no
servicelevel = 20

; Support: whoever is free picks up.
[demo-6001](all)
strategy = ringall
weight = 5

; Sales
[demo-6002](all)
strategy = leastrecent
maxlen = 20
wrapuptime = 5

; Billing
[demo-6003](all)
strategy = rrmemory

; Deliveries, with too few people: callers wait, and give up.
[demo-6004](all)
strategy = fewestcalls

; The night desk
[demo-6005](all)
strategy = linear
; A member of the configuration: the bridge can pause it, and not remove it.
member => PJSIP/1020,0,Static Sam
";

const MANAGER: &str = "
[queuebridge]
secret = demo
read = agent,system
write = agent
";

/// Phone number, name, and queues. The first five are left to whoever tries the
/// demonstration: they have no rest by themselves.
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

/// Agents whose number is up to this one have no rest by themselves.
const LEFT_ALONE: &str = "1005";

/// Whose telephone is not there.
const AWAY: &str = "PJSIP/1019";
const UNAVAILABLE: u8 = 5;

impl Habits {
    /// A busy day: calls every few seconds, of which some are not picked up and
    /// some callers give up.
    fn busy() -> Self {
        let resting = AGENTS.iter().filter(|(number, ..)| *number > LEFT_ALONE);
        Self {
            ring: 1_000..20_000,
            picked_up: 85,
            talk: 15_000..90_000,
            ended_by_agent: 40,
            patience: 15_000..75_000,
            arrivals: vec![
                ("demo-6001", 5_000..20_000),
                ("demo-6002", 5_000..25_000),
                ("demo-6003", 10_000..35_000),
                ("demo-6004", 8_000..25_000),
                ("demo-6005", 40_000..120_000),
            ],
            resting: resting
                .map(|(number, ..)| format!("PJSIP/{number}"))
                .collect(),
        }
    }
}

/// Figures of zero and nobody in a call would be a poor first sight.
const HEAD_START: Duration = Duration::from_secs(600);

impl Config {
    /// The demonstration's PBX, some time after its day has begun.
    #[must_use]
    pub fn demonstration(seed: u64) -> Self {
        Self {
            habits: Habits::busy(),
            seed,
            prepare: people,
            head_start: HEAD_START,
            ..Self::new(QUEUES, MANAGER)
        }
    }
}

/// Puts the people to their places.
fn people(pbx: &mut Pbx) {
    for (number, name, queues) in AGENTS {
        for (place, queue) in (0..).zip(queues) {
            let interface = format!("PJSIP/{number}");
            let mut member = Member::new(&interface, name, "", pbx.unix());
            // Who helps out in a second queue is rung there later.
            member.penalty = place;
            // Nobody has a place twice.
            let _ = pbx.add(&format!("demo-{queue}"), member, None);
        }
    }
    pbx.force_device(AWAY, UNAVAILABLE);
}

/// The bridge's configuration for it.
#[must_use]
pub fn configuration(ami: SocketAddr, listen: SocketAddr) -> String {
    format!(
        r#"
[http]
listen = "{listen}"

# Nothing beside the interface, so that no second port can be taken.
[admin]
listen = ""

# The terminal is for the lines to try.
[log]
level = "warn"

[pbx.simulated]
address = "{ami}"
username = "queuebridge"
secret = "demo"

[organization.demo]
queues = ["*"]
queue_name = "demo-{{queue}}"
agents = ["1001-1099"]
interface = "PJSIP/{{agent}}"

[[organization.demo.user]]
username = "demo"
password = "demo"
"#
    )
}

/// What there is to see, and lines to try.
#[must_use]
pub fn welcome(listen: SocketAddr, seed: u64) -> String {
    let login = "username=demo&password=demo";
    let curl = |query: &str| {
        format!("  curl -w '\\n' 'http://{listen}/API/UpdateAgentState.php?{login}&{query}'\n")
    };
    let lines = [
        "action=showqueuestat&queue=6001,6002",
        "action=pause&agent=1001&reason=Lunch",
        "action=showstate&agent=1001",
        "action=unpause&agent=1001",
        "action=add&agent=1021&queue=6004&alias=Noa",
    ];
    format!(
        "A simulated PBX with queues 6001 to 6005, agents 1001 to 1020, and callers.\n\
         \n  panel     http://{listen}/\n  username  demo\n  password  demo\n\
         \nTry, in another terminal:\n\n{}\
         \nThe same happens again with --seed {seed}. Ctrl-C ends it; nothing is kept.\n",
        lines.map(curl).concat()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that is told in a quarter of an hour, looked at each second.
    fn told(seed: u64) -> (Pbx, Vec<String>) {
        let mut pbx = Pbx::new(QUEUES, Habits::busy(), seed, Duration::from_secs(1_000));
        people(&mut pbx);
        let mut told = Vec::new();
        for second in 0..900 {
            pbx.advance(Duration::from_secs(second));
            told.extend(pbx.take_events().into_iter().map(|event| event.text));
        }
        (pbx, told)
    }

    #[test]
    fn the_same_happens_from_the_same_seed() {
        let (first, second, other) = (told(1).1, told(1).1, told(2).1);
        assert_eq!(first, second);
        assert_ne!(first, other);
    }

    #[test]
    fn everything_that_can_happen_does() {
        let (pbx, told) = told(1);
        for event in [
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
            let start = format!("Event: {event}\r\n");
            let count = told.iter().filter(|text| text.starts_with(&start)).count();
            assert!(count >= 5, "{event}: {count}");
        }
        // Neither empty nor overrun.
        for queue in &pbx.queues {
            assert!(queue.figures.completed >= 3, "{queue:?}");
            assert!(queue.callers.len() <= 8, "{queue:?}");
        }
        // What is told is what is: who waits, who talks, which telephone is in use.
        let waiting: usize = pbx.queues.iter().map(|queue| queue.callers.len()).sum();
        let talking: u32 = pbx.devices.values().map(|device| device.talking).sum();
        assert_eq!(pbx.calls.len(), waiting + talking as usize);
        let members = pbx.queues.iter().flat_map(|queue| &queue.members);
        let in_call = members.clone().filter(|member| member.in_call).count();
        assert_eq!(in_call, talking as usize);
        assert!(
            members
                .filter(|member| member.in_call)
                .all(|member| member.status == 2)
        );
    }
}
