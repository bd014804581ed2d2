//! Requests that name several agents, and changes in every queue (`queue=*`). The effects are
//! compared with Asterisk's `queue show`.

use std::collections::BTreeSet;

use fastrand::Rng;
use serde_json::{Value, json};

use crate::support::{ACME, Asterisk, Response, on_every_pbx, start};

on_every_pbx!(
    change_of_several_agents_reports_an_entry_for_each_agent,
    list_of_one_agent_is_answered_like_a_single_agent,
    list_of_agents_equals_single_requests,
    removal_from_every_queue_leaves_static_memberships,
    pause_in_every_queue_may_name_a_star,
    showstate_of_several_agents_has_a_state_for_each_agent,
);

/// Returns the queue's members in `queue show`: the interface, whether the member is dynamic, and
/// whether the member is paused.
fn shown_members(asterisk: &Asterisk, queue: &str) -> BTreeSet<(String, bool, bool)> {
    let output = asterisk.cli(&format!("queue show {queue}"));
    let members = output.lines().filter_map(|line| {
        let interface = line.split_once("(Local/")?.1.split_once(')')?.0;
        let (is_dynamic, is_paused) = (line.contains("(dynamic)"), line.contains("(paused"));
        Some((interface.to_owned(), is_dynamic, is_paused))
    });
    members.collect()
}

fn member(agent: u16, is_dynamic: bool, is_paused: bool) -> (String, bool, bool) {
    (format!("{agent}@acme-agents"), is_dynamic, is_paused)
}

/// Removes the request id, which differs between requests.
fn without_id(mut body: Value) -> Value {
    body.as_object_mut()
        .expect("an object")
        .remove("request_id");
    body
}

fn change_of_several_agents_reports_an_entry_for_each_agent(version: u32) {
    let (asterisk, bridge) = start(version);
    let body = bridge.acme_ok("action=add&agent=1001,1002&queue=6001");
    let added = json!([{"queue": "6001", "result": "ok"}]);
    assert_eq!(
        without_id(body),
        json!({"status": "success", "action": "add", "reason": null, "agents": [
            {"agent": "1001", "status": "success", "queues": added},
            {"agent": "1002", "status": "success", "queues": added},
        ]})
    );
    let body = bridge.acme_ok("action=pause&agent=1002,2001,1050&queue=6001,6002&reason=Lunch");
    let not_a_member = |agent: &str, queue: &str| {
        let message = format!("Agent {agent} is not a member of queue {queue}.");
        json!({"queue": queue, "result": "error", "code": "not_a_member", "message": message})
    };
    assert_eq!(
        without_id(body),
        json!({"status": "partial", "action": "pause", "reason": "Lunch", "agents": [
            {"agent": "1002", "status": "partial",
             "queues": [{"queue": "6001", "result": "ok"}, not_a_member("1002", "6002")]},
            {"agent": "2001", "status": "error", "code": "unknown_agent",
             "message": "Agent 2001 is not one of the organization's phone numbers.",
             "queues": []},
            {"agent": "1050", "status": "partial",
             "queues": [not_a_member("1050", "6001"), {"queue": "6002", "result": "ok"}]},
        ]})
    );
    let members = [member(1001, true, false), member(1002, true, true)];
    assert_eq!(shown_members(&asterisk, "acme-6001"), members.into());
    let members = [member(1050, false, true)];
    assert_eq!(shown_members(&asterisk, "acme-6002"), members.into());

    // If every agent fails, the response has the code of the first one.
    let response = bridge.get_as(ACME, "action=remove&agent=1050,2001&queue=6002");
    assert_eq!(response.outcome(), "409 static_member");
    let body = response.json();
    assert_eq!(body["message"], body["agents"][0]["message"]);
    assert_eq!(body["agents"][1]["code"], "unknown_agent");
    let response = bridge.get_as(ACME, "action=remove&agent=2001,1050&queue=6002");
    assert_eq!(response.outcome(), "404 unknown_agent");
    assert!(response.json().get("queues").is_none());
}

