//! Names whose bytes split Asterisk's messages do not create false members or hide real
//! members.
//!
//! Asterisk 16.28 and 22.10 both write member names unescaped in events and lists, including
//! line feeds. They write caller names unescaped only in `QueueEntry` rows; in events, they
//! write a line feed as `\n`. If a member's name is not valid UTF-8, they send no member
//! events for the member, and its `AgentCalled` event lacks the queue and the interface.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use serde_json::Value;

use super::{acme_configuration, agents, agents_in_asterisk, interface, with_resync};
use crate::stream::client::EventClient;
use crate::support::{
    ACME, Asterisk, Bridge, Realtime, eventually, insert_member, insert_queue, on_both_versions,
    sample_config,
};

on_both_versions!(
    members_with_odd_names_from_the_dialplan_are_shown,
    members_with_odd_names_from_the_command_line_are_shown,
    members_with_odd_names_from_the_database_are_shown,
    members_with_odd_names_at_startup_are_shown,
    callers_with_odd_names_are_shown,
    odd_pause_reasons_forge_no_headers,
);

/// Names that split or distort messages. The last name exceeds the 79 bytes that Asterisk
/// stores, so Asterisk cuts a two-byte character in half.
const NAMES: [&[u8]; 15] = [
    b"A\nB",
    b"A\r\nB",
    b"A\n\nB",
    b"A\r\n\r\nB",
    b"\n",
    b"\r\n\r\n",
    b"A\r\n\r\nEvent: QueueMember\r\nB",
    b"A\nEvent: QueueMemberRemoved\nQueue: acme-6001\nB",
    b"A\n\nResponse: Error\nMessage: B\n\nC",
    b"A\n\nQueue: acme-6002\nB",
    b"A\rB",
    b"A\xffB",
    b"A\xc3",
    b"\x1b[31mA\x01\x7f",
    "éééééééééééééééééééééééééééééééééééééééé".as_bytes(),
];

/// Returns whether Asterisk sends member events for a member with this name. The name must be
/// valid UTF-8 after Asterisk has truncated it.
fn has_events(name: &[u8]) -> bool {
    std::str::from_utf8(name).is_ok() && name.len() < 80
}

/// Returns the agent with the name `NAMES[number]`.
fn agent(number: usize) -> u16 {
    1001 + u16::try_from(number).expect("a small number")
}

fn all_agents() -> BTreeSet<String> {
    let numbers = 0..NAMES.len();
    numbers.map(|number| agent(number).to_string()).collect()
}

fn encoded(name: &[u8]) -> String {
    percent_encode(name, NON_ALPHANUMERIC).to_string()
}

/// Starts a bridge with a short resync interval, so that it finds members for which Asterisk
/// sends no events.
fn start_bridge(asterisk: &Asterisk) -> Bridge {
    let text = crate::support::configuration(asterisk.port);
    Bridge::start(&with_resync(&text, "2s"))
}

/// Asserts that the bridge shows the same members of acme-6001 as Asterisk, each with its
/// interface. Then changes each member, and asserts that the bridge shows the change.
fn assert_equal(asterisk: &Asterisk, bridge: &Bridge, stream: &mut EventClient) {
    let members = |queue: &str| {
        let shown = bridge.acme_ok(&format!("action=showqueue&queue={queue}"));
        agents(&shown["queues"][0])
    };
    let expected = agents_in_asterisk(asterisk, "acme-6001");
    assert_eq!(expected, all_agents());
    let deadline = std::time::Instant::now() + Duration::from_secs(6);
    loop {
        let shown = members("6001");
        // Members that are not the organization's agents must never appear.
        assert!(!shown.contains("?"), "{shown:?}");
        if shown == expected {
            break;
        }
        let missing: Vec<_> = expected.difference(&shown).collect();
        assert!(std::time::Instant::now() < deadline, "missing: {missing:?}");
    }
    assert_eq!(members("6002"), super::agent_set(&["1050"]));

    let mut ami = asterisk.ami();
    for (number, name) in NAMES.iter().enumerate() {
        let agent = agent(number);
        let reply = ami.reply_text(&format!(
            "QueuePause\r\nQueue: acme-6001\r\nInterface: {}\r\nPaused: true\r\nReason: {agent}",
            interface(agent)
        ));
        assert_eq!(reply, "Success: Interface paused successfully");
        if has_events(name) {
            let deadline = std::time::Instant::now() + Duration::from_secs(5);
            while bridge.acme_ok(&format!("action=showstate&agent={agent}"))["state"] != "paused" {
                assert!(
                    std::time::Instant::now() < deadline,
                    "{agent}, {}",
                    name.escape_ascii()
                );
            }
        }
        bridge.acme_ok(&format!("action=unpause&agent={agent}"));
        let state = bridge.acme_ok(&format!("action=showstate&agent={agent}"));
        assert_eq!(
            state["state"],
            "available",
            "{agent}, {}",
            name.escape_ascii()
        );
    }
    assert_eq!(members("6001"), expected);
    // All events have an interface and belong to queue 6001.
    while let Some(event) = stream.event(Duration::from_millis(300)) {
        assert_valid_member(&event.data);
    }
    assert!(!bridge.log().contains("panicked"));
}

