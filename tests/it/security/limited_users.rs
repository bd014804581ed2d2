//! Users who are limited to some of the organization's agents and queues.

use std::time::Duration;

use ami_bridge::config::load_text;
use serde_json::{Value, json};

use crate::stream::client::{Event, EventClient};
use crate::support::{Asterisk, Bridge, User, configuration, on_every_pbx};

on_every_pbx!(
    limited_user_changes_only_own_agents_and_queues,
    limited_user_reads_only_own_agents_and_queues,
    agent_is_optional_for_a_user_with_one_agent,
    stream_of_a_limited_user_shows_no_other_members,
    whoami_shows_permissions_and_limits,
    changed_limits_end_the_stream_and_lead_to_a_snapshot,
);

/// Limited to one agent and one queue.
const DANA: User = User {
    username: "dana",
    password: "dana-password",
};

/// Limited as [`DANA`], but sees the other agents.
const SHIFT_LEADER: User = User {
    username: "leader",
    password: "leader-password",
};

/// Limited to two agents.
const PAIR: User = User {
    username: "pair",
    password: "pair-password",
};

const DANA_LIMITS: &str = "agents = [\"1001\"]\nqueues = [\"6001\"]\n";

fn entry(user: User, keys: &str) -> String {
    let User { username, password } = user;
    format!(
        "[[organization.acme.user]]\nusername = \"{username}\"\npassword = \"{password}\"\n{keys}\n"
    )
}

fn configuration_with_limits(ami_port: u16) -> String {
    let users = [
        entry(DANA, DANA_LIMITS),
        entry(
            SHIFT_LEADER,
            &format!("{DANA_LIMITS}sees_colleagues = true\n"),
        ),
        entry(PAIR, "agents = [\"1001-1002\"]\n"),
    ];
    configuration(ami_port) + &users.concat()
}

/// Starts a PBX and a bridge. Agents 1001 and 1002 are members of both of acme's queues.
fn start(version: u32) -> (Asterisk, Bridge) {
    let asterisk = Asterisk::start(version);
    let bridge = Bridge::start(&configuration_with_limits(asterisk.port));
    for agent in ["1001&alias=Dana", "1002&alias=Noa"] {
        bridge.acme_ok(&format!("action=add&queue=6001,6002&agent={agent}"));
    }
    (asterisk, bridge)
}

fn is_paused(asterisk: &Asterisk, queue: &str, agent: &str) -> bool {
    let interface = format!("Local/{agent}@acme-agents");
    let member = asterisk.ami().member(queue, &interface);
    member.is_some_and(|member| member["Paused"] == "1")
}

fn limited_user_changes_only_own_agents_and_queues(version: u32) {
    let (asterisk, bridge) = start(version);
    for (query, expected) in [
        ("action=pause&agent=1002", "404 unknown_agent"),
        ("action=pause&agent=1002&queue=6001", "404 unknown_agent"),
        ("action=remove&agent=1002&queue=6001", "404 unknown_agent"),
        ("action=add&agent=1003&queue=6001", "404 unknown_agent"),
        ("action=pause&agent=1001&queue=6002", "404 unknown_queue"),
        ("action=remove&agent=1001&queue=6002", "404 unknown_queue"),
        ("action=add&agent=1001&queue=6002", "404 unknown_queue"),
    ] {
        let response = bridge.get_as(DANA, query);
        assert_eq!(response.outcome(), expected, "{query}");
        // The same request about an agent or a queue that exists nowhere gets the same response.
        let nobody = query.replace("1002", "1998").replace("6002", "6998");
        let nobody = bridge.get_as(DANA, &nobody);
        let text = |body: &Value| body["message"].to_string();
        let expected = text(&nobody.json())
            .replace("1998", "1002")
            .replace("6998", "6002");
        assert_eq!(text(&response.json()), expected, "{query}");
    }
    assert!(!is_paused(&asterisk, "acme-6001", "1002"));
    assert!(!is_paused(&asterisk, "acme-6002", "1001"));
    // "All queues" are the user's queues.
    let body = bridge.get_ok(DANA, "action=pause&agent=1001");
    assert_eq!(body["queues"], json!([{"queue": "6001", "result": "ok"}]));
    assert!(is_paused(&asterisk, "acme-6001", "1001"));
    assert!(!is_paused(&asterisk, "acme-6002", "1001"));
    let body = bridge.get_ok(DANA, "action=unpause&agent=1001&queue=6001,6002");
    assert_eq!(body["status"], "partial");
    assert_eq!(body["queues"][1]["code"], "unknown_queue");
}