fn list_of_one_agent_is_answered_like_a_single_agent(version: u32) {
    let (_asterisk, bridge) = start(version);
    let body = bridge.acme_ok("action=add&agent=1001,1001&queue=6001&alias=Dana");
    assert_eq!(
        without_id(body),
        json!({"status": "success", "action": "add", "agent": "1001", "alias": "Dana",
            "reason": null, "queues": [{"queue": "6001", "result": "ok"}]})
    );
    for (query, outcome) in [
        ("action=showstate&agent=1001,1001", "200 success"),
        ("action=pause&agent=2001,2001", "404 unknown_agent"),
        (
            "action=add&agent=1001,1002&queue=6001&alias=Dana",
            "400 invalid_parameter",
        ),
        (
            "action=remove&agent=1001&queue=6001,*",
            "400 invalid_parameter",
        ),
        ("action=add&agent=1001&queue=*", "400 invalid_parameter"),
    ] {
        let response = bridge.get_as(ACME, query);
        assert_eq!(response.outcome(), outcome, "{query}");
        assert!(response.json().get("agents").is_none(), "{query}");
    }
}

/// A change that names agents 1001 to 1005, a static member and an unknown agent.
fn random_change(rng: &mut Rng) -> (String, Vec<&'static str>) {
    let mut agents = vec!["1001", "1002", "1003", "1004", "1005", "1050", "2001"];
    rng.shuffle(&mut agents);
    agents.truncate(rng.usize(2..=5));
    let action = rng.choice(["add", "add", "pause", "unpause", "remove"]);
    let mut query = format!("action={}", action.expect("an action"));
    let mut queues = vec![
        "&queue=6001",
        "&queue=6002",
        "&queue=6002,6001",
        "&queue=9,6001",
    ];
    match action {
        Some("remove") => queues.push("&queue=*"),
        Some("pause" | "unpause") => queues.extend(["&queue=*", ""]),
        _ => query += rng.choice(["", "&paused=1&reason=Tea"]).expect("an item"),
    }
    query += rng.choice(queues).expect("an item");
    if action == Some("pause") {
        let parameters = ["&reason=Lunch", "&keep_existing=1", "&duration=3000"];
        query += rng.choice(parameters).expect("an item");
    }
    (query, agents)
}

/// Returns the entry that the response for one agent becomes in the response for several agents.
fn entry(agent: &str, response: &Response) -> Value {
    let body = response.json();
    let mut entry = json!({"agent": agent, "status": body["status"], "queues": []});
    for name in ["code", "message", "queues"] {
        if let Some(value) = body.get(name) {
            entry[name] = value.clone();
        }
    }
    without_ends(entry)
}

/// Replaces the ends of pauses, which depend on when the request arrived.
fn without_ends(mut entry: Value) -> Value {
    for row in entry["queues"].as_array_mut().expect("rows") {
        if let Some(end) = row.get_mut("ends_at") {
            *end = "an end".into();
        }
    }
    entry
}

fn list_of_agents_equals_single_requests(version: u32) {
    let (lists, list_bridge) = start(version);
    let (singles, single_bridge) = start(version);
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut rng = Rng::with_seed(seed);
    for _ in 0..40 {
        let (query, agents) = random_change(&mut rng);
        let list = list_bridge.get_as(ACME, &format!("{query}&agent={}", agents.join(",")));
        let responses = agents.iter().map(|agent| {
            let response = single_bridge.get_as(ACME, &format!("{query}&agent={agent}"));
            (entry(agent, &response), response.status)
        });
        let (entries, statuses): (Vec<Value>, Vec<u16>) = responses.unzip();
        let body = list.json();
        let listed = body["agents"].as_array().expect("agents").iter().cloned();
        let listed: Vec<Value> = listed.map(without_ends).collect();
        assert_eq!(listed, entries, "{query} {agents:?}");
        let all_are = |status: &str| entries.iter().all(|entry| entry["status"] == status);
        let (http_status, status) = match (all_are("success"), all_are("error")) {
            (true, _) => (200, "success"),
            (_, true) => (statuses[0], "error"),
            _ => (200, "partial"),
        };
        assert_eq!(
            (list.status, &body["status"]),
            (http_status, &status.into()),
            "{query}"
        );
        for queue in ["acme-6001", "acme-6002"] {
            let shown = [&lists, &singles].map(|asterisk| shown_members(asterisk, queue));
            assert_eq!(shown[0], shown[1], "{query} {agents:?}");
        }
    }
}

