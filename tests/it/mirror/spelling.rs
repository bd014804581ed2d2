//! No read and no change throws members out of a queue because of how its name is
//! spelled, and answers spell it as Asterisk and the configuration do.

use std::time::Duration;

use serde_json::{Value, json};

use super::{acme_configuration, add, check, each, interface, set, shown_by_asterisk, warnings};
use crate::stream::client::EventClient;
use crate::support::{
    ACME, Ami, Bridge, Realtime, checked_in_total, eventually, insert_member, insert_queue,
    on_both_versions,
};

on_both_versions!(
    a_listed_queue_keeps_its_dynamic_members,
    a_queue_of_a_pattern_keeps_its_dynamic_members,
    a_listed_queue_that_comes_later_keeps_its_dynamic_members,
    a_queue_of_a_pattern_that_comes_later_keeps_its_dynamic_members,
    a_configuration_that_spells_otherwise_is_warned_of,
    the_audit_sees_a_name_that_is_spelled_otherwise,
);

const SOON: Duration = Duration::from_secs(10);

/// `Support` with a realtime member and two dynamic ones.
fn start(version: u32) -> Realtime {
    let pbx = Realtime::start_with(version, &[], |database| {
        insert_queue(database, "Support");
        insert_member(database, "Support", &interface(1040), b"Rita");
    });
    for agent in [1001, 1002] {
        add(&pbx.asterisk, "Support", agent);
    }
    pbx
}

/// Sends requests that name the queue, or mean it, and looks at Asterisk after each.
///
/// `number` is what answers have to call the queue, `clients` what the client calls it.
fn use_every_action(pbx: &Realtime, bridge: &Bridge, name: &str, number: &str, clients: &str) {
    let mut members = set(&["1001", "1002", "1040"]);
    let intact = |after: &str, members: &_| {
        assert_eq!(
            &shown_by_asterisk(&pbx.asterisk, name),
            members,
            "after {after}"
        );
    };
    intact("the start of the bridge", &members);
    for query in [
        "action=showstate&agent=1001&fresh=1".to_owned(),
        "action=showstate&agent=1001".to_owned(),
        format!("action=showstate&agent=1001&queue={clients}&fresh=1"),
        "action=showqueue&fresh=1".to_owned(),
        format!("action=showqueue&queue={clients}&fresh=1"),
        format!("action=showqueue&queue={clients}"),
        format!("action=showqueuestat&queue={clients}&fresh=1"),
        format!("action=showqueuestat&queue={clients}"),
        "action=showqueuestat&fresh=1".to_owned(),
    ] {
        let answer = bridge.acme_ok(&query);
        for queue in answer["queues"].as_array().expect("queues") {
            if queue["name"] == name {
                assert_eq!(queue["queue"], number, "{query}: {answer}");
            }
        }
        let mut names = answer["queues"].as_array().expect("queues").iter();
        assert!(
            names.any(|queue| queue["name"] == name),
            "{query}: {answer}"
        );
        intact(&query, &members);
    }
    let mut stream = EventClient::open(bridge.address, ACME, &format!("&queue={clients}"));
    let snapshot = stream.until("snapshot", SOON).pop().expect("a snapshot");
    let queue = &snapshot.data["queues"][0];
    assert_eq!(
        (&queue["queue"], &queue["name"]),
        (&json!(number), &json!(name))
    );
    intact("a stream's beginning", &members);
    for (query, member) in [
        (format!("action=pause&agent=1001&queue={clients}"), None),
        (format!("action=unpause&agent=1001&queue={clients}"), None),
        ("action=pause&agent=1002&reason=Lunch".to_owned(), None),
        ("action=unpause&agent=1002".to_owned(), None),
        (
            format!("action=add&agent=1003&queue={clients}"),
            Some(("1003", true)),
        ),
        (
            format!("action=remove&agent=1003&queue={clients}"),
            Some(("1003", false)),
        ),
    ] {
        let answer = bridge.acme_ok(&query);
        let rows = json!([{"queue": number, "result": "ok"}]);
        assert_eq!(answer["queues"], rows, "{query}: {answer}");
        match member {
            Some((agent, true)) => drop(members.insert(agent.to_owned())),
            Some((agent, false)) => drop(members.remove(agent)),
            None => {}
        }
        intact(&query, &members);
        let event = stream.until("member", SOON).pop().expect("an event");
        assert_eq!(event.data["queue"], number, "{query}");
    }
    // Two more rounds of the periodic refresh, with the stream open.
    let asked = || bridge.sent_count("QueueStatus");
    let before = asked();
    eventually("refreshes", || (asked() >= before + 4).then_some(()));
    intact("refreshes", &members);
    let shown = bridge.acme_ok(&format!("action=showqueue&queue={clients}"));
    assert_eq!(super::agents(&shown["queues"][0]), members);
}

fn a_listed_queue_keeps_its_dynamic_members(version: u32) {
    let pbx = start(version);
    let text = acme_configuration(pbx.asterisk.port, "\"support\"", "1s");
    let bridge = Bridge::start(&text);
    use_every_action(&pbx, &bridge, "Support", "support", "SUPPORT");
    use_every_action(&pbx, &bridge, "Support", "support", "Support");
    pbx.asterisk.name_checker().log.assert_clean();
}

