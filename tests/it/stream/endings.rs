//! Streams during a PBX restart and a bridge shutdown, and stream requests that the bridge
//! rejects.

use std::time::Duration;

use super::client::{EventClient, Item};
use super::panel::Panel;
use crate::mirror::expected::ORGANIZATIONS;
use crate::mirror::{live_configuration, log_at_info, start_live};
use crate::support::{ACME, Bridge, ReservedPort, eventually, on_both_versions, request};

on_both_versions!(
    stream_continues_after_a_pbx_restart,
    bridge_announces_its_shutdown,
    rejected_stream_requests_get_an_error_response,
);

const EVENT_TIMEOUT: Duration = Duration::from_secs(5);

fn stream_continues_after_a_pbx_restart(version: u32) {
    let (mut asterisk, bridge) = start_live(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001&paused=1&reason=Kept");
    let mut client = EventClient::open(bridge.address, ACME, "");
    let mut panel = Panel::default();
    panel.drain(&mut client);
    let before_loss = panel.last_id.clone();
    asterisk.cli("core stop now");
    asterisk.wait_for_exit();
    for event in client.until("pbx", EVENT_TIMEOUT) {
        panel.apply(&event);
    }
    assert!(!panel.connected);
    // A client that reconnects while the link is down receives one event about the lost link,
    // even if it has received that event before. The bridge rejects new streams, because it
    // has no state to send.
    let [mut missed_loss, mut saw_loss] = [&before_loss, &panel.last_id].map(|last| {
        let mut client = EventClient::resume(bridge.address, ACME, "", last.as_deref());
        let event = client.until("pbx", EVENT_TIMEOUT).pop().expect("an event");
        assert_eq!(event.data["connected"], false);
        client
    });
    assert_eq!(outcome_of(&bridge, "&queue=6001"), "503 pbx_unavailable");
    asterisk.restart();
    bridge.wait_ready();
    let mut resumed_panels = [Panel::default(), Panel::default()];
    for (client, panel) in [&mut client, &mut missed_loss, &mut saw_loss]
        .into_iter()
        .zip([&mut panel].into_iter().chain(&mut resumed_panels))
    {
        let events = client.until("pbx", Duration::from_secs(10));
        let last = events.last().map(|event| &event.data["connected"]);
        assert_eq!(last, Some(&true.into()), "{events:?}");
        if panel.last_id.is_some() {
            events.iter().for_each(|event| panel.apply(event));
        }
    }
    assert!(panel.connected);
    panel.catch_up(&mut client, &bridge, ORGANIZATIONS[0], &[], EVENT_TIMEOUT);
    assert_eq!(panel.count("snapshot"), 1, "{:?}", panel.counts);
    // The stream also sends a later change.
    bridge.acme_ok("action=unpause&agent=1001&queue=6001");
    panel.catch_up(&mut client, &bridge, ORGANIZATIONS[0], &[], EVENT_TIMEOUT);
    assert_eq!(
        bridge.acme_ok("action=showstate&agent=1001")["paused"],
        false
    );
}

fn bridge_announces_its_shutdown(version: u32) {
    let (_asterisk, bridge) = start_live(version);
    let mut clients = [
        EventClient::open(bridge.address, ACME, ""),
        EventClient::slow(bridge.address, ACME, "&queue=6001"),
    ];
    for client in &mut clients {
        client.until("snapshot", EVENT_TIMEOUT);
    }
    bridge.terminate();
    for client in &mut clients {
        client.until("shutdown", EVENT_TIMEOUT);
        let end = client.next(EVENT_TIMEOUT);
        assert!(matches!(end, Some(Item::End)), "{end:?}");
    }
    let status = eventually("the bridge exits", || bridge.exit_status());
    assert!(status.success(), "{status:?}");
}

fn rejected_stream_requests_get_an_error_response(version: u32) {
    let asterisk = crate::support::Asterisk::start(version);
    let limited = "\n[[organization.acme.user]]\nusername = \"reader\"\npassword = \"reader-password\"\n\
                   actions = [\"showqueue\"]\n";
    let configuration = live_configuration(asterisk.port) + limited;
    let bridge = Bridge::start(&log_at_info(&configuration));
    let reader = "username=reader&password=reader-password";
    for (credentials, query, outcome) in [
        (
            "username=acme%40example.com&password=wrong",
            "",
            "401 unauthorized",
        ),
        ("username=nobody&password=wrong", "", "401 unauthorized"),
        ("username=nobody", "", "400 missing_parameter"),
        (reader, "", "403 forbidden"),
        (reader, "&queue=nowhere", "403 forbidden"),
        (CREDENTIALS, "&queue=nowhere", "404 unknown_queue"),
        (CREDENTIALS, "&queue=globex-6001", "404 unknown_queue"),
        // Queue 6005 belongs to the organization, but does not exist on the PBX.
        (CREDENTIALS, "&queue=6005", "404 unknown_queue"),
        (CREDENTIALS, "&queue=6001,6005", "404 unknown_queue"),
        (CREDENTIALS, "&queue=", "400 invalid_parameter"),
        (
            CREDENTIALS,
            "&queue=6001&queue=6002",
            "400 duplicate_parameter",
        ),
        (CREDENTIALS, "&que=6001", "400 unknown_parameter"),
    ] {
        let target = format!("/events?{credentials}{query}");
        let response = request(bridge.address, "GET", &target, &[], b"");
        assert_eq!(response.outcome(), outcome, "{target}");
    }
    // A stream cannot be filtered by agent, so the bridge rejects the parameter.
    let target = format!("/events?{CREDENTIALS}&agent=1001");
    let response = request(bridge.address, "GET", &target, &[], b"");
    assert_eq!(
        (response.status, &response.json()["parameter"]),
        (400, &"agent".into())
    );
    for method in ["POST", "HEAD", "PUT"] {
        let target = format!("/events?{CREDENTIALS}");
        let response = request(bridge.address, method, &target, &[], b"");
        assert_eq!(response.status, 405, "{method}");
        assert_eq!(response.header("Allow"), Some("GET"), "{method}");
    }
    let unused_port = ReservedPort::reserve();
    let unlinked = log_at_info(&live_configuration(unused_port.address.port()));
    let unlinked = Bridge::start_unready(&unlinked);
    let response = request(
        unlinked.address,
        "GET",
        &format!("/events?{CREDENTIALS}"),
        &[],
        b"",
    );
    assert_eq!(response.outcome(), "503 pbx_unavailable");
    assert!(response.header("Retry-After").is_some(), "{response:?}");
}

const CREDENTIALS: &str = "username=acme%40example.com&password=acme-password";

fn outcome_of(bridge: &Bridge, query: &str) -> String {
    let target = format!("/events?{CREDENTIALS}{query}");
    request(bridge.address, "GET", &target, &[], b"").outcome()
}