fn limited_user_reads_only_own_agents_and_queues(version: u32) {
    let (asterisk, bridge) = start(version);
    // With all agents paused, the caller waits.
    bridge.acme_ok("action=pause&agent=1001");
    bridge.acme_ok("action=pause&agent=1002");
    asterisk.add_caller("acme-6001");
    for fresh in ["", "&fresh=1"] {
        let body = bridge.get_ok(DANA, &format!("action=showqueue{fresh}"));
        assert_eq!(body["queues"].as_array().map(Vec::len), Some(1), "{body}");
        let queue = &body["queues"][0];
        assert_eq!(queue["queue"], "6001");
        assert_eq!(queue["members"].as_array().map(Vec::len), Some(1), "{body}");
        assert_eq!(queue["members"][0]["agent"], "1001");
        assert_eq!(queue["members_hidden"], 1);
        let body = body.to_string();
        assert!(!body.contains("1002") && !body.contains("Noa"), "{body}");
        let seen = bridge.get_ok(SHIFT_LEADER, &format!("action=showqueue{fresh}"));
        let all = bridge.acme_ok(&format!("action=showqueue&queue=6001{fresh}"));
        assert_eq!(seen["queues"][0]["members"], all["queues"][0]["members"]);
        assert_eq!(seen["queues"][0]["members_hidden"], 0);
        let agents = bridge.get_ok(DANA, &format!("action=showqueuestat{fresh}"));
        assert_eq!(agents["queues"][0]["agents"]["paused"], 2, "{agents}");
    }
    // A hidden caller has no identity. Callers arrive without an answer to the CLI command.
    let callers =
        |user| bridge.get_ok(user, "action=showqueue&fresh=1")["queues"][0]["callers"].clone();
    let caller = crate::support::eventually("the caller waits", || callers(DANA).get(0).cloned());
    for field in ["caller_id_number", "caller_id_name", "channel"] {
        assert_eq!(caller[field], Value::Null, "{caller}");
    }
    assert!(caller["unique_id"].is_string(), "{caller}");
    assert!(callers(SHIFT_LEADER)[0]["channel"].is_string());
    for (user, query, expected) in [
        (DANA, "action=showqueue&queue=6002", "404 unknown_queue"),
        (DANA, "action=showqueuestat&queue=6002", "404 unknown_queue"),
        (DANA, "action=showstate&agent=1002", "404 unknown_agent"),
        (
            SHIFT_LEADER,
            "action=showstate&agent=1002",
            "404 unknown_agent",
        ),
        (SHIFT_LEADER, "action=pause&agent=1002", "404 unknown_agent"),
    ] {
        assert_eq!(bridge.get_as(user, query).outcome(), expected, "{query}");
    }
    let state = bridge.get_ok(DANA, "action=showstate&agent=1001");
    assert_eq!(state["queues"].as_array().map(Vec::len), Some(1), "{state}");
}

fn agent_is_optional_for_a_user_with_one_agent(version: u32) {
    let (asterisk, bridge) = start(version);
    let body = bridge.get_ok(DANA, "action=pause");
    assert_eq!(body["agent"], "1001");
    assert!(is_paused(&asterisk, "acme-6001", "1001"));
    assert_eq!(bridge.get_ok(DANA, "action=showstate")["state"], "paused");
    bridge.get_ok(DANA, "action=remove&queue=6001");
    bridge.get_ok(DANA, "action=add&queue=6001");
    let refused = bridge.get_as(DANA, "action=pause&agent=");
    assert_eq!(refused.outcome(), "400 invalid_parameter");
    for user in [PAIR, crate::support::ACME] {
        let refused = bridge.get_as(user, "action=pause");
        assert_eq!(refused.outcome(), "400 missing_parameter");
    }
}

fn next_event(stream: &mut EventClient) -> Event {
    let event = stream.event(Duration::from_secs(10));
    event.expect("an event within 10 seconds")
}

fn stream_of_a_limited_user_shows_no_other_members(version: u32) {
    let (_asterisk, bridge) = start(version);
    let mut stream = EventClient::open(bridge.address, DANA, "");
    let snapshot = next_event(&mut stream);
    assert_eq!(snapshot.name, "snapshot");
    assert_eq!(snapshot.data["queues"][0]["members_hidden"], 1);
    let mut text = snapshot.data.to_string();
    // The other agent's pause changes only figures.
    bridge.acme_ok("action=pause&agent=1002&reason=Secret");
    let figures = next_event(&mut stream);
    assert_eq!(figures.name, "queue", "{figures:?}");
    assert_eq!(figures.data["agents"]["paused"], 1);
    assert_eq!(figures.data["members_hidden"], 1);
    text += &figures.data.to_string();
    bridge.acme_ok("action=remove&agent=1002&queue=6001");
    let figures = next_event(&mut stream);
    assert_eq!(figures.data["members_hidden"], 0, "{figures:?}");
    text += &figures.data.to_string();
    assert!(!text.contains("1002") && !text.contains("Noa") && !text.contains("Secret"));
    bridge.get_ok(DANA, "action=pause");
    let member = next_event(&mut stream);
    assert_eq!(member.name, "member", "{member:?}");
    assert_eq!(member.data["member"]["agent"], "1001");
    // The other queue's changes are not in the stream.
    assert_eq!(next_event(&mut stream).name, "queue");
    bridge.acme_ok("action=pause&agent=1001&queue=6002");
    bridge.get_ok(DANA, "action=unpause");
    let member = next_event(&mut stream);
    assert_eq!(member.data["queue"], "6001", "{member:?}");
    assert_eq!(member.data["change"], "unpaused");
}

