//! Two organizations on one PBX can't see or change each other's queues and agents.

use serde_json::{Value, json};

use crate::support::{ACME, GLOBEX, on_every_pbx, start};

on_every_pbx!(
    organizations_do_not_see_each_other,
    organizations_cannot_change_each_other,
    pausing_a_shared_phone_affects_only_the_users_organization,
);

fn organizations_do_not_see_each_other(version: u32) {
    let (_asterisk, bridge) = start(version);
    bridge.get_ok(GLOBEX, "action=add&agent=1001&queue=6001&alias=Gila");
    for action in ["showqueue", "showqueuestat", "showstate&agent=1001"] {
        let response = bridge.acme_ok(&format!("action={action}")).to_string();
        assert!(
            !response.contains("globex") && !response.contains("Gila"),
            "{response}"
        );
        let response = bridge
            .get_ok(GLOBEX, &format!("action={action}"))
            .to_string();
        assert!(!response.contains("acme"), "{response}");
    }
    let response = bridge.acme_ok("action=showstate&agent=1001");
    assert_eq!(response["state"], "logged_out");
    let response = bridge.get_ok(GLOBEX, "action=showstate&agent=1001");
    assert_eq!(response["queues"][0]["name"], "globex-6001");
}

fn organizations_cannot_change_each_other(version: u32) {
    let (asterisk, bridge) = start(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    let before = asterisk.queue_log();
    // For the other organization's queues, however they are spelled, the response is the same as
    // for nonexistent queues.
    for user in [ACME, GLOBEX] {
        for queue in [
            "nowhere",
            "globex-6001",
            "acme-6001",
            "ACME-6001",
            "Globex-6001",
            "6001-x",
        ] {
            for query in [
                format!("action=pause&agent=1001&queue={queue}"),
                format!("action=unpause&agent=1001&queue={queue}"),
                format!("action=add&agent=1002&queue={queue}"),
                format!("action=remove&agent=1001&queue={queue}"),
                format!("action=showqueue&queue={queue}"),
                format!("action=showqueuestat&queue={queue}"),
                format!("action=showstate&agent=1001&queue={queue}"),
            ] {
                let response = bridge.get_as(user, &query);
                assert_eq!(response.outcome(), "404 unknown_queue", "{query}");
                let message = response.json()["message"].clone();
                assert_eq!(message, format!("There is no queue {queue}."));
            }
        }
    }
    // Acme's agent is unknown to globex, although both organizations use the same agent
    // number.
    for query in [
        "action=pause&agent=1001",
        "action=pause&agent=1001&queue=6001",
        "action=remove&agent=1001&queue=6001",
    ] {
        assert_eq!(
            bridge.get_as(GLOBEX, query).outcome(),
            "404 not_a_member",
            "{query}"
        );
    }
    assert_eq!(asterisk.queue_log(), before);
}

fn pausing_a_shared_phone_affects_only_the_users_organization(version: u32) {
    let (asterisk, bridge) = start(version);
    let mut ami = asterisk.ami();
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    // The operator has added acme's phone to one of globex's queues.
    let phone = "Local/1001@acme-agents";
    ami.send(&format!(
        "Action: QueueAdd\r\nQueue: globex-6001\r\nInterface: {phone}"
    ));
    let paused = |ami: &mut crate::support::Ami, queue: &str| {
        ami.member(queue, phone).expect("a member")["Paused"].clone()
    };
    let response = bridge.acme_ok("action=pause&agent=1001&reason=Lunch");
    assert_eq!(
        response["queues"],
        json!([{"queue": "6001", "result": "ok"}])
    );
    assert_eq!(
        (
            paused(&mut ami, "acme-6001"),
            paused(&mut ami, "globex-6001")
        ),
        ("1".into(), "0".into())
    );
    let response = bridge.acme_ok("action=showstate&agent=1001");
    assert_eq!(response["queues"].as_array().map(Vec::len), Some(1));
    assert_eq!(response["state"], "paused");
    // Globex sees the member, but no agent number.
    let response = bridge.get_ok(GLOBEX, "action=showqueue&queue=6001");
    assert_eq!(response["queues"][0]["members"][0]["agent"], Value::Null);
    assert_eq!(
        bridge.get_as(GLOBEX, "action=pause&agent=1001").outcome(),
        "404 not_a_member"
    );
}
