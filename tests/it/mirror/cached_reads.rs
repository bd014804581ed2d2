//! Reads from the mirror cause few queries, yet include changes for which Asterisk sent no event.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::expected::assert_equal;
use super::{RESYNC, live_configuration, queues_conf, start_live, without_resync};
use crate::support::{
    ACME, API_PATH, Asterisk, Bridge, GLOBEX, KeepAliveConnection, eventually, on_both_versions,
};

on_both_versions!(
    reads_query_asterisk_only_when_needed,
    pause_without_queue_covers_memberships_that_changed_without_events,
    reads_show_queues_added_and_removed_by_a_reload,
    bridge_finds_a_new_queue_when_a_request_names_it,
    bridge_ignores_queues_that_no_action_can_name,
    queue_discovered_by_a_change_is_shown_with_all_members,
    changes_through_the_bridge_stay_visible_without_events,
);

/// Starts an Asterisk with a variant of [`queues_conf`], and a bridge that never resyncs. The
/// bridge logs every action that it sends.
fn start_without_resync(version: u32, variant: u8) -> (Asterisk, Bridge) {
    let asterisk = Asterisk::start_with(version, &[("queues.conf", &queues_conf(variant))]);
    let bridge = Bridge::start(&without_resync(&live_configuration(asterisk.port)));
    (asterisk, bridge)
}

fn reads_query_asterisk_only_when_needed(version: u32) {
    // In this variant, every configured queue exists, so the bridge does not search for queues.
    let (_asterisk, bridge) = start_without_resync(version, 0b00010);
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    let queries_during = |reads: &dyn Fn()| {
        let before = bridge.sent_count("QueueStatus");
        reads();
        bridge.sent_count("QueueStatus") - before
    };
    // The mirror contains the members, so reading them needs no query. The events that follow the
    // add may still cause one.
    eventually("reads of members cause no query", || {
        let count = queries_during(&|| {
            for _ in 0..50 {
                bridge.acme_ok("action=showstate&agent=1001");
            }
        });
        (count == 0).then_some(())
    });
    // A read with `fresh=1` always causes a query.
    for query in [
        "showqueue&queue=6001",
        "showqueuestat&queue=6001",
        "showstate&agent=1001",
    ] {
        for _ in 0..3 {
            let count =
                queries_during(&|| drop(bridge.acme_ok(&format!("action={query}&fresh=1"))));
            assert!(count >= 1, "{query}");
        }
    }
    // The bridge queries callers and statistics at most once a second, regardless of the number
    // of clients. On a small PBX, one query covers all queues.
    let reads = AtomicUsize::new(0);
    let begun = Instant::now();
    let count = queries_during(&|| {
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let mut connection = KeepAliveConnection::new(bridge.address);
                    while begun.elapsed() < Duration::from_millis(2500) {
                        let target = format!(
                            "{API_PATH}?username={}&password={}&action=showqueue",
                            ACME.username, ACME.password
                        );
                        let response = connection.get(&target).expect("a response");
                        assert_eq!(response.status, 200, "{response:?}");
                        reads.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
    });
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "Asterisk {version}, {reads:?} reads from 8 clients: {count} queries in {seconds:.2} s"
    );
    assert!(
        count >= 2,
        "statistics were older than a second: {count} queries"
    );
    // If a read finds the statistics outdated just before a reply arrives, the bridge sends one
    // more query.
    let intervals = seconds.floor() as usize + 1;
    assert!(count <= 2 * intervals, "{count} queries in {seconds} s");
}

/// A pause without `queue` applies to the agent's current memberships in Asterisk. If the
/// configuration lists the queues, the bridge needs no query for this.
fn pause_without_queue_covers_memberships_that_changed_without_events(version: u32) {
    // Agent 1052 is a static member of queue 6001.
    let (asterisk, bridge) = start_without_resync(version, 1);
    bridge.acme_ok("action=add&agent=1052&queue=6002");
    bridge.acme_ok("action=add&agent=1052&queue=6004");
    // Queue 6005 is configured but does not exist, so the bridge queries it.
    let before = bridge.sent_count("QueueStatus");
    let body = bridge.acme_ok("action=pause&agent=1052&reason=everywhere");
    assert_eq!(rows(&body), ["6001 ok", "6002 ok", "6004 ok"]);
    assert!(bridge.sent_count("QueueStatus") <= before + 2);
    // Asterisk removes the membership without sending an event.
    asterisk.write_config("queues.conf", &queues_conf(0));
    asterisk.cli("queue reload all");
    let mut ami = asterisk.ami();
    let interface = "Local/1052@acme-agents";
    assert!(ami.member("acme-6001", interface).is_none());
    let body = bridge.acme_ok("action=unpause&agent=1052");
    assert_eq!(body["status"], "success", "{body}");
    assert_eq!(rows(&body), ["6002 ok", "6004 ok"]);
    // This bridge never resyncs, so it can only have learned of the removal from Asterisk's
    // reply to the change.
    eventually("the membership is no longer shown", || {
        let body = bridge.acme_ok("action=showstate&agent=1052");
        (body["queues"].as_array()?.len() == 2).then_some(())
    });
    // Asterisk restores the membership without sending an event. The next change finds the
    // membership, and the next read shows it.
    asterisk.write_config("queues.conf", &queues_conf(1));
    asterisk.cli("queue reload all");
    let body = bridge.acme_ok("action=pause&agent=1052");
    assert_eq!(rows(&body), ["6001 ok", "6002 ok", "6004 ok"]);
    assert_eq!(
        ami.member("acme-6001", interface).expect("a row")["Paused"],
        "1"
    );
    let body = bridge.acme_ok("action=showstate&agent=1052");
    assert_eq!(body["queues"].as_array().map(Vec::len), Some(3), "{body}");
    assert_eq!(body["paused"], true, "{body}");
    let refused = bridge.get_as(ACME, "action=pause&agent=1099");
    assert_eq!(
        (refused.status, &refused.json()["code"]),
        (404, &"not_a_member".into())
    );
}

