//! AMI lists, filters and sessions, including features that the bridge does not use. The simulated
//! PBX must support them as Asterisk does.

use crate::support::{Ami, Asterisk, on_every_pbx};

on_every_pbx!(
    queue_status_filters_by_queue_and_member,
    queue_summary_counts_members_and_callers,
    session_receives_the_events_in_its_mask,
    members_are_in_asterisks_hash_order,
);

fn queue_status_filters_by_queue_and_member(version: u32) {
    let asterisk = Asterisk::start(version);
    let mut ami = asterisk.ami();
    ami.reply_text("QueueAdd\r\nQueue: acme-6002\r\nInterface: Local/1001@acme-agents");
    let mut rows = |filter: &str| {
        let response = ami.send(&format!("Action: QueueStatus\r\nActionID: 7{filter}"));
        assert_eq!(response["EventList"], "start");
        assert_eq!(response["Message"], "Queue status will follow");
        let mut rows = Vec::new();
        loop {
            let row: std::collections::HashMap<_, _> = ami.next_event().into_iter().collect();
            assert_eq!(row["ActionID"], "7");
            if row["Event"] == "QueueStatusComplete" {
                assert_eq!(row["EventList"], "Complete");
                assert_eq!(row["ListItems"], rows.len().to_string());
                return rows.join(" ");
            }
            rows.push(row.get("Location").unwrap_or(&row["Queue"]).clone());
        }
    };
    let (dana, sam) = ("Local/1001@acme-agents", "Local/1050@acme-agents");
    let all = format!(
        "globex-6001 timed-7001 globex-6002 acme-6001 acme-6002 {dana} {sam} timed-7002 timed-7003"
    );
    for (filter, expected) in [
        ("", all.clone()),
        ("\r\nQueue:", all),
        ("\r\nQueue: ACME-6002", format!("acme-6002 {dana} {sam}")),
        (
            "\r\nQueue: acme-6002\r\nMember: Static Sam",
            format!("acme-6002 {sam}"),
        ),
        (
            "\r\nQueue: acme-6002\r\nMember: static sam",
            "acme-6002".to_owned(),
        ),
        (
            "\r\nQueue: acme-6002\r\nMember: local/1001@acme-agents",
            "acme-6002".to_owned(),
        ),
        ("\r\nQueue: nowhere", String::new()),
    ] {
        assert_eq!(rows(filter), expected, "{filter:?}");
    }
}

fn queue_summary_counts_members_and_callers(version: u32) {
    let asterisk = Asterisk::start(version);
    let mut ami = asterisk.ami();
    for agent in ["1001", "1002", "2001"] {
        let interface = format!("Local/{agent}@globex-agents");
        let is_paused = agent == "1001";
        ami.reply_text(&format!(
            "QueueAdd\r\nQueue: globex-6001\r\nInterface: {interface}\r\nPaused: {is_paused}"
        ));
    }
    let response = ami.send("Action: QueueSummary\r\nQueue: globex-6001\r\nActionID: 3");
    assert_eq!(response["Message"], "Queue summary will follow");
    let row = ami.next_event();
    let expected = [
        ("Event", "QueueSummary"),
        ("Queue", "globex-6001"),
        // Agent 2001 has no device, so it is not logged in.
        ("LoggedIn", "2"),
        ("Available", "1"),
        ("Callers", "0"),
        ("HoldTime", "0"),
        ("TalkTime", "0"),
        ("LongestHoldTime", "0"),
        ("ActionID", "3"),
    ];
    assert_eq!(
        row,
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    assert_eq!(ami.next_event()[0].1, "QueueSummaryComplete");
}

fn session_receives_the_events_in_its_mask(version: u32) {
    let asterisk = Asterisk::start(version);
    let mut changer = asterisk.ami();
    let mut ami = Ami::login_with_events(asterisk.port, "TESTER", "tester-secret", "agent");
    let mut witness = Ami::login_with_events(asterisk.port, "tester", "tester-secret", "agent");
    let add = |agent: &str| {
        format!("QueueAdd\r\nQueue: acme-6001\r\nInterface: Local/{agent}@acme-agents")
    };
    let added_interface = |ami: &mut Ami| {
        let event = ami.next_event();
        // This is the next event, so no other event preceded it, not even FullyBooted.
        assert_eq!(event[0].1, "QueueMemberAdded");
        event[4].1.clone()
    };
    changer.reply_text(&add("1001"));
    assert_eq!(added_interface(&mut ami), "Local/1001@acme-agents");
    for (mask, state) in [
        ("off", "Off"),
        ("banana", "Off"),
        ("system", "On"),
        ("agent", "On"),
    ] {
        let response = ami.send(&format!("Action: Events\r\nEventMask: {mask}"));
        assert_eq!(
            (response["Response"].as_str(), response["Events"].as_str()),
            ("Success", state)
        );
        if mask != "agent" {
            changer.reply_text(&add("1002"));
            changer
                .reply_text("QueueRemove\r\nQueue: acme-6001\r\nInterface: Local/1002@acme-agents");
            // Asterisk sends an event some time after the change, but to all sessions at the same
            // time. After `witness` has received the event and Asterisk has responded to the next
            // action from `ami`, no more events about the change can reach `ami`.
            while witness.next_event()[0].1 != "QueueMemberRemoved" {}
            ami.reply_text("QueuePause\r\nInterface: nobody\r\nPaused: 1");
        }
    }
    changer.reply_text(&add("1003"));
    assert_eq!(added_interface(&mut ami), "Local/1003@acme-agents");
    let response = ami.send("Action: Ping\r\nActionID: p");
    assert_eq!(
        (response["Ping"].as_str(), response["ActionID"].as_str()),
        ("Pong", "p")
    );
    let (seconds, fraction) = response["Timestamp"].split_once('.').expect("a fraction");
    assert!(seconds.parse::<u64>().is_ok() && fraction.len() == 6);
    let response = ami.send("Action: Logoff");
    assert_eq!(response["Message"], "Thanks for all the fish.");
}

fn members_are_in_asterisks_hash_order(version: u32) {
    let asterisk = Asterisk::start(version);
    let mut ami = asterisk.ami();
    for agent in 1001..1031 {
        ami.reply_text(&format!(
            "QueueAdd\r\nQueue: globex-6002\r\nInterface: PJSIP/{agent}"
        ));
    }
    let members = ami.members("globex-6002");
    let agents = members.iter().map(|row| &row["Location"]["PJSIP/".len()..]);
    let agents: Vec<_> = agents.collect();
    assert_eq!(
        agents.join(" "),
        "1014 1004 1028 1018 1008 1021 1011 1001 1025 1015 1005 1029 1019 1009 1022 \
         1012 1002 1026 1016 1006 1023 1013 1003 1027 1017 1007 1030 1020 1010 1024"
    );
}
