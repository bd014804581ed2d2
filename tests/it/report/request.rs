//! The requests that `showreport` accepts and refuses, and whose rows a user gets.

use serde_json::json;

use crate::support::{
    ACME, Asterisk, Bridge, SIMULATED, User, configuration, eventually, on_every_pbx, start,
    with_state_directory,
};

on_every_pbx!(
    report_shows_the_agents_work,
    limited_user_gets_own_rows_only,
    supervisor_of_a_queue_gets_its_rows_only,
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
    assert_eq!(report["by"], json!(["agent"]));
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
    let asterisk = Asterisk::start(version);
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

fn supervisor_of_a_queue_gets_its_rows_only(version: u32) {
    const SUPERVISOR: User = User {
        username: "supervisor",
        password: "secret",
    };
    let asterisk = Asterisk::start(version);
    let user = "\n[[organization.acme.user]]\nusername = \"supervisor\"\npassword = \"secret\"\n\
                queues = [\"6001\"]\n";
    let bridge = Bridge::start(&(configuration(asterisk.port) + user));
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    bridge.acme_ok("action=add&agent=1002&queue=6002&paused=1&reason=Lunch");
    eventually("both agents have worked for a second", || {
        let report = bridge.acme_ok("action=showreport&agent=1001,1002");
        report["rows"][1].is_object().then_some(())
    });
    let rows = |query: &str| bridge.get_ok(SUPERVISOR, &format!("action=showreport&{query}"));
    let agents = rows("by=agent");
    assert_eq!(agents["rows"].as_array().map(Vec::len), Some(1), "{agents}");
    assert_eq!(agents["rows"][0]["agent"], "1001");
    let queues = rows("by=queue");
    assert_eq!(queues["rows"].as_array().map(Vec::len), Some(1), "{queues}");
    let row = &queues["rows"][0];
    assert_eq!(
        (&row["queue"], &row["callers"]),
        (&json!("6001"), &json!(0))
    );
    assert_eq!(rows("by=reason")["rows"], json!([]));
}

#[test]
fn wrong_parameters_are_refused() {
    let bridge = Bridge::start_unready(&without_pbx());
    for (query, parameter) in [
        ("from=2026-13-01", "from"),
        ("from=2026-02-29", "from"),
        ("from=-002026-11-29", "from"),
        ("from=2026-11-29T00:00", "from"),
        ("to=2026-11-31", "to"),
        ("from=20261129", "from"),
        ("to=today", "to"),
        ("from=2026-11-29&to=2026-11-28", "from"),
        ("from=1900-01-01", "to"),
        ("from=0001-01-01&to=9999-12-31", "to"),
        ("from=9999-12-31&to=9999-12-31", "to"),
        ("by=agents", "by"),
        ("by=", "by"),
        ("by=day,,agent", "by"),
        ("by=AGENT", "by"),
        ("format=xml", "format"),
        ("agent=", "agent"),
        ("queue=*", "queue"),
    ] {
        let refused = bridge.get_as(ACME, &format!("action=showreport&{query}"));
        assert_eq!(refused.outcome(), "400 invalid_parameter", "{query}");
        assert_eq!(refused.json()["parameter"], parameter, "{query}");
    }
    for query in [
        "agent=1001,9999",
        "agent=1001,9999&format=csv",
        "agent=1001,9999&by=queue",
    ] {
        let refused = bridge.get_as(ACME, &format!("action=showreport&{query}"));
        assert_eq!(refused.outcome(), "404 unknown_agent", "{query}");
    }
    let refused = bridge.get_as(ACME, "action=showreport&queue=6001,7001");
    assert_eq!(refused.outcome(), "404 unknown_queue");
}

#[test]
fn key_or_agent_that_is_named_twice_counts_once() {
    let asterisk = Asterisk::start(SIMULATED);
    let bridge = Bridge::start(&configuration(asterisk.port));
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    let report = eventually("a second of work", || {
        let query = "action=showreport&by=agent,day,agent&agent=1001,1001&queue=6001,6001";
        let report = bridge.acme_ok(query);
        report["rows"][0].is_object().then_some(report)
    });
    assert_eq!(report["by"], json!(["agent", "day"]));
    assert_eq!(report["rows"].as_array().map(Vec::len), Some(1), "{report}");
}

#[test]
fn csv_has_keys_first_and_no_formulas() {
    let asterisk = Asterisk::start(SIMULATED);
    let bridge = Bridge::start(&configuration(asterisk.port));
    bridge.acme_ok("action=add&agent=1009&queue=6001&alias=%3D1%2B1");
    bridge
        .acme_ok("action=add&agent=1010&queue=6001&alias=Zo%C3%AB%20%22Z%22&paused=1&reason=%40a");
    let csv = |query: &str| bridge.get_as(ACME, &format!("action=showreport&format=csv&{query}"));
    let today = bridge.acme_ok("action=showreport")["from"].clone();
    let today = today.as_str().expect("a date");
    let response = eventually("both have worked for a second", || {
        let response = csv("by=agent,day&agent=1009,1010");
        (response.body.lines().count() == 3).then_some(response)
    });
    let content_type = response.header("content-type").expect("a type");
    assert!(content_type.starts_with("text/csv; charset=utf-8"));
    assert!(
        response
            .body
            .starts_with("\u{feff}agent,day,alias,logged_in_seconds,")
    );
    assert!(response.body.ends_with("\r\n"));
    let rows: Vec<&str> = response.body.split("\r\n").collect();
    let row = format!("1009,{today},'=1+1,");
    assert!(rows[1].starts_with(&row), "{response:?}");
    let row = format!("1010,{today},\"Zoë \"\"Z\"\"\",");
    assert!(rows[2].starts_with(&row), "{response:?}");
    let by_reason = eventually("the pause has lasted for a second", || {
        let body = csv("by=reason").body;
        (body.lines().count() == 2).then_some(body)
    });
    let (header, row) = by_reason.split_once("\r\n").expect("two lines");
    assert_eq!(
        header,
        "\u{feff}reason,paused_seconds,pauses,overdue_pauses"
    );
    assert!(
        row.starts_with("'@a,") && row.ends_with(",1,0\r\n"),
        "{row}"
    );
}

#[test]
fn report_without_a_link_is_not_complete() {
    let state = tempfile::tempdir().expect("a folder");
    let configuration = with_state_directory(&without_pbx(), state.path());
    let bridge = Bridge::start_unready(&configuration);
    let report = bridge.acme_ok("action=showreport");
    assert_eq!(report["complete"], false);
    assert!(report["since"].is_null(), "{report}");
    assert_eq!(report["rows"], json!([]));
}
