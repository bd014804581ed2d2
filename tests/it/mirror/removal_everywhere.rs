//! The removal of an agent from every queue, where memberships have changed without an event.

use crate::support::{Bridge, GLOBEX, Realtime, configuration, on_both_versions};

on_both_versions!(removal_from_every_queue_uses_the_memberships_that_asterisk_has);

/// Asterisk reports no event for members of a realtime database.
fn removal_from_every_queue_uses_the_memberships_that_asterisk_has(version: u32) {
    let realtime = Realtime::start(version);
    realtime.insert_queue("globex-7001");
    let bridge = Bridge::start(&configuration(realtime.asterisk.port));
    bridge.get_ok(GLOBEX, "action=showqueue&queue=7001");
    bridge.get_ok(GLOBEX, "action=add&agent=1001,1002&queue=6001,7001");
    let interface = "Local/1003@globex-agents";
    realtime.insert_member("globex-7001", interface, "Realtime Rita");
    let body = bridge.get_ok(GLOBEX, "action=remove&agent=1001,1003&queue=*");
    assert_eq!(body["agents"][0]["status"], "success");
    assert_eq!(body["agents"][1]["code"], "static_member");
    let show = |queue: &str| realtime.asterisk.cli(&format!("queue show globex-{queue}"));
    assert!(show("7001").contains(interface), "{}", show("7001"));
    for queue in ["6001", "7001"] {
        let shown = show(queue);
        assert!(!shown.contains("Local/1001@"), "{shown}");
        assert!(shown.contains("Local/1002@"), "{shown}");
    }
}
