//! Whatever a limited account asks, nothing in responses and streams names agents and queues
//! outside of its limits.
//!
//! All names that an account must not see contain `zz`, and no other text does.

use std::cell::RefCell;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};

use super::usage::Usage;
use crate::stream::client::EventClient;
use crate::support::{
    ACME, Ami, Asterisk, Bridge, GLOBEX, SIMULATED, User, configuration_with, organization, request,
};

/// The queue `acme-own` is shared: it has members that limited accounts must not see.
const QUEUES: &str = "[general]\n\
    [acme-own]\nstrategy = ringall\n\
    [acme-zz-other]\nstrategy = ringall\nmember => Local/zz-static@acme-agents,0,zz-static-alias\n\
    [globex-zz-foreign]\nstrategy = ringall\n";

/// The caller of the sample dialplan, and the context of the caller's channel.
const CALLER: [&str; 3] = ["0501234567", "Sample Caller", "@callers"];

/// The reason of the pause that ends the test.
const LAST_REASON: &str = "the last pause";

const BOTH: User = user("both");
const AGENTS: User = user("agents");

const fn user(username: &'static str) -> User {
    let password = "sample-password";
    User { username, password }
}

fn limited(user: User, limits: &str) -> String {
    let User { username, password } = user;
    format!(
        "[[organization.acme.user]]\nusername = \"{username}\"\npassword = \"{password}\"\n\
         {limits}\n"
    )
}

/// Something that a client asks.
#[derive(Debug, Clone)]
struct Question {
    user: User,
    target: String,
    /// The texts in the request that the response may repeat.
    named: Vec<&'static str>,
}

/// A change of other agents, made without the bridge.
#[derive(Debug, Clone, Copy)]
enum Disturbance {
    Pause {
        interface: &'static str,
        queue: &'static str,
        is_paused: bool,
    },
    Remove {
        interface: &'static str,
        queue: &'static str,
    },
    Add {
        interface: &'static str,
        queue: &'static str,
    },
    Call(&'static str),
    HangUp,
    DeviceState(&'static str),
}

fn disturbance() -> impl Strategy<Value = Disturbance> {
    let interface = || {
        select(vec![
            "Local/zz-near@acme-agents",
            "Local/zz-far@acme-agents",
            "SIP/zz-phone",
            "Local/zz-foreign@globex-agents",
        ])
    };
    let queue = || select(vec!["acme-own", "acme-zz-other"]);
    let target = || (interface(), queue());
    prop_oneof![
        3 => (target(), any::<bool>()).prop_map(|((interface, queue), is_paused)| {
            Disturbance::Pause { interface, queue, is_paused }
        }),
        1 => any::<bool>().prop_map(|is_paused| Disturbance::Pause {
            interface: "Local/own@acme-agents",
            queue: "acme-zz-other",
            is_paused,
        }),
        2 => target().prop_map(|(interface, queue)| Disturbance::Remove { interface, queue }),
        3 => target().prop_map(|(interface, queue)| Disturbance::Add { interface, queue }),
        1 => queue().prop_map(Disturbance::Call),
        1 => Just(Disturbance::HangUp),
        1 => select(vec!["INUSE", "NOT_INUSE", "RINGING"]).prop_map(Disturbance::DeviceState),
    ]
}

impl Disturbance {
    fn make(self, asterisk: &Asterisk, ami: &mut Ami) {
        let member = |action: &str, interface: &str, queue: &str| {
            format!("Action: {action}\r\nInterface: {interface}\r\nQueue: {queue}")
        };
        // Asterisk refuses some of these actions, such as the removal of an agent who is no member.
        let action = match self {
            Self::Pause {
                interface,
                queue,
                is_paused,
            } => {
                let head = member("QueuePause", interface, queue);
                // The queue's name as the reason: who sees the queue may see this pause.
                let reason = match interface {
                    "Local/own@acme-agents" => queue,
                    _ => "zz-reason",
                };
                format!("{head}\r\nPaused: {is_paused}\r\nReason: {reason}")
            }
            Self::Remove { interface, queue } => member("QueueRemove", interface, queue),
            Self::Add { interface, queue } => {
                let head = member("QueueAdd", interface, queue);
                format!("{head}\r\nMemberName: zz-alias")
            }
            Self::Call(queue) => return asterisk.add_caller(queue),
            Self::HangUp => {
                asterisk.cli("channel request hangup all");
                return;
            }
            Self::DeviceState(state) => {
                asterisk.cli(&format!("devstate change SIP/zz-phone {state}"));
                return;
            }
        };
        ami.send(&action);
    }
}

/// Names of agents or queues that a client may send, including others' in another spelling, and
/// texts that name nobody.
const AGENT_NAMES: &[&str] = &[
    "own",
    "OWN",
    "own",
    "zz-near",
    "zz-far",
    "ZZ-near",
    "zz-foreign",
    "zz-nobody",
    "own,zz-near",
    "zz-near,zz-far",
    "*",
    "",
    "a%20b",
    "%ff",
];
const QUEUE_NAMES: &[&str] = &[
    "own",
    "OWN",
    "own",
    "zz-other",
    "ZZ-Other",
    "zz-foreign",
    "zz-nobody",
    "own,zz-other",
    "zz-other,own",
    "own,zz-nobody",
    "*",
    "",
    "acme-zz-other",
    "%00",
];
const MORE_PARAMETERS: &[&str] = &[
    "",
    "",
    "&fresh=1",
    "&fresh=1",
    "&reason=Tea",
    "&alias=Dana",
    "&paused=1&reason=Tea",
    "&keep_existing=1",
    "&duration=600",
    "&penalty=x",
    "&que=own",
    "&fresh=2",
    "&_=1",
];

fn question() -> impl Strategy<Value = Question> {
    let usages = Usage::all();
    let name = |names: &'static [&'static str]| prop::option::weighted(0.7, select(names));
    (
        select(vec![BOTH, AGENTS]),
        select(usages),
        name(AGENT_NAMES),
        name(QUEUE_NAMES),
        select(MORE_PARAMETERS),
    )
        .prop_map(|(user, usage, agent, queue, more)| {
            let parameter = |name: &str, value: Option<&str>| {
                value.map_or(String::new(), |value| format!("&{name}={value}"))
            };
            let parameters = parameter("agent", agent) + &parameter("queue", queue) + more;
            Question {
                user,
                target: usage.target(&parameters),
                named: [agent, queue]
                    .into_iter()
                    .flatten()
                    .flat_map(|names| names.split(','))
                    .filter(|name| !name.is_empty())
                    .collect(),
            }
        })
}

/// Returns a text about something that the user must not see, if `text` contains one.
fn find_secret(user: User, text: &str) -> Option<&'static str> {
    let text = text.to_ascii_lowercase();
    // A user who is limited to agents sees all queues.
    let text = if user == AGENTS {
        text.replace("zz-other", "")
    } else {
        text
    };
    let mut secrets = CALLER.into_iter().chain(["zz", "globex"]);
    secrets.find(|secret| text.contains(&secret.to_ascii_lowercase()))
}