fn removal_from_every_queue_leaves_static_memberships(version: u32) {
    let (asterisk, bridge) = start(version);
    bridge.acme_ok("action=add&agent=1001,1002&queue=6001,6002");
    bridge.acme_ok("action=add&agent=1050&queue=6001");
    let body = bridge.acme_ok("action=remove&agent=1001&queue=*");
    assert_eq!(
        without_id(body),
        json!({"status": "success", "action": "remove", "agent": "1001",
            "queues": [{"queue": "6001", "result": "ok"}, {"queue": "6002", "result": "ok"}]})
    );
    let body = bridge.acme_ok("action=remove&agent=1050&queue=*");
    assert_eq!(body["status"], "partial");
    assert_eq!(body["queues"][0], json!({"queue": "6001", "result": "ok"}));
    assert_eq!(body["queues"][1]["code"], "static_member");
    for (agent, outcome) in [("1050", "409 static_member"), ("1001", "404 not_a_member")] {
        let query = format!("action=remove&agent={agent}&queue=*");
        assert_eq!(bridge.get_as(ACME, &query).outcome(), outcome);
    }
    // The bridge never tries to remove a static member, and removes each member once.
    assert_eq!(
        bridge.sent_count("QueueRemove { queue: \"acme-6002\", interface: \"Local/1050"),
        0
    );
    let log = asterisk.queue_log();
    assert_eq!(log.matches("|REMOVEMEMBER|").count(), 3, "{log}");
    let members = [member(1002, true, false), member(1050, false, false)];
    assert_eq!(shown_members(&asterisk, "acme-6002"), members.into());
    // The next read includes the removals.
    let states = bridge.acme_ok("action=showstate&agent=1001,1050");
    assert_eq!(states["agents"][0]["state"], "logged_out");
    assert_eq!(
        states["agents"][1]["queues"].as_array().map(Vec::len),
        Some(1)
    );
}

fn pause_in_every_queue_may_name_a_star(version: u32) {
    let (asterisk, bridge) = start(version);
    bridge.acme_ok("action=add&agent=1001,1002&queue=6001,6002");
    let body = bridge.acme_ok("action=pause&agent=1001&queue=*");
    assert_eq!(body["queues"].as_array().map(Vec::len), Some(2));
    bridge.acme_ok("action=pause&agent=1002,1001&queue=*&reason=Tea");
    bridge.acme_ok("action=unpause&agent=1001&queue=*");
    let members = [member(1001, true, false), member(1002, true, true)];
    assert_eq!(shown_members(&asterisk, "acme-6001"), members.into());
}

fn showstate_of_several_agents_has_a_state_for_each_agent(version: u32) {
    let (_asterisk, bridge) = start(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001,6002&alias=Dana");
    bridge.acme_ok("action=pause&agent=1001&queue=6001&reason=Tea");
    for query in ["", "&fresh=1", "&queue=6001"] {
        let list = format!("action=showstate&agent=1002,1001,1050{query}");
        let body = bridge.acme_ok(&list);
        let names = ["status", "action", "request_id", "as_of", "stale"];
        let read_names = |body: &Value| body.as_object().expect("an object").len();
        assert!(names.iter().all(|name| body.get(*name).is_some()), "{body}");
        assert_eq!(read_names(&body), names.len() + 1, "{body}");
        for (entry, agent) in body["agents"]
            .as_array()
            .expect("agents")
            .iter()
            .zip(["1002", "1001", "1050"])
        {
            let mut single = bridge.acme_ok(&format!("action=showstate&agent={agent}{query}"));
            for name in names {
                single.as_object_mut().expect("an object").remove(name);
            }
            assert_eq!(entry, &single, "{list}");
        }
    }
    let response = bridge.get_as(ACME, "action=showstate&agent=1001,2001");
    assert_eq!(response.outcome(), "404 unknown_agent");
    assert!(response.json().get("agents").is_none());
}
