//! The organization's time zone, queues and reasons, as they are configured when the report is
//! made.

use jiff::Timestamp;
use jiff::tz;
use serde_json::{Value, json};

use crate::support::{
    ACME, Asterisk, Bridge, Reason, SIMULATED, configuration, eventually, with_acme_keys,
    with_reasons,
};

/// Returns today's date where clocks are `hours` ahead of UTC.
fn today(hours: i8) -> String {
    let now = tz::offset(hours).to_datetime(Timestamp::now());
    now.date().to_string()
}

#[test]
fn today_is_a_day_of_the_organizations_time_zone_also_after_a_reload() {
    let zone = |name: &str| with_acme_keys(&configuration(9), &format!("time_zone = \"{name}\""));
    let bridge = Bridge::start_unready(&zone("Pacific/Kiritimati"));
    for (name, hours) in [("Pacific/Kiritimati", 14), ("Etc/GMT+12", -12)] {
        bridge.reconfigure(&zone(name));
        // Midnight may come between the report and the comparison.
        eventually("the report is about today", || {
            let report = bridge.acme_ok("action=showreport");
            assert_eq!(report["time_zone"], name);
            assert_eq!(report["from"], report["to"]);
            (report["from"] == today(hours)).then_some(())
        });
    }
}

#[test]
fn organization_without_a_time_zone_has_the_machines() {
    let mut command = crate::support::bridge_command();
    command.env("TZ", "America/Sao_Paulo");
    let bridge = Bridge::start_command(command, &configuration(9));
    let report = bridge.acme_ok("action=showreport");
    assert_eq!(report["time_zone"], "America/Sao_Paulo");
}

#[test]
fn removed_queue_is_not_in_the_report() {
    let asterisk = Asterisk::start(SIMULATED);
    let configuration = configuration(asterisk.port);
    let bridge = Bridge::start(&configuration);
    bridge.acme_ok("action=add&agent=1001&queue=6001,6002");
    let queues = |bridge: &Bridge| {
        let report = bridge.acme_ok("action=showreport&by=queue&agent=1001");
        let rows = report["rows"].as_array().expect("rows").iter();
        rows.map(|row| row["queue"].clone()).collect::<Vec<_>>()
    };
    eventually("both queues have a row", || {
        (queues(&bridge) == [json!("6001"), json!("6002")]).then_some(())
    });
    bridge.reconfigure(&configuration.replace(r#"["6001", "6002"]"#, r#"["6002"]"#));
    assert_eq!(queues(&bridge), ["6002"]);
    let refused = bridge.get_as(ACME, "action=showreport&queue=6001");
    assert_eq!(refused.outcome(), "404 unknown_queue");
}

#[test]
fn pause_beyond_the_limit_of_its_reason_is_overdue() {
    let asterisk = Asterisk::start(SIMULATED);
    let break_reason = Reason {
        name: "Break",
        limit: Some("1s"),
        ends: false,
    };
    let bridge = Bridge::start(&with_reasons(
        &configuration(asterisk.port),
        &[break_reason],
    ));
    bridge.acme_ok("action=add&agent=1001,1002&queue=6001,6002");
    // Asterisk gets the catalog's spelling.
    bridge.acme_ok("action=pause&agent=1001&reason=BREAK");
    bridge.acme_ok("action=pause&agent=1002&reason=Meeting");
    let overdue = |row: &Value| row["overdue_pauses"].clone();
    let report = eventually("the pause is overdue", || {
        let report = bridge.acme_ok("action=showreport");
        (overdue(&report["rows"][0]) == 1).then_some(report)
    });
    let [row, other] = [0, 1].map(|index| &report["rows"][index]);
    assert_eq!(row["pauses"], 1);
    let seconds = row["reasons"][0]["paused_seconds"].as_u64();
    assert!(seconds >= Some(2), "{row}");
    assert_eq!(row["reasons"][0]["reason"], "Break");
    assert_eq!(overdue(&row["reasons"][0]), 1);
    assert_eq!((&other["pauses"], overdue(other)), (&json!(1), json!(0)));
    let by_reason = bridge.acme_ok("action=showreport&by=reason");
    let names = [0, 1].map(|index| &by_reason["rows"][index]["reason"]);
    assert_eq!(names, ["Break", "Meeting"]);
    let fields = by_reason["rows"][0].as_object().expect("an object").keys();
    assert_eq!(
        fields.collect::<Vec<_>>(),
        ["overdue_pauses", "paused_seconds", "pauses", "reason"]
    );
}
