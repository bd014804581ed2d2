//! A request that spells a queue's name with different case does not make Asterisk remove the
//! queue's members. Responses spell names as Asterisk and the configuration do.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    acme_configuration, add_elsewhere, agent_set, agents_in_asterisk, check, interface,
    run_in_parallel, warnings,
};
use crate::stream::client::EventClient;
use crate::support::{
    ACME, Ami, Bridge, Realtime, eventually, insert_member, insert_queue, on_both_versions,
    total_checked_actions,
};

on_both_versions!(
    requests_remove_no_dynamic_members_of_a_listed_queue,
    requests_remove_no_dynamic_members_of_a_queue_matched_by_a_pattern,
    requests_remove_no_dynamic_members_of_a_new_listed_queue,
    requests_remove_no_dynamic_members_of_a_new_queue_matched_by_a_pattern,
    bridge_and_check_warn_if_the_configuration_spells_a_queue_differently,
    queue_name_checker_detects_a_different_spelling,
);

const EVENT_TIMEOUT: Duration = Duration::from_secs(10);

/// Starts a PBX with the queue `Support`, which has a realtime member and two dynamic members.
fn start(version: u32) -> Realtime {
    let pbx = Realtime::start_with(version, &[], |database| {
        insert_queue(database, "Support");
        insert_member(database, "Support", &interface(1040), b"Rita");
    });
    for agent in [1001, 1002] {
        add_elsewhere(&pbx.asterisk, "Support", agent);
    }
    pbx
}

/// Sends requests that name the queue or include it. After each request, asserts that Asterisk
/// still has the correct members.
///
/// `name` is the queue's name in Asterisk, `number` its name in responses, and `requested` its
/// spelling in requests.
fn use_every_action(pbx: &Realtime, bridge: &Bridge, name: &str, number: &str, requested: &str) {
    let mut members = agent_set(&["1001", "1002", "1040"]);
    let assert_members = |action: &str, members: &_| {
        assert_eq!(
            &agents_in_asterisk(&pbx.asterisk, name),
            members,
            "after {action}"
        );
    };
    assert_members("startup", &members);
    for query in [
        "action=showstate&agent=1001&fresh=1".to_owned(),
        "action=showstate&agent=1001".to_owned(),
        format!("action=showstate&agent=1001&queue={requested}&fresh=1"),
        "action=showqueue&fresh=1".to_owned(),
        format!("action=showqueue&queue={requested}&fresh=1"),
        format!("action=showqueue&queue={requested}"),
        format!("action=showqueuestat&queue={requested}&fresh=1"),
        format!("action=showqueuestat&queue={requested}"),
        "action=showqueuestat&fresh=1".to_owned(),
    ] {
        let body = bridge.acme_ok(&query);
        for queue in body["queues"].as_array().expect("queues") {
            if queue["name"] == name {
                assert_eq!(queue["queue"], number, "{query}: {body}");
            }
        }
        let mut queues = body["queues"].as_array().expect("queues").iter();
        assert!(queues.any(|queue| queue["name"] == name), "{query}: {body}");
        assert_members(&query, &members);
    }
    let mut stream = EventClient::open(bridge.address, ACME, &format!("&queue={requested}"));
    let snapshot = stream
        .until("snapshot", EVENT_TIMEOUT)
        .pop()
        .expect("a snapshot");
    let queue = &snapshot.data["queues"][0];
    assert_eq!(
        (&queue["queue"], &queue["name"]),
        (&json!(number), &json!(name))
    );
    assert_members("a stream was opened", &members);
    for (query, member) in [
        (format!("action=pause&agent=1001&queue={requested}"), None),
        (format!("action=unpause&agent=1001&queue={requested}"), None),
        ("action=pause&agent=1002&reason=Lunch".to_owned(), None),
        ("action=unpause&agent=1002".to_owned(), None),
        (
            format!("action=add&agent=1003&queue={requested}"),
            Some(("1003", true)),
        ),
        (
            format!("action=remove&agent=1003&queue={requested}"),
            Some(("1003", false)),
        ),
    ] {
        let body = bridge.acme_ok(&query);
        let rows = json!([{"queue": number, "result": "ok"}]);
        assert_eq!(body["queues"], rows, "{query}: {body}");
        match member {
            Some((agent, true)) => drop(members.insert(agent.to_owned())),
            Some((agent, false)) => drop(members.remove(agent)),
            None => {}
        }
        assert_members(&query, &members);
        let event = stream
            .until("member", EVENT_TIMEOUT)
            .pop()
            .expect("an event");
        assert_eq!(event.data["queue"], number, "{query}");
    }
    // Waits until resyncs have sent at least four more queries while the stream is open.
    let query_count = || bridge.sent_count("QueueStatus");
    let before = query_count();
    eventually("four more queries", || {
        (query_count() >= before + 4).then_some(())
    });
    assert_members("resyncs", &members);
    let shown = bridge.acme_ok(&format!("action=showqueue&queue={requested}"));
    assert_eq!(super::agents(&shown["queues"][0]), members);
}

fn requests_remove_no_dynamic_members_of_a_listed_queue(version: u32) {
    let pbx = start(version);
    let text = acme_configuration(pbx.asterisk.port, "\"support\"", "1s");
    let bridge = Bridge::start(&text);
    use_every_action(&pbx, &bridge, "Support", "support", "SUPPORT");
    use_every_action(&pbx, &bridge, "Support", "support", "Support");
    pbx.asterisk.name_checker().record.assert_clean();
}