/// Asserts that a member event has an interface and belongs to queue 6001.
fn assert_valid_member(data: &Value) {
    let member = &data["member"];
    if member.is_object() {
        let interface = member["interface"].as_str().expect("an interface");
        assert!(interface.starts_with("Local/10"), "{data}");
        assert_eq!(data["queue"], "6001", "{data}");
    }
}

/// Returns an `extensions.conf` whose extensions add the members and queue the callers, and
/// the `modules.conf` that it needs.
fn dialplan() -> (String, String) {
    let mut extensions = sample_config("extensions.conf");
    extensions += "\n[odd-members]\nexten => add,1,Answer()\n";
    for (number, name) in NAMES.iter().enumerate() {
        let _ = writeln!(
            extensions,
            " same => n,AddQueueMember(acme-6001,{},,,${{URIDECODE({})}})",
            interface(agent(number)),
            encoded(name)
        );
    }
    extensions += " same => n,Wait(1)\n\n[odd-callers]\n";
    for (number, name) in NAMES.iter().enumerate() {
        let _ = write!(
            extensions,
            "exten => {number},1,Set(CALLERID(num)=05012{number:05})\n\
             \x20same => n,Set(CALLERID(name)=${{URIDECODE({})}})\n\
             \x20same => n,Answer()\n\
             \x20same => n,Queue(acme-6001)\n",
            encoded(name)
        );
    }
    let modules = sample_config("modules.conf") + "load = func_uri.so\n";
    (extensions, modules)
}

fn start_with_dialplan(version: u32) -> Asterisk {
    let (extensions, modules) = dialplan();
    let files = [
        ("extensions.conf", extensions.as_str()),
        ("modules.conf", modules.as_str()),
    ];
    Asterisk::start_with(version, &files)
}

fn add_members(asterisk: &Asterisk) {
    asterisk.cli("channel originate Local/add@odd-members application Wait 1");
    eventually("Asterisk has all members", || {
        (agents_in_asterisk(asterisk, "acme-6001") == all_agents()).then_some(())
    });
}

fn members_with_odd_names_from_the_dialplan_are_shown(version: u32) {
    let asterisk = start_with_dialplan(version);
    let bridge = start_bridge(&asterisk);
    let mut stream = EventClient::open(bridge.address, ACME, "&queue=6001");
    add_members(&asterisk);
    assert_equal(&asterisk, &bridge, &mut stream);
}

fn members_with_odd_names_at_startup_are_shown(version: u32) {
    let asterisk = start_with_dialplan(version);
    add_members(&asterisk);
    let bridge = start_bridge(&asterisk);
    let mut stream = EventClient::open(bridge.address, ACME, "&queue=6001");
    let body = bridge.acme_ok("action=showqueue&queue=6001");
    assert_eq!(agents(&body["queues"][0]), all_agents());
    assert_equal(&asterisk, &bridge, &mut stream);
}

fn members_with_odd_names_from_the_command_line_are_shown(version: u32) {
    use std::os::unix::ffi::OsStrExt as _;
    let asterisk = Asterisk::start(version);
    let bridge = start_bridge(&asterisk);
    let mut stream = EventClient::open(bridge.address, ACME, "&queue=6001");
    for (number, name) in NAMES.iter().enumerate() {
        let mut command = std::ffi::OsString::from(format!(
            "queue add member {} to acme-6001 penalty 0 as \"",
            interface(agent(number))
        ));
        command.push(std::ffi::OsStr::from_bytes(name));
        command.push("\"");
        asterisk.cli_bytes(&command);
    }
    assert_equal(&asterisk, &bridge, &mut stream);
}

fn members_with_odd_names_from_the_database_are_shown(version: u32) {
    let pbx = Realtime::start_with(version, &[], |database| {
        insert_queue(database, "Support");
        for (number, name) in NAMES.iter().enumerate() {
            insert_member(database, "Support", &interface(agent(number)), name);
        }
    });
    let text = acme_configuration(pbx.asterisk.port, "\"*\"", "2s");
    let bridge = Bridge::start(&text);
    for query in [
        "action=showqueue&queue=Support",
        "action=showqueue&queue=Support&fresh=1",
    ] {
        let shown = bridge.acme_ok(query);
        assert_eq!(agents(&shown["queues"][0]), all_agents(), "{query}");
    }
    for (number, name) in NAMES.iter().enumerate() {
        let agent = agent(number);
        bridge.acme_ok(&format!(
            "action=pause&agent={agent}&queue=Support&reason=Lunch"
        ));
        let state = bridge.acme_ok(&format!("action=showstate&agent={agent}&fresh=1"));
        assert_eq!(state["state"], "paused", "{agent}, {}", name.escape_ascii());
    }
    let members = agents_in_asterisk(&pbx.asterisk, "Support");
    assert_eq!(members, all_agents());
}