/// Removes the names that the request contains, as whole words. The rest of a name that only
/// contains them, such as the queue's name on the PBX, remains.
fn without_named(text: &str, named: &[&str]) -> String {
    let is_part_of_name = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    let mut words = text.split_inclusive(|letter| !is_part_of_name(letter));
    let mut rest = String::new();
    for word in &mut words {
        let name = word.trim_end_matches(|letter| !is_part_of_name(letter));
        let sentence_end = name.trim_end_matches('.');
        if !named.contains(&name) && !named.contains(&sentence_end) {
            rest += word;
        }
    }
    rest
}

/// Sends the question, and checks that the response has no secrets.
fn check_response(bridge: &Bridge, question: &Question) -> Result<(), TestCaseError> {
    let User { username, password } = question.user;
    let target = format!(
        "{}&username={username}&password={password}",
        question.target
    );
    let response = request(bridge.address, "GET", &target, &[], b"");
    let mut text = response.body.clone();
    for (name, value) in &response.headers {
        text += &format!("\n{name}: {value}");
    }
    let text = without_named(&text, &question.named);
    let secret = find_secret(question.user, &text);
    prop_assert!(secret.is_none(), "{secret:?} in the response: {response:?}");
    let is_refused =
        |name: &&str| name.contains("zz") && find_secret(question.user, name).is_some();
    if response.status == 200 && question.named.iter().any(is_refused) {
        let status = &response.json()["status"];
        prop_assert_eq!(status, "partial", "{:?}", response);
    }
    Ok(())
}

/// Reads the stream until the last pause, and checks that it has no secrets. Returns the number
/// of events.
fn check_stream(bridge: &Bridge, user: User) -> usize {
    let mut stream = EventClient::open(bridge.address, user, "");
    let mut count = 0;
    loop {
        let event = stream.event(Duration::from_secs(60)).expect("an event");
        let text = format!("{} {} {}", event.id, event.name, event.data);
        let secret = find_secret(user, &text);
        assert!(secret.is_none(), "{secret:?} in {event:?}");
        count += 1;
        if event.data["member"]["paused_reason"] == LAST_REASON {
            return count;
        }
    }
}

fn start() -> (Asterisk, Bridge) {
    let asterisk = Asterisk::start_with(SIMULATED, &[("queues.conf", QUEUES)]);
    let acme = organization("acme", "\"*\"", "acme-{queue}", ACME);
    let organizations = [
        acme.replace("1001-1099", "*"),
        limited(BOTH, "agents = [\"own\"]\nqueues = [\"own\"]"),
        limited(AGENTS, "agents = [\"own*\"]"),
        organization("globex", "\"*\"", "globex-{queue}", GLOBEX).replace("1001-1099", "*"),
    ];
    let bridge = Bridge::start(&configuration_with(asterisk.port, &organizations));
    for query in [
        "agent=own&queue=own,zz-other&alias=Dana",
        "agent=zz-near&queue=own,zz-other&alias=zz-near-alias",
        "agent=zz-far&queue=zz-other&alias=zz-far-alias",
    ] {
        bridge.acme_ok(&format!("action=add&{query}"));
    }
    (asterisk, bridge)
}

#[test]
fn limited_user_sees_nothing_of_others() {
    let (asterisk, bridge) = start();
    std::thread::scope(|scope| {
        let streams = [BOTH, AGENTS].map(|user| {
            let bridge = &bridge;
            scope.spawn(move || check_stream(bridge, user))
        });
        let ami = RefCell::new(asterisk.ami());
        let mut runner = TestRunner::new(Config {
            cases: 3000,
            rng_seed: RngSeed::Fixed(17),
            failure_persistence: None,
            max_shrink_iters: 200,
            ..Config::default()
        });
        let result = runner.run(&(question(), disturbance()), |(question, disturbance)| {
            disturbance.make(&asterisk, &mut ami.borrow_mut());
            check_response(&bridge, &question)
        });
        // The last pause ends the streams.
        bridge.get_as(ACME, "action=add&agent=own&queue=own");
        bridge.acme_ok(&format!(
            "action=pause&agent=own&queue=own&reason={}",
            LAST_REASON.replace(' ', "+")
        ));
        result.unwrap_or_else(|error| panic!("{error}"));
        for stream in streams {
            let count = stream
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            assert!(count > 20, "only {count} events");
        }
    });
}
