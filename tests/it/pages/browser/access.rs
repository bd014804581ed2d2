//! The board works with the keyboard alone, and fits a phone.

use super::hands::{ENTER, ESCAPE, RIGHT, TAB};
use super::{agent_selector, open_board, start_with_reasons};
use crate::support::{Asterisk, Bridge, Browser, SIMULATED, configuration};

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