/// Returns the results in the response to a change, such as `6001 ok` or `6001 not_a_member`.
fn rows(body: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    let rows = body["queues"].as_array().expect("rows").iter();
    let result = |row: &Value| text(row.get("code").unwrap_or(&row["result"]));
    rows.map(|row| format!("{} {}", text(&row["queue"]), result(row)))
        .collect()
}

fn reads_show_queues_added_and_removed_by_a_reload(version: u32) {
    let (asterisk, bridge) = start_live(version);
    let numbers = |user| {
        let body = bridge.get_ok(user, "action=showqueue");
        let queues = body["queues"].as_array().expect("queues").iter();
        let numbers = queues.map(|queue| queue["queue"].as_str().expect("text").to_owned());
        numbers.collect::<Vec<_>>()
    };
    let (initial, extended) = (
        ["6001", "6002", "6003", "6004"].as_slice(),
        ["6001", "6002", "6003", "6004", "6005"].as_slice(),
    );
    assert_eq!(numbers(ACME), initial);
    for (variant, expected, expected_globex) in [
        (0b01010, extended, ["6001", "6002", "6003"].as_slice()),
        (0b00000, initial, ["6001", "6002"].as_slice()),
    ] {
        asterisk.write_config("queues.conf", &queues_conf(variant));
        asterisk.cli("queue reload all");
        let begun = Instant::now();
        eventually("the new queues are shown", || {
            let are_shown = numbers(ACME) == expected && numbers(GLOBEX) == expected_globex;
            are_shown.then_some(())
        });
        let took = begun.elapsed();
        assert!(took < RESYNC + Duration::from_secs(6), "{took:?}");
        assert_equal(&asterisk, &bridge);
        let response = bridge.get_as(ACME, "action=showqueue&queue=6005");
        let exists = expected.contains(&"6005");
        assert_eq!(response.status, if exists { 200 } else { 404 });
    }
}

/// Asterisk sends no event when a reload adds a queue. A request that names the queue makes
/// the bridge query it.
fn bridge_finds_a_new_queue_when_a_request_names_it(version: u32) {
    let (asterisk, bridge) = start_without_resync(version, 0);
    assert_eq!(
        bridge.get_as(ACME, "action=showqueue&queue=6005").status,
        404
    );
    // Agent 1001 is a static member of the new queue.
    asterisk.write_config("queues.conf", &queues_conf(0b00010));
    asterisk.cli("queue reload all");
    for query in ["showstate&agent=1001", "showqueuestat", "showqueue"] {
        let body = bridge.acme_ok(&format!("action={query}&queue=6005"));
        assert_eq!(body["queues"][0]["queue"], "6005", "{body}");
    }
    assert_eq!(
        bridge.acme_ok("action=pause&agent=1001")["queues"][0]["queue"],
        "6005"
    );
}

