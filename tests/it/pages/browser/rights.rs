//! A user sees no control for a change that the user may not do.

use serde_json::json;

use super::{REASONS, agent_selector, browser_errors, open_board};
use crate::support::{Asterisk, Bridge, Browser, SIMULATED, configuration};

/// The board's controls that change something: the titles or texts of those that are shown.
const CONTROLS: &str = "return [...document.querySelectorAll(
        '.pause, .remove, .bring-back, .add, #add, .choose, #bulk button')]
    .filter((control) => control.checkVisibility())
    .map((control) => control.title || control.innerText.split('\\n')[0].trim())";

/// Starts a PBX and a bridge whose acme user may only do these actions, and opens the board. Agent
/// 1001 is available, 1002 is paused, and 1003 has missed a call.
fn open_with_rights(actions: &str) -> (Asterisk, Bridge, Browser) {
    let asterisk = Asterisk::start(SIMULATED);
    let user = "username = \"acme@example.com\"\n";
    let limited = format!("{user}actions = {actions}\n");
    let all = "\n[[organization.acme.user]]\nusername = \"all\"\npassword = \"all-password\"\n";
    let text = configuration(asterisk.port).replacen(user, &limited, 1) + REASONS + all;
    let bridge = Bridge::start(&text);
    let everything = crate::support::User {
        username: "all",
        password: "all-password",
    };
    for agent in [
        "1001",
        "1002&paused=1&reason=Training",
        "1003&paused=1&reason=Auto-Pause",
    ] {
        bridge.get_ok(everything, &format!("action=add&queue=6001&agent={agent}"));
    }
    let browser = open_board(&bridge);
    for agent in ["1001", "1002", "1003"] {
        browser.wait_visible(&agent_selector("6001", agent));
    }
    // The rights arrive a moment after the board.
    browser.wait_until("document.body.dataset.allows !== undefined");
    (asterisk, bridge, browser)
}

#[test]
fn read_only_user_sees_no_control_that_changes_something() {
    let (_asterisk, _bridge, browser) = open_with_rights(
        "[\"showqueue\", \"showqueuestat\", \"showstate\", \"showreasons\", \"events\"]",
    );
    browser.wait_until("document.body.dataset.allows === ''");
    assert_eq!(browser.run_script(CONTROLS, &[]), json!([]));
    // The keys do nothing either.
    let dana = agent_selector("6001", "1001");
    let focus = "document.querySelector(arguments[0]).focus()";
    browser.run_script(focus, &[&dana]);
    for key in ["p", "r", "x"] {
        browser.press(key);
    }
    let is_open = browser.run_script("return document.getElementById('dialog').open", &[]);
    assert_eq!(is_open, false);
    assert!(browser_errors(&browser).is_empty());
}

#[test]
fn user_sees_the_controls_of_the_allowed_changes_only() {
    let (_asterisk, _bridge, browser) = open_with_rights("[\"events\", \"unpause\"]");
    browser.wait_until("document.body.dataset.allows === 'unpause'");
    let controls = browser.run_script(CONTROLS, &[]);
    assert_eq!(controls, json!(["Resume", "Resume", "Bring back"]));

    let (_asterisk, _bridge, browser) = open_with_rights("[\"events\", \"pause\", \"add\"]");
    browser.wait_until("document.body.dataset.allows === 'pause add'");
    let controls = browser.run_script(CONTROLS, &[]);
    // Both cards have a button that adds an agent. Static Sam, in queue 6002, can be paused.
    let expected = json!(["Add agent", "Add", "Pause", "Add", "Pause"]);
    assert_eq!(controls, expected);
}

#[test]
fn controls_follow_changed_rights_without_a_reload() {
    let (asterisk, bridge, browser) = open_with_rights("[\"events\"]");
    assert_eq!(browser.run_script(CONTROLS, &[]), json!([]));
    let reload = bridge.reconfigure(&(configuration(asterisk.port) + REASONS));
    assert_eq!(reload["message"], "configuration reloaded", "{reload}");
    browser.wait_visible("#add");
    browser.wait_visible(&format!("{} .pause", agent_selector("6001", "1001")));
}
