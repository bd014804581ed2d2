//! showqueue, showqueuestat and showstate report the same state as Asterisk.

use serde_json::{Value, json};

use crate::support::{
    AmiMessage, Asterisk, Bridge, GLOBEX, configuration, eventually, on_every_pbx, start,
};

on_every_pbx!(
    showqueue_matches_queue_status,
    every_device_state_has_its_code_name_and_agent_state,
    showstate_combines_an_agents_queues,
    queues_are_listed_in_configured_or_natural_order,
    concurrent_identical_reads_are_all_answered,
    members_outside_the_agent_range_have_no_agent_number,
);

fn showqueue_matches_queue_status(version: u32) {
    let (asterisk, bridge) = start(version);
    bridge.acme_ok("action=add&agent=1001&queue=6002&alias=Dana&penalty=3&paused=1&reason=Lunch");
    let body = bridge.acme_ok("action=showqueue");
    assert_eq!(body["stale"], false);
    let as_of: jiff::Timestamp = body["as_of"]
        .as_str()
        .and_then(|text| text.parse().ok())
        .expect("a time");
    let age = jiff::Timestamp::now().duration_since(as_of);
    assert!(age.as_secs().abs() < 10, "{age}");
    let numbers: Vec<_> = rows(&body)
        .iter()
        .map(|queue| queue["queue"].clone())
        .collect();
    assert_eq!(numbers, ["6001", "6002"]);

    let mut ami = asterisk.ami();
    let asterisk_rows = ami.queue_status("acme-6002");
    let queue = &rows(&body)[1];
    let params = &asterisk_rows[0];
    for (field, header) in [("name", "Queue"), ("strategy", "Strategy")] {
        assert_eq!(queue[field], params[header].as_str(), "{field}");
    }
    for (field, header) in [("max_callers", "Max"), ("weight", "Weight")] {
        assert_eq!(queue[field], number(params, header), "{field}");
    }
    let members = queue["members"].as_array().expect("members");
    assert_eq!(members.len(), asterisk_rows.len() - 1);
    for (member, row) in members.iter().zip(&asterisk_rows[1..]) {
        assert_same_member(member, row);
    }
    let dana = members
        .iter()
        .find(|member| member["agent"] == "1001")
        .expect("a row for Dana");
    assert_eq!(
        (
            &dana["membership"],
            &dana["state"],
            &dana["paused_reason"],
            &dana["device_state"]
        ),
        (
            &json!("dynamic"),
            &json!("paused"),
            &json!("Lunch"),
            &json!("not_in_use")
        )
    );
    let sam = members
        .iter()
        .find(|member| member["agent"] == "1050")
        .expect("a row for Sam");
    assert_eq!(
        (
            &sam["membership"],
            &sam["alias"],
            &sam["paused_at"],
            &sam["paused_reason"]
        ),
        (
            &json!("static"),
            &json!("Static Sam"),
            &Value::Null,
            &Value::Null
        )
    );
    assert_eq!(queue["callers"], json!([]));

    // Asterisk keeps the time of the last pause after the pause has ended. The bridge shows the
    // time only during the pause.
    bridge.acme_ok("action=unpause&agent=1001");
    let state = bridge.acme_ok("action=showstate&agent=1001");
    assert_eq!(
        (&state["paused"], &state["queues"][0]["paused_at"]),
        (&json!(false), &Value::Null)
    );
    assert_ne!(
        ami.member("acme-6002", "Local/1001@acme-agents")
            .expect("a row for Dana")["LastPause"],
        "0"
    );
}

