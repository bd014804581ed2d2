//! API errors. A refused request changes nothing on the PBX.

use crate::support::{
    ACME, API_PATH, Asterisk, Bridge, configuration, eventually, on_every_pbx, request, start,
};

on_every_pbx!(
    refused_changes_have_specific_codes_and_no_effect,
    invalid_parameters_are_refused_without_an_ami_action,
    missing_ami_permission_is_reported_and_its_fix_is_logged,
    requests_during_a_pending_shutdown_get_pbx_unavailable,
    unanswered_change_gets_outcome_unknown,
    requests_beyond_max_pending_get_overloaded,
);

fn refused_changes_have_specific_codes_and_no_effect(version: u32) {
    let queues = "[general]\n[acme-6001]\nmember => Local/1050@acme-agents\n";
    let asterisk = Asterisk::start_with(version, &[("queues.conf", queues)]);
    let bridge = Bridge::start(&configuration(asterisk.port));
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    // Queue 6002 is configured for the organization, but the PBX does not have it.
    for (query, expected) in [
        ("action=pause&agent=1001&queue=6002", "404 unknown_queue"),
        ("action=pause&agent=1002&queue=6001", "404 not_a_member"),
        ("action=pause&agent=1002", "404 not_a_member"),
        ("action=unpause&agent=1002", "404 not_a_member"),
        ("action=unpause&agent=1002&queue=6001", "404 not_a_member"),
        ("action=unpause&agent=1001&queue=6002", "404 unknown_queue"),
        ("action=pause&agent=1001&queue=9999", "404 unknown_queue"),
        (
            "action=pause&agent=1001&queue=6002,9999",
            "404 unknown_queue",
        ),
        ("action=add&agent=1001&queue=6001", "409 already_member"),
        ("action=add&agent=1050&queue=6001", "409 already_member"),
        ("action=add&agent=1002&queue=6002", "404 unknown_queue"),
        ("action=add&agent=1002&queue=9999", "404 unknown_queue"),
        ("action=add&agent=2001&queue=6001", "404 unknown_agent"),
        ("action=remove&agent=1002&queue=6001", "404 not_a_member"),
        ("action=remove&agent=1050&queue=6001", "409 static_member"),
        ("action=remove&agent=1001&queue=6002", "404 unknown_queue"),
        ("action=showqueue&queue=6002", "404 unknown_queue"),
        ("action=showqueue&queue=6001,6002", "404 unknown_queue"),
        ("action=showqueue&queue=9999", "404 unknown_queue"),
        ("action=showqueuestat&queue=6002", "404 unknown_queue"),
        (
            "action=showstate&agent=1001&queue=6002",
            "404 unknown_queue",
        ),
        ("action=showstate&agent=2001", "404 unknown_agent"),
        ("action=pause&agent=2001&queue=9999", "404 unknown_agent"),
    ] {
        let response = bridge.get_as(ACME, query);
        assert_eq!(response.outcome(), expected, "{query}");
        let body = response.json();
        assert_eq!(body["status"], "error");
        assert!(
            body["message"]
                .as_str()
                .is_some_and(|text| text.ends_with('.')),
            "{body}"
        );
        assert_eq!(body["request_id"].as_str(), response.header("X-Request-Id"));
    }
    let body = bridge
        .get_as(ACME, "action=remove&agent=1050&queue=6001")
        .json();
    assert_eq!(body["queues"][0]["code"], "static_member");
    // The refused requests had no effect.
    let log = asterisk.queue_log();
    let changes = log.lines().filter(|line| !line.contains("QUEUESTART"));
    assert_eq!(changes.count(), 1, "changes other than the add: {log}");
}