fn whoami_shows_permissions_and_limits(version: u32) {
    let mut asterisk = Asterisk::start(version);
    let quiet = User {
        username: "quiet",
        password: "quiet-password",
    };
    let far = User {
        username: "far",
        password: "far-password",
    };
    let entries = [
        entry(quiet, "actions = [\"Pause\", \"events\", \"whoami\"]\n"),
        entry(far, "allow_from = [\"192.0.2.1\"]\n"),
    ];
    let configuration = configuration_with_limits(asterisk.port) + &entries.concat();
    let bridge = Bridge::start(&configuration);
    asterisk.kill();
    let body = bridge.get_ok(DANA, "action=WhoAmI");
    let all = [
        "pause",
        "unpause",
        "add",
        "remove",
        "showqueue",
        "showqueuestat",
        "showstate",
        "showreasons",
        "showreport",
        "events",
    ];
    let expected = json!({
        "status": "success", "action": "whoami", "request_id": body["request_id"], "user": "dana",
        "organization": "acme", "actions": all, "agent": "1001", "agents": ["1001"],
        "queues": ["6001"], "expires_at": null,
    });
    assert_eq!(body, expected);
    let body = bridge.acme_ok("action=whoami");
    for field in ["agent", "agents", "queues"] {
        assert_eq!(body[field], Value::Null, "{body}");
    }
    let body = bridge.get_ok(PAIR, "action=whoami");
    assert_eq!(
        (&body["agent"], &body["agents"]),
        (&Value::Null, &json!(["1001-1002"]))
    );
    let body = bridge.get_ok(quiet, "action=whoami");
    assert_eq!(body["actions"], json!(["pause", "events"]));
    let refused = bridge.get_as(far, "action=whoami");
    assert_eq!(refused.outcome(), "403 forbidden");
}

fn changed_limits_end_the_stream_and_lead_to_a_snapshot(version: u32) {
    let asterisk = Asterisk::start(version);
    let configuration = configuration_with_limits(asterisk.port);
    let bridge = Bridge::start(&configuration);
    let mut stream = EventClient::open(bridge.address, DANA, "");
    let id = next_event(&mut stream).id;
    bridge.reconfigure(&configuration.replace(DANA_LIMITS, "agents = [\"1002\"]\n"));
    assert_eq!(next_event(&mut stream).name, "shutdown");
    let mut stream = EventClient::resume(bridge.address, DANA, "", Some(&id));
    let snapshot = next_event(&mut stream);
    assert_eq!(snapshot.name, "snapshot");
    assert_eq!(snapshot.data["queues"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        bridge.get_as(DANA, "action=pause&agent=1001").outcome(),
        "404 unknown_agent"
    );
}

/// Returns the mistakes in a configuration with a user who has these keys.
fn mistakes(keys: &str) -> String {
    let text = configuration(5038) + &entry(DANA, keys);
    load_text("t", &text).map_or_else(|error| error.to_string(), |_| String::new())
}

#[test]
fn limits_outside_of_the_organization_are_mistakes() {
    for (keys, expected) in [
        ("agents = [\"1001\"]\nqueues = [\"60*\"]\n", ""),
        ("agents = [\"10*\", \"1001-2000\"]\n", ""),
        ("agents = []\nqueues = []\nsees_colleagues = true\n", ""),
        (
            "agents = [\"1001\", \"2001\"]\n",
            "organization.acme.user[1].agents: \"2001\" matches nothing of the organization",
        ),
        (
            "queues = [\"61*\"]\n",
            "organization.acme.user[1].queues: \"61*\" matches nothing of the organization",
        ),
        (
            "agents = [\"1099-1001\"]\n",
            "organization.acme.user[1].agents: the first number",
        ),
    ] {
        let mistakes = mistakes(keys);
        assert!(mistakes.contains(expected), "{keys}: {mistakes}");
        assert_eq!(
            mistakes.is_empty(),
            expected.is_empty(),
            "{keys}: {mistakes}"
        );
    }
}
