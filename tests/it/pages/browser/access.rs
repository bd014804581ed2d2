//! Accessibility: the panel works with the keyboard alone, and axe finds no serious
//! violations.

use serde_json::Value;

use super::{LIVE, agent_selector, log_in, open_board, start_with_reasons};
use crate::support::{Asterisk, Bridge, Browser, SIMULATED, configuration};

const TAB: &str = "\u{e004}";
const RIGHT: &str = "\u{e014}";
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";

/// Presses Tab until the element has focus.
fn tab_to(browser: &Browser, selector: &str) {
    for _ in 0..60 {
        browser.press(TAB);
        let has_focus = "return document.activeElement.matches(arguments[0])";
        if browser.run_script(has_focus, &[selector]) == true {
            return;
        }
    }
    panic!("Tab never reaches {selector}");
}

#[test]
fn panel_works_with_the_keyboard_alone() {
    let (_asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001&queue=6001&alias=Dana");
    let browser = open_board(&bridge);
    let dana = agent_selector("6001", "1001");
    browser.wait_visible(&dana);
    let pause = format!("{dana} .pause");
    tab_to(&browser, &dana);
    browser.press(RIGHT);
    browser.press(ENTER);
    browser.wait_until("document.getElementById('dialog').open");
    // The focus moves into the dialog, and back to the button when the dialog closes.
    browser.wait_until("document.activeElement.closest('#dialog') !== null");
    browser.press(ESCAPE);
    browser.wait_until("!document.getElementById('dialog').open");
    browser.wait_until(&format!(
        "document.activeElement.matches({})",
        serde_json::json!(pause)
    ));
    browser.press(ENTER);
    browser.wait_until("document.getElementById('dialog').open");
    // No reason has the focus, so that a hasty Enter sends nothing.
    browser.press(ENTER);
    browser.press(TAB);
    browser.wait_until("document.activeElement.value === 'Lunch'");
    assert_eq!(browser.text(&format!("{dana} .state")), "Available");
    browser.press(ENTER);
    super::wait_for_text(&browser, &format!("{dana} .reason"), "Lunch");
    // The button still has focus, and its label names the new action.
    browser.wait_until("document.activeElement.innerText === 'Resume Dana, 1001'");
    super::wait_until_settled(&browser, &dana);
    browser.press(ENTER);
    super::wait_for_text(&browser, &format!("{dana} .state"), "Available");
    // Enter also collapses a queue's card.
    let toggle = ".card[data-queue=\"6002\"] .toggle";
    tab_to(&browser, toggle);
    browser.press(ENTER);
    browser.wait_until(
        "document.querySelector('.card[data-queue=\"6002\"] .toggle').ariaExpanded === 'false'",
    );
}

/// Returns the serious and critical violations that axe finds, each with the HTML of one
/// element.
pub(super) fn serious_violations(browser: &Browser, view: &str) -> Vec<String> {
    let results = browser.run_async_script(
        "const done = arguments[arguments.length - 1];
         axe.run(document, {resultTypes: ['violations']}).then(done, (error) => done(String(error)));",
    );
    let violations = results["violations"].as_array();
    let violations = violations
        .unwrap_or_else(|| panic!("{view}: {results}"))
        .iter();
    let passes = results["passes"].as_array().map_or(0, Vec::len);
    println!(
        "axe, {view}: {passes} rules pass, {} violations of any impact",
        violations.len()
    );
    let serious = violations.filter(|finding| {
        ["serious", "critical"].contains(&finding["impact"].as_str().unwrap_or("serious"))
    });
    let describe = |finding: &Value| {
        format!(
            "{view}: {} {} {}",
            finding["id"], finding["help"], finding["nodes"][0]["html"]
        )
    };
    serious.map(describe).collect()
}

/// Returns the script that defines `axe`.
pub(super) fn axe_script() -> String {
    let file = std::env::var_os("AMI_BRIDGE_AXE").expect(
        "AMI_BRIDGE_AXE: the path to axe.min.js from the npm package axe-core (set by ./test)",
    );
    std::fs::read_to_string(file).expect("axe.min.js")
}

#[test]
fn axe_finds_no_serious_violations() {
    let axe = axe_script();
    let (asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001&queue=6001,6002&alias=Dana");
    bridge.acme_ok("action=add&agent=1002&queue=6002&alias=%D7%93%D7%A0%D7%94");
    // Asterisk gives this reason to an agent who has missed a call.
    bridge.acme_ok("action=add&agent=1003&queue=6002&alias=Noa&paused=1&reason=Auto-Pause");
    bridge.acme_ok("action=add&agent=1004&queue=6002&alias=Omar&paused=1&reason=Short%20break");
    bridge.acme_ok("action=pause&agent=1001&reason=Lunch");
    // No agent in the queue is available, so the caller waits.
    asterisk.add_caller("acme-6001");
    let browser = Browser::start();
    log_in(&browser, &bridge, "wrong");
    browser.wait_visible("#login-error");
    browser.run_script(&axe, &[]);
    let mut found = serious_violations(&browser, "login");
    log_in(&browser, &bridge, "acme-password");
    browser.wait_until(LIVE);
    browser.wait_visible(".caller");
    browser.wait_visible(&agent_selector("6002", "1002"));
    browser.wait_visible(&format!("{}.overdue", agent_selector("6002", "1004")));
    browser.wait_visible(&format!("{} .bring-back", agent_selector("6002", "1003")));
    browser.run_script(&axe, &[]);
    for scheme in ["light", "dark"] {
        browser.set_color_scheme(scheme);
        for (width, height) in [(1440, 900), (360, 740)] {
            browser.set_screen_size(width, height);
            found.extend(serious_violations(
                &browser,
                &format!("board, {scheme}, {width}"),
            ));
        }
        browser.set_screen_size(1440, 900);
        for (button, dialog) in [
            (
                format!("{} .pause", agent_selector("6001", "1001")),
                "resume",
            ),
            (
                format!("{} .pause", agent_selector("6002", "1002")),
                "pause",
            ),
            (
                format!("{} .remove", agent_selector("6001", "1001")),
                "remove",
            ),
            ("#add".to_owned(), "add"),
            ("#settings".to_owned(), "settings"),
        ] {
            browser.click(&button);
            browser.wait_until("document.getElementById('dialog').open");
            found.extend(serious_violations(&browser, &format!("{dialog}, {scheme}")));
            browser.press(ESCAPE);
            browser.wait_until("!document.getElementById('dialog').open");
        }
    }
    drop(asterisk);
    browser.wait_visible("#banner");
    found.extend(serious_violations(&browser, "PBX disconnected"));
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn page_fits_a_phone_screen() {
    let asterisk = Asterisk::start(SIMULATED);
    let bridge = Bridge::start(&configuration(asterisk.port));
    let long =
        "A%20name%20that%20is%20as%20long%20as%20any%20that%20can%20be%20given%20to%20an%20agent";
    bridge.acme_ok(&format!("action=add&agent=1001&queue=6001&alias={long}"));
    bridge.acme_ok(
        "action=pause&agent=1001&reason=A%20reason%20that%20is%20quite%20long%20as%20well",
    );
    let browser = open_board(&bridge);
    browser.set_screen_size(360, 740);
    browser.wait_visible(&agent_selector("6001", "1001"));
    browser.wait_until(
        "[document.documentElement, document.getElementById('app'), document.querySelector('.dock')]
            .every(({scrollWidth}) => scrollWidth <= 360)",
    );
}