/// Asserts that `member`, from the bridge's response, matches Asterisk's row.
fn assert_same_member(member: &Value, row: &AmiMessage) {
    for (field, header) in [
        ("alias", "Name"),
        ("interface", "Location"),
        ("state_interface", "StateInterface"),
        ("membership", "Membership"),
    ] {
        assert_eq!(member[field], row[header].as_str(), "{field}");
    }
    for (field, header) in [
        ("penalty", "Penalty"),
        ("calls_taken", "CallsTaken"),
        ("device_state_code", "Status"),
        ("wrapup_seconds", "Wrapuptime"),
    ] {
        assert_eq!(member[field], number(row, header), "{field}");
    }
    for (field, header) in [("paused", "Paused"), ("in_call", "InCall")] {
        assert_eq!(member[field], row[header] == "1", "{field}");
    }
    for (field, header) in [("last_call_at", "LastCall"), ("logged_in_at", "LoginTime")] {
        assert_eq!(seconds(&member[field]), number(row, header), "{field}");
    }
    if row["Paused"] == "1" {
        assert_eq!(seconds(&member["paused_at"]), number(row, "LastPause"));
    }
}

fn number(row: &AmiMessage, header: &str) -> i64 {
    row[header]
        .parse()
        .unwrap_or_else(|_| panic!("no number in {header}: {row:?}"))
}

/// Converts a time in a response to Unix seconds. Null becomes 0, as in Asterisk.
fn seconds(time: &Value) -> i64 {
    time.as_str().map_or(0, |time| {
        time.parse::<jiff::Timestamp>()
            .expect("an RFC 3339 time")
            .as_second()
    })
}

fn rows(body: &Value) -> &Vec<Value> {
    body["queues"].as_array().expect("queues")
}

fn every_device_state_has_its_code_name_and_agent_state(version: u32) {
    let asterisk = Asterisk::start(version);
    let template = "interface = \"Local/{agent}@acme-agents\"";
    let configuration = configuration(asterisk.port).replace(
        template,
        &format!("{template}\nstate_interface = \"Custom:a{{agent}}\""),
    );
    let bridge = Bridge::start(&configuration);
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    for (device_state, code, name, state, logged_in) in [
        ("UNKNOWN", 0, "unknown", "available", 1),
        ("NOT_INUSE", 1, "not_in_use", "available", 1),
        ("INUSE", 2, "in_use", "in_call", 1),
        ("BUSY", 3, "busy", "in_call", 1),
        ("INVALID", 4, "invalid", "unavailable", 0),
        ("UNAVAILABLE", 5, "unavailable", "unavailable", 0),
        ("RINGING", 6, "ringing", "ringing", 1),
        ("RINGINUSE", 7, "ring_in_use", "in_call", 1),
        ("ONHOLD", 8, "on_hold", "on_hold", 1),
    ] {
        asterisk.cli(&format!("devstate change Custom:a1001 {device_state}"));
        let body = eventually(device_state, || {
            let body = bridge.acme_ok("action=showstate&agent=1001");
            (body["queues"][0]["device_state_code"] == code).then_some(body)
        });
        assert_eq!(body["queues"][0]["device_state"], name);
        assert_eq!(body["state"], state, "{device_state}");
        let agents = &bridge.acme_ok("action=showqueuestat&queue=6001")["queues"][0]["agents"];
        assert_eq!(
            (&agents["logged_in"], &agents[state]),
            (&json!(logged_in), &json!(1))
        );
    }
    // The device state takes precedence over the pause.
    bridge.acme_ok("action=pause&agent=1001&reason=Lunch");
    let state = bridge.acme_ok("action=showstate&agent=1001");
    let brief = (&state["state"], &state["paused"], &state["reason"]);
    assert_eq!(brief, (&json!("on_hold"), &json!(true), &json!("Lunch")));
}