fn requests_remove_no_dynamic_members_of_a_queue_matched_by_a_pattern(version: u32) {
    let pbx = start(version);
    let bridge = Bridge::start(&acme_configuration(pbx.asterisk.port, "\"*\"", "1s"));
    use_every_action(&pbx, &bridge, "Support", "Support", "SUPPORT");
    use_every_action(&pbx, &bridge, "Support", "Support", "support");
    pbx.asterisk.name_checker().record.assert_clean();
    println!(
        "Asterisk {version}: {} actions checked in this test, {} in this process",
        pbx.asterisk.name_checker().record.actions(),
        total_checked_actions()
    );
}

/// Creates the queue `Sales`, which the bridge has not seen in a list yet.
fn insert_sales(pbx: &Realtime) {
    pbx.insert_queue("Sales");
    pbx.insert_member("Sales", &interface(1040), "Rita");
    for agent in [1001, 1002] {
        add_elsewhere(&pbx.asterisk, "Sales", agent);
    }
}

fn requests_remove_no_dynamic_members_of_a_new_listed_queue(version: u32) {
    let pbx = Realtime::start(version);
    // With this long interval, no resync finds the queue before a request names it.
    let text = acme_configuration(pbx.asterisk.port, "\"sales\"", "1h");
    let bridge = Bridge::start(&text);
    let missing = bridge.get_as(ACME, "action=showqueue&queue=SALES");
    assert_eq!(missing.outcome(), "404 unknown_queue");
    insert_sales(&pbx);
    for (action, spelling) in [
        ("add&agent=1003", "SALES"),
        ("showqueue&fresh=1", "sales"),
        ("pause&agent=1001", "Sales"),
    ] {
        let query = format!("action={action}&queue={spelling}");
        let body = bridge.acme_ok(&query);
        assert_eq!(body["queues"][0]["queue"], "sales", "{query}: {body}");
        let members = agent_set(&["1001", "1002", "1003", "1040"]);
        assert_eq!(
            agents_in_asterisk(&pbx.asterisk, "Sales"),
            members,
            "{query}"
        );
    }
}

fn requests_remove_no_dynamic_members_of_a_new_queue_matched_by_a_pattern(version: u32) {
    let members = agent_set(&["1001", "1002", "1040"]);
    // Each case uses a new bridge, so its request is the first that names the queue.
    let actions = [
        "showqueue",
        "showqueue&fresh=1",
        "showstate&agent=1001",
        "showqueuestat",
        "pause&agent=1001",
    ];
    run_in_parallel(&actions, |action| {
        let pbx = Realtime::start(version);
        let bridge = Bridge::start(&acme_configuration(pbx.asterisk.port, "\"*\"", "1h"));
        insert_sales(&pbx);
        let query = format!("action={action}&queue=SALES");
        let body = bridge.acme_ok(&query);
        assert_eq!(body["queues"][0]["queue"], "Sales", "{query}: {body}");
        assert_eq!(
            agents_in_asterisk(&pbx.asterisk, "Sales"),
            members,
            "{query}"
        );
    });
}

fn bridge_and_check_warn_if_the_configuration_spells_a_queue_differently(version: u32) {
    let pbx = start(version);
    let port = pbx.asterisk.port;
    let names_both = |text: &str| text.contains("Support") && text.contains("support");
    let text = acme_configuration(port, "\"support\"", "1s");
    let bridge = Bridge::start(&text);
    eventually("a warning is logged", || {
        let mut warnings = warnings(&bridge).into_iter();
        warnings.any(|line| names_both(&line)).then_some(())
    });
    let (status, report) = check(&text, &[]);
    assert_eq!(status, Some(0), "{report}");
    let has_warning = |report: &Value| {
        let warnings = report["warnings"].as_array().expect("warnings").clone();
        let mut texts = warnings.iter().filter_map(Value::as_str);
        texts.any(names_both)
    };
    assert!(has_warning(&report), "{report}");
    // `check` has not removed any members.
    let members = agent_set(&["1001", "1002", "1040"]);
    assert_eq!(agents_in_asterisk(&pbx.asterisk, "Support"), members);
    for spelling in ["\"Support\"", "\"*\""] {
        let (status, report) = check(&acme_configuration(port, spelling, "1s"), &[]);
        assert_eq!(status, Some(0), "{report}");
        assert!(!has_warning(&report), "{spelling}: {report}");
    }
}

fn queue_name_checker_detects_a_different_spelling(version: u32) {
    let pbx = start(version);
    let checker = pbx.asterisk.name_checker();
    let mut ami = Ami::login(checker.port, "tester", "tester-secret");
    // The checker has not seen the queue in a list yet.
    ami.queue_status("Support");
    assert_eq!(checker.record.take_violations().len(), 1);
    ami.queue_status("");
    ami.queue_status("Support");
    checker.record.assert_clean();
    ami.queue_status("support");
    let violations = checker.record.take_violations();
    assert_eq!(
        violations,
        ["QueueStatus named the queue \"support\"; Asterisk spells it \"Support\""]
    );
    // The query has removed the dynamic members, which is why the checker exists.
    assert_eq!(
        agents_in_asterisk(&pbx.asterisk, "Support"),
        agent_set(&["1040"])
    );
    assert_eq!(checker.record.actions(), 3);
}
