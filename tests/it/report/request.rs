//! The requests that `showreport` accepts and refuses, and whose rows a user gets.

use crate::support::{
    ACME, Bridge, User, configuration, eventually, on_every_pbx, start, with_state_directory,
};

on_every_pbx!(
    report_shows_the_agents_work,
    limited_user_gets_own_rows_only
);

/// A configuration whose PBX does not exist.
fn without_pbx() -> String {
    configuration(9)
}

fn report_shows_the_agents_work(version: u32) {
    let (_asterisk, bridge) = start(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001,6002&alias=Dana&paused=1&reason=Lunch");
    let report = eventually("a second of work", || {
        let report = bridge.acme_ok("action=showreport&agent=1001");
        (report["rows"][0]["paused_seconds"].as_i64()? > 0).then_some(report)
    });
    assert_eq!(report["status"], "success");
    assert_eq!(report["action"], "showreport");
    assert_eq!(report["by"], serde_json::json!(["agent"]));
    assert_eq!(report["from"], report["to"]);
    let row = &report["rows"][0];
    assert_eq!(
        (&row["agent"], &row["alias"]),
        (&"1001".into(), &"Dana".into())
    );
    assert_eq!(row["pauses"], 1);
    assert_eq!(row["reasons"][0]["reason"], "Lunch");
    assert!(row["callers"].is_null(), "{row}");
    let queues = bridge.acme_ok("action=showreport&by=queue");
    assert_eq!(queues["rows"][0]["queue"], "6001");
    assert_eq!(queues["rows"][0]["callers"], 0);
    let csv = bridge.get_as(ACME, "action=showreport&format=csv&by=day,agent&agent=1001");
    assert_eq!(csv.status, 200);
    assert!(
        csv.header("content-type")
            .expect("a type")
            .starts_with("text/csv")
    );
    let text = &csv.body;
    let mut lines = text.lines();
    let columns = "\u{feff}day,agent,alias,logged_in_seconds,paused_seconds,pauses,overdue_pauses,\
                   calls_taken,talk_seconds,missed_calls,wrap_up_seconds";
    assert_eq!(lines.next(), Some(columns));
    assert!(
        lines.next().expect("a row").contains(",1001,Dana,"),
        "{text}"
    );
}

fn limited_user_gets_own_rows_only(version: u32) {
    const DANA: User = User {
        username: "dana",
        password: "secret",
    };
    let asterisk = crate::support::Asterisk::start(version);
    let user = "\n[[organization.acme.user]]\nusername = \"dana\"\npassword = \"secret\"\n\
                agents = [\"1001\"]\nqueues = [\"6001\"]\nsees_colleagues = true\n";
    let bridge = Bridge::start(&(configuration(asterisk.port) + user));
    bridge.acme_ok("action=add&agent=1001,1002&queue=6001");
    bridge.acme_ok("action=add&agent=1001&queue=6002");
    let report = eventually("a second of work", || {
        let report = bridge.get_ok(DANA, "action=showreport");
        report["rows"][0].is_object().then_some(report)
    });
    let rows = report["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 1, "{report}");
    assert_eq!(rows[0]["agent"], "1001");
    let queues = bridge.get_ok(DANA, "action=showreport&by=queue");
    let rows = queues["rows"].as_array().expect("rows");
    assert_eq!(rows.len(), 1, "{queues}");
    assert!(rows[0]["callers"].is_null(), "{queues}");
    for (parameter, code) in [
        ("agent=1002", "unknown_agent"),
        ("queue=6002", "unknown_queue"),
    ] {
        let refused = bridge.get_as(DANA, &format!("action=showreport&{parameter}"));
        assert_eq!(refused.status, 404);
        assert_eq!(refused.json()["code"], code);
    }
}

#[test]
fn wrong_parameters_are_refused() {
    let bridge = Bridge::start_unready(&without_pbx());
    for (query, parameter) in [
        ("from=2026-13-01", "from"),
        ("from=20261129", "from"),
        ("to=today", "to"),
        ("from=2026-11-29&to=2026-11-28", "from"),
        ("from=1900-01-01", "to"),
        ("by=agents", "by"),
        ("by=", "by"),
        ("by=day,,agent", "by"),
        ("format=xml", "format"),
        ("agent=", "agent"),
        ("queue=*", "queue"),
    ] {
        let refused = bridge.get_as(ACME, &format!("action=showreport&{query}"));
        assert_eq!(refused.status, 400, "{query}: {refused:?}");
        assert_eq!(refused.json()["parameter"], parameter, "{query}");
    }
}

#[test]
fn report_without_a_link_is_not_complete() {
    let state = tempfile::tempdir().expect("a folder");
    let configuration = with_state_directory(&without_pbx(), state.path());
    let bridge = Bridge::start_unready(&configuration);
    let report = bridge.acme_ok("action=showreport");
    assert_eq!(report["complete"], false);
    assert!(report["since"].is_null(), "{report}");
    assert_eq!(report["rows"], serde_json::json!([]));
}