fn showstate_combines_an_agents_queues(version: u32) {
    let (_asterisk, bridge) = start(version);
    let brief = |query: &str| {
        let state = bridge.acme_ok(&format!("action=showstate&agent=1001{query}"));
        let queues: Vec<_> = rows(&state)
            .iter()
            .map(|row| row["queue"].clone())
            .collect();
        json!([
            state["state"],
            state["paused"],
            state["reason"],
            state["alias"],
            queues
        ])
    };
    assert_eq!(brief(""), json!(["logged_out", false, null, null, []]));
    assert_eq!(
        brief("&queue=6001"),
        json!(["logged_out", false, null, null, []])
    );
    bridge.acme_ok("action=add&agent=1001&queue=6001,6002&alias=Dana");
    assert_eq!(
        brief(""),
        json!(["available", false, null, "Dana", ["6001", "6002"]])
    );
    bridge.acme_ok("action=pause&agent=1001&queue=6002&reason=Lunch");
    assert_eq!(
        brief(""),
        json!(["available", false, "Lunch", "Dana", ["6001", "6002"]])
    );
    assert_eq!(
        brief("&queue=6002"),
        json!(["paused", true, "Lunch", "Dana", ["6002"]])
    );
    bridge.acme_ok("action=pause&agent=1001&queue=6001");
    assert_eq!(brief("")[0], "paused");
    assert_eq!(brief("&queue=6002,6001")[4], json!(["6001", "6002"]));
}

fn queues_are_listed_in_configured_or_natural_order(version: u32) {
    let queues = "[general]\n[globex-10]\n[globex-9]\n[globex-a]\n[acme-6001]\n[globex-6001]\n";
    let asterisk = Asterisk::start_with(version, &[("queues.conf", queues)]);
    let bridge = Bridge::start(&configuration(asterisk.port));
    let numbers = |query: &str| {
        let body = bridge.get_ok(GLOBEX, query);
        let numbers = rows(&body).iter().map(|queue| queue["queue"].clone());
        Value::from(numbers.collect::<Vec<_>>())
    };
    // Queues that match a pattern are in natural order: 9 comes before 10.
    assert_eq!(numbers("action=showqueue"), json!(["9", "10", "6001", "a"]));
    assert_eq!(
        numbers("action=showqueuestat&queue=a,9,a"),
        json!(["9", "a"])
    );
    // The bridge omits configured queues that the PBX does not have.
    let body = bridge.acme_ok("action=showqueue");
    assert_eq!(rows(&body).len(), 1);
    let total = &bridge.acme_ok("action=showqueuestat")["total"];
    assert_eq!(total["queues"], 1);
}

fn concurrent_identical_reads_are_all_answered(version: u32) {
    let (_asterisk, bridge) = start(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001&alias=Dana");
    let bridge = &bridge;
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..16)
            .map(|_| scope.spawn(move || bridge.acme_ok("action=showqueue&queue=6001&fresh=1")))
            .collect();
        for reader in readers {
            let body = reader.join().expect("no panic in a reader thread");
            assert_eq!(body["queues"][0]["members"][0]["alias"], "Dana");
        }
    });
}

fn members_outside_the_agent_range_have_no_agent_number(version: u32) {
    let (asterisk, bridge) = start(version);
    for interface in [
        "Local/1001@globex-agents",
        "Local/2001@acme-agents",
        "LOCAL/1002@ACME-agents",
    ] {
        let response = asterisk.ami().send(&format!(
            "Action: QueueAdd\r\nQueue: acme-6001\r\nInterface: {interface}"
        ));
        assert_eq!(response["Response"], "Success");
    }
    let members = eventually("all three members are shown", || {
        let body = bridge.acme_ok("action=showqueue&queue=6001");
        let members = body["queues"][0]["members"].as_array()?.clone();
        (members.len() == 3).then_some(members)
    });
    // Asterisk ignores case when it compares interfaces, and so does the bridge.
    for member in members {
        let expected = match member["interface"].as_str() {
            Some("LOCAL/1002@ACME-agents") => json!("1002"),
            _ => Value::Null,
        };
        assert_eq!(member["agent"], expected, "{member}");
    }
    let paused = bridge.acme_ok("action=pause&agent=1002");
    assert_eq!(paused["queues"][0]["result"], "ok");
}