/// `[trail ]`, a likely typo, creates a queue whose name ends with a space.
fn bridge_ignores_queues_that_no_action_can_name(version: u32) {
    let queues = queues_conf(0) + "\n[ lead](agents)\n[trail ](agents)\n[tab\t](agents)\n";
    let asterisk = Asterisk::start_with(version, &[("queues.conf", &queues)]);
    let output = asterisk.cli("queue show");
    assert!(output.contains("\ntrail  has 0 calls"), "{output}");
    let bridge = Bridge::start(&live_configuration(asterisk.port));
    let mut ami = asterisk.ami();
    let added = ami.send("Action: QueueAdd\r\nQueue: trail \r\nInterface: Local/1@acme-agents");
    assert_eq!(added["Response"], "Success", "{added:?}");
    // After two full resyncs, the bridge has also handled the event about the new member.
    let resync_count = || bridge.sent_count("QueueStatus { queue: None");
    let before = resync_count();
    eventually("two resyncs", || {
        (resync_count() >= before + 2).then_some(())
    });
    assert_equal(&asterisk, &bridge);
    let log = bridge.log();
    for queue in [" lead", "trail ", "tab\t"] {
        let lines = log
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        let name = format!("{queue:?}");
        let warnings =
            lines.filter(|line: &Value| line["level"] == "WARN" && line["queue"] == *name);
        assert_eq!(warnings.count(), 1, "{name}: {log}");
    }
    assert!(!log.contains("QueueStatus failed"));
}

/// The bridge learns of the new queue only through Asterisk's reply to a change in that queue.
fn queue_discovered_by_a_change_is_shown_with_all_members(version: u32) {
    let (asterisk, bridge) = start_without_resync(version, 0);
    // Agent 1001 is a static member of the new queue.
    asterisk.write_config("queues.conf", &queues_conf(0b00010));
    asterisk.cli("queue reload all");
    bridge.acme_ok("action=add&agent=1002&queue=6005&paused=1&reason=New");
    eventually("both members are shown", || {
        let response = bridge.get_as(ACME, "action=showqueue&queue=6005");
        let body = (response.status == 200).then(|| response.json())?;
        (body["queues"][0]["members"].as_array()?.len() == 2).then_some(())
    });
    let body = bridge.acme_ok("action=showqueue&queue=6005");
    let members = body["queues"][0]["members"].as_array().expect("members");
    let rows = asterisk.ami().members("acme-6005").into_iter();
    let expected: Vec<_> = rows.map(|row| row["Location"].clone()).collect();
    let interface = |member: &Value| member["interface"].as_str().unwrap_or("?").to_owned();
    let interfaces: Vec<_> = members.iter().map(interface).collect();
    assert_eq!(interfaces, expected);
}

/// Without `read=agent`, Asterisk sends the bridge no member events.
fn changes_through_the_bridge_stay_visible_without_events(version: u32) {
    let asterisk = Asterisk::start_with(version, &[("queues.conf", &queues_conf(0))]);
    let manager = asterisk.read_config("manager.conf");
    let without_agent = manager.replace("read = agent,system", "read = system");
    asterisk.write_config("manager.conf", &without_agent);
    asterisk.cli("manager reload");
    let mut ami = asterisk.ami();
    // Asterisk ignores case when it compares interfaces, except in the `QueueStatus` filter.
    let other_case = "LOCAL/1002@ACME-agents";
    let added = ami.send(&format!(
        "Action: QueueAdd\r\nQueue: acme-6001\r\nInterface: {other_case}\r\nMemberName: Odd"
    ));
    assert_eq!(added["Response"], "Success", "{added:?}");
    let bridge = Bridge::start(&without_resync(&live_configuration(asterisk.port)));
    let assert_change_stays_visible =
        |query: &str, agent: u16, expected: &Option<(bool, Value)>| {
            bridge.acme_ok(&format!("action={query}&agent={agent}"));
            let begun = Instant::now();
            // Keeps reading until after the change's overlay has expired.
            while begun.elapsed() < Duration::from_secs(4) {
                let body = bridge.acme_ok(&format!("action=showstate&agent={agent}"));
                let queue = body["queues"].get(0);
                let state =
                    queue.map(|queue| (queue["paused"] == true, queue["paused_reason"].clone()));
                let elapsed = begun.elapsed();
                assert_eq!(
                    state, *expected,
                    "agent {agent}, {elapsed:?} after {query}: {body}"
                );
                // Limits the request rate. No result depends on this delay.
                std::thread::sleep(Duration::from_millis(50));
            }
        };
    let paused = |reason: &str| Some((true, Value::from(reason)));
    let unpaused = Some((false, Value::Null));
    let cases = [
        (
            1001,
            [
                ("add&queue=6001&alias=Dana", unpaused.clone()),
                ("pause&queue=6001&reason=Lunch", paused("Lunch")),
                ("remove&queue=6001", None),
            ],
        ),
        (
            1002,
            [
                ("pause&reason=Lunch", paused("Lunch")),
                ("unpause&queue=6001", unpaused),
                ("pause&queue=6001&reason=Tea", paused("Tea")),
            ],
        ),
    ];
    // The cases run in parallel, because the agents are independent and most of the time is spent
    // waiting.
    std::thread::scope(|scope| {
        for (agent, changes) in &cases {
            scope.spawn(move || {
                for (query, expected) in changes {
                    assert_change_stays_visible(query, *agent, expected);
                }
            });
        }
    });
    assert_equal(&asterisk, &bridge);
}
