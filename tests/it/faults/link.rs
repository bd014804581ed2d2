//! The link to Asterisk: one, kept, and back by itself.

use crate::support::{
    ACME, Asterisk, Bridge, configuration, eventually, on_every_pbx, start_direct,
};

on_every_pbx!(
    one_session_serves_everything,
    the_link_comes_back_after_a_crash,
    the_link_comes_back_after_a_restart,
    a_bridge_may_start_before_its_asterisk,
    a_wrong_secret_is_told_and_survived,
    a_stop_finishes_and_logs_off,
);

fn sessions(asterisk: &Asterisk) -> usize {
    let connected = asterisk.cli("manager show connected");
    connected
        .lines()
        .filter(|line| line.contains("queuebridge"))
        .count()
}

fn one_session_serves_everything(version: u32) {
    let (asterisk, bridge) = start_direct(version);
    for _ in 0..20 {
        bridge.acme_ok("action=showqueue");
    }
    assert_eq!(sessions(&asterisk), 1);
    assert_eq!(bridge.sent_count("Login"), 1);
}

/// Without a link nothing is sent; with one again, everything works.
fn down_and_up(bridge: &Bridge, up: impl FnOnce()) {
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
    up();
    bridge.wait_ready();
    bridge.acme_ok("action=pause&agent=1050&reason=up");
}

fn the_link_comes_back_after_a_crash(version: u32) {
    let (mut asterisk, bridge) = start_direct(version);
    asterisk.kill();
    down_and_up(&bridge, || asterisk.restart());
    assert_eq!(sessions(&asterisk), 1);
    assert!(!asterisk.queue_log().contains("|down"));
}

fn the_link_comes_back_after_a_restart(version: u32) {
    let (mut asterisk, bridge) = start_direct(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001&paused=1&reason=Kept");
    asterisk.cli("core stop now");
    asterisk.wait_for_exit();
    down_and_up(&bridge, || asterisk.restart());
    let shown = bridge.acme_ok("action=showstate&agent=1001");
    assert_eq!(shown["reason"], "Kept");
    let log = bridge.log();
    assert!(
        log.contains("Asterisk announces that it shuts down"),
        "{log}"
    );
}

fn a_bridge_may_start_before_its_asterisk(version: u32) {
    let mut asterisk = Asterisk::start_direct(version);
    asterisk.kill();
    let bridge = Bridge::start_unready(&configuration(asterisk.port));
    assert!(!bridge.is_ready());
    down_and_up(&bridge, || asterisk.restart());
    assert!(bridge.log().contains("Asterisk is not reachable"));
}

fn a_wrong_secret_is_told_and_survived(version: u32) {
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

fn a_stop_finishes_and_logs_off(version: u32) {
    let (asterisk, bridge) = start_direct(version);
    bridge.acme_ok("action=showqueue");
    // A connection that has begun a request holds nothing up.
    let mut partial = std::net::TcpStream::connect(bridge.address).expect("connected");
    std::io::Write::write_all(&mut partial, b"GET /API").expect("written");
    let begun = std::time::Instant::now();
    let (status, log) = bridge.stop();
    assert!(status.success(), "{status}");
    assert!(begun.elapsed().as_secs() < 15);
    for line in ["stopping", "link closed", "stopped"] {
        assert!(log.contains(line), "{line} is not in {log}");
    }
    assert_eq!(sessions(&asterisk), 0);
}
