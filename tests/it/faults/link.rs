//! The bridge keeps one link to Asterisk, and reconnects automatically.

use crate::support::{
    ACME, Asterisk, Bridge, configuration, eventually, on_every_pbx, start_direct,
};

on_every_pbx!(
    all_requests_share_one_session,
    bridge_reconnects_after_asterisk_crashes,
    bridge_reconnects_after_asterisk_restarts,
    bridge_can_start_before_asterisk,
    wrong_secret_is_reported_but_not_printed_in_the_log,
    bridge_logs_its_shutdown_and_logs_off_from_asterisk,
);

fn bridge_session_count(asterisk: &Asterisk) -> usize {
    let connected = asterisk.cli("manager show connected");
    connected
        .lines()
        .filter(|line| line.contains("queuebridge"))
        .count()
}

fn all_requests_share_one_session(version: u32) {
    let (asterisk, bridge) = start_direct(version);
    for _ in 0..20 {
        bridge.acme_ok("action=showqueue");
    }
    assert_eq!(bridge_session_count(&asterisk), 1);
    assert_eq!(bridge.sent_count("Login"), 1);
}

/// Asserts that the bridge refuses requests while the link is down, and works again after
/// `restore_pbx`.
fn assert_recovers(bridge: &Bridge, restore_pbx: impl FnOnce()) {
    let response = eventually("the link is down", || {
        let response = bridge.get_as(ACME, "action=pause&agent=1050&reason=down");
        (response.status == 503).then_some(response)
    });
    assert_eq!(response.outcome(), "503 pbx_unavailable");
    let seconds = response
        .header("Retry-After")
        .and_then(|seconds| seconds.parse().ok());
    assert!(
        seconds.is_some_and(|seconds: u32| seconds >= 1),
        "{response:?}"
    );
    assert_eq!(
        bridge.get_as(ACME, "action=showqueue").outcome(),
        "503 pbx_unavailable"
    );
    restore_pbx();
    bridge.wait_ready();
    bridge.acme_ok("action=pause&agent=1050&reason=up");
}

fn bridge_reconnects_after_asterisk_crashes(version: u32) {
    let (mut asterisk, bridge) = start_direct(version);
    asterisk.kill();
    assert_recovers(&bridge, || asterisk.restart());
    assert_eq!(bridge_session_count(&asterisk), 1);
    assert!(!asterisk.queue_log().contains("|down"));
}

fn bridge_reconnects_after_asterisk_restarts(version: u32) {
    let (mut asterisk, bridge) = start_direct(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001&paused=1&reason=Lunch");
    asterisk.cli("core stop now");
    asterisk.wait_for_exit();
    assert_recovers(&bridge, || asterisk.restart());
    let state = bridge.acme_ok("action=showstate&agent=1001");
    assert_eq!(state["reason"], "Lunch");
    let log = bridge.log();
    assert!(log.contains("Asterisk announced its shutdown"), "{log}");
}

fn bridge_can_start_before_asterisk(version: u32) {
    let mut asterisk = Asterisk::start_direct(version);
    asterisk.kill();
    let bridge = Bridge::start_unready(&configuration(asterisk.port));
    assert!(!bridge.is_ready());
    assert_recovers(&bridge, || asterisk.restart());
    assert!(bridge.log().contains("Asterisk is not reachable"));
}

fn wrong_secret_is_reported_but_not_printed_in_the_log(version: u32) {
    let asterisk = Asterisk::start_direct(version);
    let wrong = configuration(asterisk.port).replace("sample-secret-change-me", "a-wrong-secret");
    let bridge = Bridge::start_unready(&wrong);
    eventually("the rejection is logged", || {
        bridge
            .log()
            .contains("rejects the AMI user or its secret")
            .then_some(())
    });
    assert!(!bridge.is_ready());
    assert_eq!(
        bridge.get_as(ACME, "action=showqueue").outcome(),
        "503 pbx_unavailable"
    );
    assert!(!bridge.log().contains("a-wrong-secret"));
}

fn bridge_logs_its_shutdown_and_logs_off_from_asterisk(version: u32) {
    let (asterisk, bridge) = start_direct(version);
    bridge.acme_ok("action=showqueue");
    // A client that has sent only part of a request must not delay the shutdown.
    let mut partial_request = std::net::TcpStream::connect(bridge.address).expect("a connection");
    std::io::Write::write_all(&mut partial_request, b"GET /API").expect("written");
    let begun = std::time::Instant::now();
    let (status, log) = bridge.stop();
    assert!(status.success(), "{status}");
    assert!(begun.elapsed().as_secs() < 15);
    for line in ["stopping", "link closed", "stopped"] {
        assert!(log.contains(line), "the log lacks {line}: {log}");
    }
    assert_eq!(bridge_session_count(&asterisk), 0);
}
