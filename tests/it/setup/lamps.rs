//! The lamps of FreePBX and Issabel beside pauses and logins through the bridge.

use super::{Site, layouts};
use crate::support::{eventually, on_both_versions};

on_both_versions!(pause_lamp_follows_the_bridge_and_login_lamp_does_not);

/// FreePBX's lamp for a pause watches a device of app_queue, so it follows every pause. Its lamp
/// for a login watches a custom device, which only FreePBX's own feature code sets.
fn pause_lamp_follows_the_bridge_and_login_lamp_does_not(version: u32) {
    let site = Site::start(version, &layouts::freepbx());
    let outcome = site.setup(&["--yes", "--organization", "acme"]);
    outcome.assert(0, &["Logged in"]);
    let password = outcome.password_of("acme");
    let bridge = site.start_bridge();
    let request = |query: &str| {
        let response = bridge.get(&format!("username=acme&password={password}&{query}"));
        assert_eq!(response.status, 200, "{response:?}");
    };
    let is_lit = |exten: &str| {
        let hints = site.asterisk.cli("core show hints");
        let hint = hints
            .lines()
            .find(|line| line.contains(exten))
            .expect("a hint")
            .to_owned();
        hint.contains("State:InUse")
    };
    assert!(!is_lit("*46*1001*6001"));
    request("action=pause&agent=1001&queue=6001");
    eventually("the lamp for the pause is lit", || {
        is_lit("*46*1001*6001").then_some(())
    });
    // As FreePBX's *46 would: it toggles the state that Asterisk reports.
    site.asterisk
        .cli("queue unpause member Local/1001@from-queue/n queue 6001");
    eventually("the lamp is dark", || {
        (!is_lit("*46*1001*6001")).then_some(())
    });
    request("action=add&agent=1002&queue=6002");
    assert!(!is_lit("*451002*6002"));
    // docs/COMPATIBILITY.md suggests these two commands.
    let command = "devstate change Custom:QUEUE1002*6002 INUSE";
    site.asterisk.cli(command);
    eventually("the lamp for the login is lit", || {
        is_lit("*451002*6002").then_some(())
    });
    request("action=remove&agent=1002&queue=6002");
    assert!(is_lit("*451002*6002"));
    let command = "devstate change Custom:QUEUE1002*6002 NOT_INUSE";
    site.asterisk.cli(command);
    eventually("the lamp for the login is dark", || {
        (!is_lit("*451002*6002")).then_some(())
    });
}
