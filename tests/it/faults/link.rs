//! The link to Asterisk: the bridge opens one, holds it, and reconnects automatically.

use crate::support::{
    ACME, Asterisk, Bridge, configuration, eventually, on_every_pbx, start_direct,
};

on_every_pbx!(
    all_requests_share_one_session,
    bridge_reconnects_after_a_crash_of_asterisk,
    bridge_reconnects_after_a_restart_of_asterisk,
    bridge_can_start_before_asterisk,
    wrong_secret_is_logged_without_being_printed,
    shutdown_is_logged_and_logs_off_from_asterisk,
);

fn sessions(asterisk: &Asterisk) -> usize {
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
    assert_eq!(sessions(&asterisk), 1);
    assert_eq!(bridge.sent_count("Login"), 1);
}

/// Asserts that the bridge sends nothing while the link is down, and works again after
/// `reconnect`.
fn assert_recovers(bridge: &Bridge, reconnect: impl FnOnce()) {
    let response = eventually("the link is down", || {
        let response = bridge.get_as(ACME, "action=pause&agent=1050&reason=down");
        (response.status == 503).then_some(response)
    });
    assert_eq!(response.outcome(), "503 pbx_unavailable");
    let after = response
        .header("Retry-After")
        .and_then(|after| after.parse().ok());
    assert!(after.is_some_and(|after: u32| after >= 1), "{response:?}");
    assert_eq!(
        bridge.get_as(ACME, "action=showqueue").outcome(),
        "503 pbx_unavailable"
    );
    reconnect();
    bridge.wait_ready();
    bridge.acme_ok("action=pause&agent=1050&reason=up");
}

fn bridge_reconnects_after_a_crash_of_asterisk(version: u32) {
    let (mut asterisk, bridge) = start_direct(version);
    asterisk.kill();
    assert_recovers(&bridge, || asterisk.restart());
    assert_eq!(sessions(&asterisk), 1);
    assert!(!asterisk.queue_log().contains("|down"));
}

fn bridge_reconnects_after_a_restart_of_asterisk(version: u32) {
    let (mut asterisk, bridge) = start_direct(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001&paused=1&reason=Lunch");
    asterisk.cli("core stop now");
    asterisk.wait_for_exit();
    assert_recovers(&bridge, || asterisk.restart());
    let shown = bridge.acme_ok("action=showstate&agent=1001");
    assert_eq!(shown["reason"], "Lunch");
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

fn wrong_secret_is_logged_without_being_printed(version: u32) {
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

fn shutdown_is_logged_and_logs_off_from_asterisk(version: u32) {
    let (asterisk, bridge) = start_direct(version);
    bridge.acme_ok("action=showqueue");
    // A client with an incomplete request does not delay the shutdown.
    let mut partial = std::net::TcpStream::connect(bridge.address).expect("connected");
    std::io::Write::write_all(&mut partial, b"GET /API").expect("written");
    let begun = std::time::Instant::now();
    let (status, log) = bridge.stop();
    assert!(status.success(), "{status}");
    assert!(begun.elapsed().as_secs() < 15);
    for line in ["stopping", "link closed", "stopped"] {
        assert!(log.contains(line), "the log lacks {line}: {log}");
    }
    assert_eq!(sessions(&asterisk), 0);
}