fn callers_with_odd_names_are_shown(version: u32) {
    let asterisk = start_with_dialplan(version);
    let bridge = start_bridge(&asterisk);
    bridge.acme_ok("action=add&agent=1001&queue=6001&paused=1");
    let mut stream = EventClient::open(bridge.address, ACME, "&queue=6001");
    let numbers = || -> Vec<String> {
        let shown = bridge.acme_ok("action=showqueue&queue=6001");
        let callers = shown["queues"][0]["callers"].as_array().expect("callers");
        let number = |caller: &Value| caller["caller_id_number"].as_str().map(str::to_owned);
        callers.iter().filter_map(number).collect()
    };
    let mut expected = Vec::new();
    for (number, name) in NAMES.iter().enumerate() {
        asterisk.cli(&format!(
            "channel originate Local/{number}@odd-callers application Wait 60"
        ));
        expected.push(format!("05012{number:05}"));
        eventually("Asterisk has the caller", || {
            let text = asterisk.cli("queue show acme-6001");
            text.contains(&format!(" {}. Local/", number + 1))
                .then_some(())
        });
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        while numbers() != expected {
            let shown_numbers = numbers();
            assert!(
                std::time::Instant::now() < deadline,
                "{}: {shown_numbers:?}",
                name.escape_ascii()
            );
        }
    }
    let body = bridge.acme_ok("action=showqueuestat&queue=6001");
    assert_eq!(body["queues"][0]["callers_waiting"], NAMES.len());
    let body = bridge.acme_ok("action=showqueue&queue=6001&fresh=1");
    assert_eq!(agents(&body["queues"][0]), super::agent_set(&["1001"]));
    // The bridge still parses later messages correctly.
    bridge.acme_ok("action=pause&agent=1001&reason=Lunch");
    asterisk.cli("channel request hangup all");
    eventually("all callers are gone", || {
        let body = bridge.acme_ok("action=showqueuestat&queue=6001");
        let queue = &body["queues"][0];
        (queue["callers_waiting"] == 0 && queue["abandoned"] == NAMES.len()).then_some(())
    });
    while let Some(event) = stream.event(Duration::from_millis(300)) {
        assert_valid_member(&event.data);
    }
}

/// Within a message, a pause reason comes after the headers that it could forge, but a member's
/// name comes before them.
fn odd_pause_reasons_forge_no_headers(version: u32) {
    const REASONS: [&[u8]; 5] = [
        b"A\nLocation: Local/1078@acme-agents",
        b"A\r\nPaused: 0\r\nStatus: 2",
        b"A\n\nPaused: 0",
        b"A\n\nEvent: QueueMember\nInCall: 1",
        b"A\nActionID: 9",
    ];
    let (mut extensions, modules) = dialplan();
    extensions += "\n[odd-reasons]\n";
    for (number, reason) in REASONS.iter().enumerate() {
        let _ = write!(
            extensions,
            "exten => {number},1,PauseQueueMember(acme-6001,{},,${{URIDECODE({})}})\n\
             \x20same => n,Wait(1)\n",
            interface(1001),
            encoded(reason)
        );
    }
    let files = [
        ("extensions.conf", extensions.as_str()),
        ("modules.conf", modules.as_str()),
    ];
    let asterisk = Asterisk::start_with(version, &files);
    let bridge = start_bridge(&asterisk);
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    let mut stream = EventClient::open(bridge.address, ACME, "&queue=6001");
    for (number, reason) in REASONS.iter().enumerate() {
        let escaped_reason = reason.escape_ascii();
        asterisk.cli(&format!(
            "channel originate Local/{number}@odd-reasons application Wait 1"
        ));
        eventually("the agent is paused", || {
            let state = bridge.acme_ok("action=showstate&agent=1001");
            (state["state"] == "paused").then_some(())
        });
        for fresh in ["&fresh=1", ""] {
            let shown = bridge.acme_ok(&format!("action=showqueue&queue=6001{fresh}"));
            assert_eq!(
                agents(&shown["queues"][0]),
                super::agent_set(&["1001"]),
                "{escaped_reason}"
            );
            let member = &shown["queues"][0]["members"][0];
            assert_eq!(member["state"], "paused", "{escaped_reason}: {member}");
        }
        bridge.acme_ok("action=unpause&agent=1001");
    }
    while let Some(event) = stream.event(Duration::from_millis(300)) {
        assert_valid_member(&event.data);
    }
}
