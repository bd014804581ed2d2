//! The event stream where the PBX goes, where the bridge ends, and where there is
//! none.

use std::time::Duration;

use super::client::{EventClient, Item};
use super::panel::Panel;
use crate::mirror::expected::ORGANIZATIONS;
use crate::mirror::{live_configuration, log_at_info, start_live};
use crate::support::{ACME, Bridge, ReservedPort, eventually, on_both_versions, request};

on_both_versions!(
    the_pbx_goes_and_comes_back,
    the_end_of_the_bridge_is_announced,
    refusals_are_answers,
);

const SOON: Duration = Duration::from_secs(5);

fn the_pbx_goes_and_comes_back(version: u32) {
    let (mut asterisk, bridge) = start_live(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001&paused=1&reason=Kept");
    let mut client = EventClient::open(bridge.address, ACME, "");
    let mut panel = Panel::default();
    panel.drain(&mut client);
    let behind = panel.last_id.clone();
    asterisk.cli("core stop now");
    asterisk.wait_for_exit();
    for event in client.until("pbx", SOON) {
        panel.apply(&event);
    }
    assert!(!panel.connected);
    // Who comes back now learns it too, once, whether it had been told or not; for a
    // new stream there is nothing to show.
    let [mut late, mut again] = [&behind, &panel.last_id].map(|last| {
        let mut client = EventClient::resume(bridge.address, ACME, "", last.as_deref());
        let told = client.until("pbx", SOON).pop().expect("the link");
        assert_eq!(told.data["connected"], false);
        client
    });
    assert_eq!(refusal(&bridge, "&queue=6001"), "503 pbx_unavailable");
    asterisk.restart();
    bridge.wait_ready();
    let mut others = [Panel::default(), Panel::default()];
    for (client, panel) in [&mut client, &mut late, &mut again]
        .into_iter()
        .zip([&mut panel].into_iter().chain(&mut others))
    {
        let events = client.until("pbx", Duration::from_secs(10));
        let last = events.last().map(|event| &event.data["connected"]);
        assert_eq!(last, Some(&true.into()), "{events:?}");
        if panel.last_id.is_some() {
            events.iter().for_each(|event| panel.apply(event));
        }
    }
    assert!(panel.connected);
    panel.catch_up(&mut client, &bridge, ORGANIZATIONS[0], &[], SOON);
    assert_eq!(panel.count("snapshot"), 1, "{:?}", panel.counts);
    // A change after that is told, too.
    bridge.acme_ok("action=unpause&agent=1001&queue=6001");
    panel.catch_up(&mut client, &bridge, ORGANIZATIONS[0], &[], SOON);
    assert_eq!(
        bridge.acme_ok("action=showstate&agent=1001")["paused"],
        false
    );
}

fn the_end_of_the_bridge_is_announced(version: u32) {
    let (_asterisk, bridge) = start_live(version);
    let mut clients = [
        EventClient::open(bridge.address, ACME, ""),
        EventClient::slow(bridge.address, ACME, "&queue=6001"),
    ];
    for client in &mut clients {
        client.until("snapshot", SOON);
    }
    bridge.terminate();
    for client in &mut clients {
        client.until("shutdown", SOON);
        let end = client.next(SOON);
        assert!(matches!(end, Some(Item::End)), "{end:?}");
    }
    let status = eventually("the bridge ends", || bridge.exit_status());
    assert!(status.success(), "{status:?}");
}

fn refusals_are_answers(version: u32) {
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
        (GOOD, "&queue=nowhere", "404 unknown_queue"),
        (GOOD, "&queue=globex-6001", "404 unknown_queue"),
        // One of its own that the PBX does not have.
        (GOOD, "&queue=6005", "404 unknown_queue"),
        (GOOD, "&queue=6001,6005", "404 unknown_queue"),
        (GOOD, "&queue=", "400 invalid_parameter"),
        (GOOD, "&queue=6001&queue=6002", "400 duplicate_parameter"),
        (GOOD, "&que=6001", "400 unknown_parameter"),
    ] {
        let target = format!("/events?{credentials}{query}");
        let response = request(bridge.address, "GET", &target, &[], b"");
        assert_eq!(response.outcome(), outcome, "{target}");
    }
    // It would narrow nothing, and must not seem to.
    let target = format!("/events?{GOOD}&agent=1001");
    let response = request(bridge.address, "GET", &target, &[], b"");
    assert_eq!(
        (response.status, &response.json()["parameter"]),
        (400, &"agent".into())
    );
    for method in ["POST", "HEAD", "PUT"] {
        let target = format!("/events?{GOOD}");
        let response = request(bridge.address, method, &target, &[], b"");
        assert_eq!(response.status, 405, "{method}");
        assert_eq!(response.header("Allow"), Some("GET"), "{method}");
    }
    let nobody = ReservedPort::reserve();
    let unlinked = log_at_info(&live_configuration(nobody.address.port()));
    let unlinked = Bridge::start_unready(&unlinked);
    let response = request(
        unlinked.address,
        "GET",
        &format!("/events?{GOOD}"),
        &[],
        b"",
    );
    assert_eq!(response.outcome(), "503 pbx_unavailable");
    assert!(response.header("Retry-After").is_some(), "{response:?}");
}

const GOOD: &str = "username=acme%40example.com&password=acme-password";

fn refusal(bridge: &Bridge, query: &str) -> String {
    let target = format!("/events?{GOOD}{query}");
    request(bridge.address, "GET", &target, &[], b"").outcome()
}
