//! The bridge reports waiting, answered and abandoned calls as Asterisk does.

use serde_json::json;

use crate::support::{eventually, on_every_pbx, start};

on_every_pbx!(
    waiting_caller_is_shown_and_completed_call_is_counted,
    abandoned_calls_are_counted,
);

fn waiting_caller_is_shown_and_completed_call_is_counted(version: u32) {
    let (asterisk, bridge) = start(version);
    asterisk.add_caller("acme-6001");
    let waiting = eventually("a caller waits", || {
        let queue = bridge.acme_ok("action=showqueue&queue=6001")["queues"][0].clone();
        (!queue["callers"].as_array()?.is_empty()).then_some(queue)
    });
    let caller = &waiting["callers"][0];
    assert_eq!(
        (
            &caller["position"],
            &caller["caller_id_number"],
            &caller["caller_id_name"]
        ),
        (&json!(1), &json!("0501234567"), &json!("Sample Caller"))
    );
    let rows = asterisk.ami().queue_status("acme-6001");
    let queue_entry = rows
        .iter()
        .find(|row| row["Event"] == "QueueEntry")
        .expect("a QueueEntry row");
    assert_eq!(caller["channel"], queue_entry["Channel"].as_str());
    assert_eq!(caller["unique_id"], queue_entry["Uniqueid"].as_str());
    assert!(caller["wait_seconds"].is_u64() && caller["priority"] == 0);
    let statistics = bridge.acme_ok("action=showqueuestat&queue=6001");
    assert_eq!(statistics["queues"][0]["callers_waiting"], 1);
    assert_eq!(statistics["total"]["callers_waiting"], 1);

    // As soon as an agent is added, the agent's phone rings and answers the call.
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    let agent = eventually("the call is answered", || {
        let agent = bridge.acme_ok("action=showstate&agent=1001");
        (agent["state"] == "in_call" && agent["queues"][0]["in_call"] == true).then_some(agent)
    });
    assert_eq!(agent["paused"], false);
    let statistics = bridge.acme_ok("action=showqueuestat&queue=6001");
    assert_eq!(statistics["queues"][0]["agents"]["in_call"], 1);
    assert_eq!(statistics["queues"][0]["callers_waiting"], 0);

    // After the caller hangs up, the call counts as completed.
    asterisk.cli("channel request hangup all");
    let statistics = eventually("the call is completed", || {
        let statistics = bridge.acme_ok("action=showqueuestat&queue=6001");
        (statistics["queues"][0]["completed"] == 1).then_some(statistics)
    });
    let rows = asterisk.ami().queue_status("acme-6001");
    let queue = &statistics["queues"][0];
    for (field, header) in [
        ("average_hold_seconds", "Holdtime"),
        ("average_talk_seconds", "TalkTime"),
        ("service_level_seconds", "ServiceLevel"),
    ] {
        assert_eq!(
            queue[field],
            rows[0][header].parse::<i64>().expect(header),
            "{field}"
        );
    }
    assert_eq!(queue["service_level_percent"], 100.0);
    assert_eq!(queue["service_level_answered_percent"], 100.0);
    assert_eq!(queue["abandoned_percent"], 0.0);
    let agent = eventually("the agent is available", || {
        let agent = bridge.acme_ok("action=showstate&agent=1001");
        (agent["state"] == "available").then_some(agent)
    });
    assert_eq!(agent["queues"][0]["calls_taken"], 1);
    assert!(agent["queues"][0]["last_call_at"].is_string());
}

fn abandoned_calls_are_counted(version: u32) {
    let (asterisk, bridge) = start(version);
    for abandoned_count in 1..=2 {
        asterisk.add_caller("acme-6001");
        eventually("a caller waits", || {
            let statistics = bridge.acme_ok("action=showqueuestat&queue=6001");
            (statistics["queues"][0]["callers_waiting"] == 1).then_some(())
        });
        asterisk.cli("channel request hangup all");
        eventually("the caller counts as abandoned", || {
            let statistics = bridge.acme_ok("action=showqueuestat");
            (statistics["total"]["abandoned"] == abandoned_count).then_some(())
        });
    }
    let statistics = bridge.acme_ok("action=showqueuestat");
    assert_eq!(
        statistics["total"],
        json!({"queues": 2, "callers_waiting": 0, "longest_wait_seconds": 0, "completed": 0,
            "abandoned": 2, "abandoned_percent": 100.0})
    );
}