fn a_queue_of_a_pattern_keeps_its_dynamic_members(version: u32) {
    let pbx = start(version);
    let bridge = Bridge::start(&acme_configuration(pbx.asterisk.port, "\"*\"", "1s"));
    use_every_action(&pbx, &bridge, "Support", "Support", "SUPPORT");
    use_every_action(&pbx, &bridge, "Support", "Support", "support");
    pbx.asterisk.name_checker().log.assert_clean();
    println!(
        "Asterisk {version}: {} actions audited here, {} in this process so far",
        pbx.asterisk.name_checker().log.actions(),
        checked_in_total()
    );
}

/// `Sales`, which the bridge has not seen in any list before.
fn insert_sales(pbx: &Realtime) {
    pbx.insert_queue("Sales");
    pbx.insert_member("Sales", &interface(1040), "Rita");
    for agent in [1001, 1002] {
        add(&pbx.asterisk, "Sales", agent);
    }
}

fn a_listed_queue_that_comes_later_keeps_its_dynamic_members(version: u32) {
    let pbx = Realtime::start(version);
    // The resync must not be what finds it.
    let text = acme_configuration(pbx.asterisk.port, "\"sales\"", "1h");
    let bridge = Bridge::start(&text);
    let queue = |query: &str| bridge.get_as(ACME, query);
    let missing = queue("action=showqueue&queue=SALES");
    assert_eq!(missing.outcome(), "404 unknown_queue");
    insert_sales(&pbx);
    for (action, spelled) in [
        ("add&agent=1003", "SALES"),
        ("showqueue&fresh=1", "sales"),
        ("pause&agent=1001", "Sales"),
    ] {
        let query = format!("action={action}&queue={spelled}");
        let answer = bridge.acme_ok(&query);
        assert_eq!(answer["queues"][0]["queue"], "sales", "{query}: {answer}");
        let members = set(&["1001", "1002", "1003", "1040"]);
        assert_eq!(
            shown_by_asterisk(&pbx.asterisk, "Sales"),
            members,
            "{query}"
        );
    }
}

fn a_queue_of_a_pattern_that_comes_later_keeps_its_dynamic_members(version: u32) {
    let members = set(&["1001", "1002", "1040"]);
    // Each request is the first that names the queue.
    let actions = [
        "showqueue",
        "showqueue&fresh=1",
        "showstate&agent=1001",
        "showqueuestat",
        "pause&agent=1001",
    ];
    each(&actions, |action| {
        let pbx = Realtime::start(version);
        let bridge = Bridge::start(&acme_configuration(pbx.asterisk.port, "\"*\"", "1h"));
        insert_sales(&pbx);
        let query = format!("action={action}&queue=SALES");
        let answer = bridge.acme_ok(&query);
        assert_eq!(answer["queues"][0]["queue"], "Sales", "{query}: {answer}");
        assert_eq!(
            shown_by_asterisk(&pbx.asterisk, "Sales"),
            members,
            "{query}"
        );
    });
}

fn a_configuration_that_spells_otherwise_is_warned_of(version: u32) {
    let pbx = start(version);
    let port = pbx.asterisk.port;
    let names_both = |text: &str| text.contains("Support") && text.contains("support");
    let text = acme_configuration(port, "\"support\"", "1s");
    let bridge = Bridge::start(&text);
    eventually("a warning", || {
        let mut warnings = warnings(&bridge).into_iter();
        warnings.any(|line| names_both(&line)).then_some(())
    });
    let (status, report) = check(&text, &[]);
    assert_eq!(status, Some(0), "{report}");
    let warned = |report: &Value| {
        let warnings = report["warnings"].as_array().expect("warnings").clone();
        let mut texts = warnings.iter().filter_map(Value::as_str);
        texts.any(names_both)
    };
    assert!(warned(&report), "{report}");
    // The check leaves the members alone, too.
    let members = set(&["1001", "1002", "1040"]);
    assert_eq!(shown_by_asterisk(&pbx.asterisk, "Support"), members);
    for right in ["\"Support\"", "\"*\""] {
        let (status, report) = check(&acme_configuration(port, right, "1s"), &[]);
        assert_eq!(status, Some(0), "{report}");
        assert!(!warned(&report), "{right}: {report}");
    }
}

fn the_audit_sees_a_name_that_is_spelled_otherwise(version: u32) {
    let pbx = start(version);
    let audit = pbx.asterisk.name_checker();
    let mut ami = Ami::login(audit.port, "tester", "tester-secret");
    // Before any list has named it.
    ami.queue_status("Support");
    assert_eq!(audit.log.take_violations().len(), 1);
    ami.queue_status("");
    ami.queue_status("Support");
    audit.log.assert_clean();
    ami.queue_status("support");
    let violations = audit.log.take_violations();
    assert_eq!(
        violations,
        ["QueueStatus named the queue \"support\"; Asterisk spells it \"Support\""]
    );
    // What the audit is for: the dynamic members are gone.
    assert_eq!(shown_by_asterisk(&pbx.asterisk, "Support"), set(&["1040"]));
    assert_eq!(audit.log.actions(), 3);
}