fn invalid_parameters_are_refused_without_an_ami_action(version: u32) {
    let (asterisk, bridge) = start(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001&paused=0");
    eventually("QueueAdd is logged", || {
        (bridge.sent_count("QueueAdd") == 1).then_some(())
    });
    let before = (asterisk.queue_log(), bridge.sent_count("Queue"));
    let too_long = "x".repeat(80);
    for (query, code, parameter) in [
        (
            "action=pause&agent=1001&reason=x%0d%0aAction:%20Originate",
            "invalid_parameter",
            "reason",
        ),
        (
            "action=pause&agent=1001&reason=x%0aAction:%20Originate",
            "invalid_parameter",
            "reason",
        ),
        (
            "action=pause&agent=1001&reason=x%00y",
            "invalid_parameter",
            "reason",
        ),
        (
            "action=pause&agent=1001&reason=x%1by",
            "invalid_parameter",
            "reason",
        ),
        (
            "action=pause&agent=1001&reason=%C3%28",
            "invalid_parameter",
            "reason",
        ),
        (
            "action=pause&agent=1001&reason=x|Local/911@evil;0;0",
            "invalid_parameter",
            "reason",
        ),
        (
            "action=pause&agent=1001&reason=a,b",
            "invalid_parameter",
            "reason",
        ),
        (
            "action=pause&agent=1001&reason=a%3Bb",
            "invalid_parameter",
            "reason",
        ),
        (
            &format!("action=pause&agent=1001&reason={too_long}"),
            "invalid_parameter",
            "reason",
        ),
        (
            "action=pause&agent=1001%0d%0aX:y",
            "invalid_parameter",
            "agent",
        ),
        (
            "action=pause&agent=1001&queue=6001%0d%0aX:y",
            "invalid_parameter",
            "queue",
        ),
        (
            "action=pause&agent=1001&queue=",
            "invalid_parameter",
            "queue",
        ),
        (
            "action=pause&agent=1001&queue=,",
            "invalid_parameter",
            "queue",
        ),
        ("action=pause&agent=", "invalid_parameter", "agent"),
        (
            "action=pause&agent=trunk/1001",
            "invalid_parameter",
            "agent",
        ),
        ("action=pause&agent=1001@evil", "invalid_parameter", "agent"),
        ("action=pause&agent=+1001", "invalid_parameter", "agent"),
        (
            "action=pause&que=6001&agent=1001",
            "unknown_parameter",
            "que",
        ),
        (
            "action=pause&agent=1001&agent=1002",
            "duplicate_parameter",
            "agent",
        ),
        (
            "action=pause&action=unpause&agent=1001",
            "duplicate_parameter",
            "action",
        ),
        ("action=pause", "missing_parameter", "agent"),
        ("action=add&agent=1002", "missing_parameter", "queue"),
        (
            "action=add&agent=1002&queue=6001&alias=Doe,%20John",
            "invalid_parameter",
            "alias",
        ),
        (
            &format!("action=add&agent=1002&queue=6001&alias={too_long}"),
            "invalid_parameter",
            "alias",
        ),
        (
            "action=add&agent=1002&queue=6001&penalty=abc",
            "invalid_parameter",
            "penalty",
        ),
        (
            "action=add&agent=1002&queue=6001&penalty=-1",
            "invalid_parameter",
            "penalty",
        ),
        (
            "action=add&agent=1002&queue=6001&paused=banana",
            "invalid_parameter",
            "paused",
        ),
        (
            "action=showqueue&queue=6001&agent=1001",
            "invalid_parameter",
            "agent",
        ),
        ("action=showqueuestat&agent=", "invalid_parameter", "agent"),
        ("action=dance&agent=1001", "unknown_action", "action"),
        ("agent=1001", "missing_parameter", "action"),
    ] {
        let response = bridge.get_as(ACME, query);
        assert_eq!(response.outcome(), format!("400 {code}"), "{query}");
        assert_eq!(response.json()["parameter"], parameter, "{query}");
    }
    assert_eq!((asterisk.queue_log(), bridge.sent_count("Queue")), before);
}

fn missing_ami_permission_is_reported_and_its_fix_is_logged(version: u32) {
    let manager = "[general]\nenabled=yes\nbindaddr=127.0.0.1\nport = 5038\n\
        [queuebridge]\nsecret=sample-secret-change-me\nread=agent,system\n";
    let asterisk = Asterisk::start_with(version, &[("manager.conf", manager)]);
    let bridge = Bridge::start(&configuration(asterisk.port));
    let response = bridge.get_as(ACME, "action=pause&agent=1050&queue=6002");
    assert_eq!(response.outcome(), "502 pbx_refused");
    let message = response.json()["message"].to_string();
    assert!(message.contains("Permission denied"), "{message}");
    assert!(
        bridge
            .log()
            .contains("add write=agent to the user in manager.conf")
    );
    // Reads need no AMI write permission.
    bridge.acme_ok("action=showqueue");
}

fn requests_during_a_pending_shutdown_get_pbx_unavailable(version: u32) {
    let (asterisk, bridge) = start(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    // A graceful shutdown stays pending until this call ends.
    asterisk.add_caller("acme-6001");
    eventually("the call is answered", || {
        let state = bridge.acme_ok("action=showstate&agent=1001");
        (state["state"] == "in_call").then_some(())
    });
    // The command does not return while the shutdown is pending, so it needs its own thread.
    std::thread::scope(|scope| {
        let shutdown = scope.spawn(|| asterisk.cli("core stop gracefully"));
        let response = eventually("the shutdown is pending", || {
            let response = bridge.get_as(ACME, "action=pause&agent=1001&queue=6001&reason=late");
            (response.status != 200).then_some(response)
        });
        assert_eq!(response.outcome(), "503 pbx_unavailable");
        assert!(response.header("Retry-After").is_some());
        let read = bridge.get_as(ACME, "action=showqueue&fresh=1");
        assert_eq!(read.outcome(), "503 pbx_unavailable");
        asterisk.cli("core abort shutdown");
        eventually("the shutdown is aborted", || {
            let response = bridge.get_as(ACME, "action=unpause&agent=1001&queue=6001");
            (response.status == 200).then_some(())
        });
        shutdown.join().expect("no panic in the command thread");
    });
}

fn unanswered_change_gets_outcome_unknown(version: u32) {
    let asterisk = Asterisk::start(version);
    let configuration = configuration(asterisk.port).replace("\"3s\"", "\"1500ms\"");
    let bridge = Bridge::start(&configuration);
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    asterisk.freeze();
    let response = bridge.get_as(ACME, "action=pause&agent=1001&queue=6001&reason=late");
    assert_eq!(response.outcome(), "504 outcome_unknown");
    let read = bridge.get_as(ACME, "action=showqueue&fresh=1");
    assert_eq!(read.outcome(), "504 outcome_unknown");
    // The bridge knows the agent's queues without a query.
    let response = bridge.get_as(ACME, "action=pause&agent=1001&reason=everywhere");
    assert_eq!(response.outcome(), "504 outcome_unknown");
    asterisk.resume();
    // Asterisk's late reply to the first pause is not matched to another request.
    let state = eventually("Asterisk has executed the changes", || {
        let state = bridge.acme_ok("action=showstate&agent=1001");
        (state["reason"] == "everywhere").then_some(state)
    });
    assert_eq!(state["agent"], "1001");
    let log = asterisk.queue_log();
    assert_eq!(log.matches("|PAUSE|late").count(), 1);
    assert_eq!(log.matches("|PAUSE|everywhere").count(), 1);
}

fn requests_beyond_max_pending_get_overloaded(version: u32) {
    let asterisk = Asterisk::start(version);
    let configuration = configuration(asterisk.port).replace(
        "action_timeout = \"3s\"",
        "action_timeout = \"3s\"\nmax_pending = 2",
    );
    let bridge = Bridge::start(&configuration);
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    asterisk.freeze();
    let address = bridge.address;
    let pause = move |reason: usize| {
        let query = format!(
            "username=acme%40example.com&password=acme-password&action=pause&agent=1001&queue=6001&reason=r{reason}"
        );
        request(address, "GET", &format!("{API_PATH}?{query}"), &[], b"")
    };
    std::thread::scope(|scope| {
        let requests: Vec<_> = (0..8)
            .map(|reason| scope.spawn(move || pause(reason)))
            .collect();
        let mut outcomes: Vec<_> = requests
            .into_iter()
            .map(|request| {
                let response = request.join().expect("no panic in a request thread");
                if response.status == 503 {
                    assert!(response.header("Retry-After").is_some());
                }
                response.outcome()
            })
            .collect();
        outcomes.sort();
        assert_eq!(outcomes[..6], ["503 overloaded"; 6]);
        assert_eq!(outcomes[6..], ["504 outcome_unknown"; 2]);
    });
    asterisk.resume();
    eventually("Asterisk answers again", || {
        (bridge.get_as(ACME, "action=showqueue").status == 200).then_some(())
    });
    // The bridge has not sent the refused changes, not even after Asterisk resumed.
    assert_eq!(asterisk.queue_log().matches("|PAUSE|").count(), 2);
}
