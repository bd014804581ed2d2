//! The board's keys, and the focus in its lists.

use std::fmt::Write as _;

use serde_json::json;

use super::hands::{DOWN, END, ENTER, ESCAPE, HOME, Hands, LEFT, RIGHT, TAB, UP};
use super::{
    REASONS, agent_selector, browser_errors, count_requests, open_board, request_count,
    start_with_reasons, wait_for_text,
};
use crate::support::{Asterisk, Bridge, Browser, SIMULATED, configuration};

/// The number of agents in queue 6001, from 1001.
const AGENTS: u32 = 60;

/// Starts a PBX whose queue 6001 has [`AGENTS`] static members, and a bridge.
fn start_with_many() -> (Asterisk, Bridge) {
    let mut queues = String::from("[general]\n[acme-6001]\nstrategy = ringall\n");
    for number in 1001..1001 + AGENTS {
        let _ = writeln!(
            queues,
            "member => Local/{number}@acme-agents,0,Agent {number}"
        );
    }
    queues.push_str("[acme-6002]\nstrategy = ringall\n");
    let asterisk = Asterisk::start_with(SIMULATED, &[("queues.conf", &queues)]);
    let bridge = Bridge::start(&(configuration(asterisk.port) + REASONS));
    (asterisk, bridge)
}

/// Waits until the element with this selector has the focus.
fn wait_for_focus(browser: &Browser, selector: &str) {
    browser.wait_until(&format!(
        "document.activeElement.matches({})",
        json!(selector)
    ));
}

fn is_dialog_open(browser: &Browser) -> bool {
    browser.run_script("return document.getElementById('dialog').open", &[]) == true
}

#[test]
fn keyboard_reaches_and_pauses_a_far_agent_in_at_most_eight_keys() {
    let (_asterisk, bridge) = start_with_many();
    let browser = open_board(&bridge);
    browser.wait_visible(&agent_selector("6001", "1001"));
    let hands = Hands::new(&browser);
    hands.press("/");
    hands.type_text("1057");
    hands.press(ENTER);
    wait_for_focus(&browser, &agent_selector("6001", "1057"));
    hands.press("p");
    browser.wait_until("document.getElementById('dialog').open");
    hands.press(TAB);
    wait_for_focus(&browser, "[value=Lunch]");
    hands.press(ENTER);
    let far = agent_selector("6001", "1057");
    wait_for_text(&browser, &format!("{far} .reason"), "Lunch");
    // After the dialog, the focus is where it was.
    wait_for_focus(&browser, &far);
    let keys = hands.take_keys();
    println!("from the login to the pause of a far agent: {keys} keys and the text of the search");
    assert!(keys <= 8, "{keys}");
    super::wait_until_settled(&browser, &far);
    hands.press("r");
    wait_for_text(&browser, &format!("{far} .state"), "Available");
    assert!(browser_errors(&browser).is_empty());
}

#[test]
fn list_is_one_tab_stop_and_arrows_move_in_it() {
    let (_asterisk, bridge) = start_with_many();
    let browser = open_board(&bridge);
    browser.wait_visible(&agent_selector("6001", "1060"));
    let list = ".card[data-queue=\"6001\"] .agents ul";
    let stops = format!(
        "return [...document.querySelectorAll('{list}, {list} *')]
            .filter((element) => element instanceof HTMLElement && element.tabIndex >= 0).length"
    );
    assert_eq!(browser.run_script(&stops, &[]), 1);
    let add = ".card[data-queue=\"6001\"] .add";
    browser.wait_visible(add);
    browser.run_script("document.querySelector(arguments[0]).focus()", &[add]);
    let hands = Hands::new(&browser);
    hands.press(TAB);
    // The rows are in Asterisk's order.
    let row = |index: u32| format!("{list} > .agent:nth-child({index})");
    wait_for_focus(&browser, &row(1));
    for (key, expected) in [(DOWN, 2), (DOWN, 3), (UP, 2), (END, AGENTS), (HOME, 1)] {
        hands.press(key);
        wait_for_focus(&browser, &row(expected));
    }
    // The buttons are reachable too, and the arrows keep the column.
    hands.press(RIGHT);
    wait_for_focus(&browser, &format!("{} .pause", row(1)));
    hands.press(DOWN);
    wait_for_focus(&browser, &format!("{} .pause", row(2)));
    hands.press(LEFT);
    wait_for_focus(&browser, &row(2));
    hands.press(TAB);
    let is_outside = format!("return !document.activeElement.closest('{list}')");
    assert_eq!(browser.run_script(&is_outside, &[]), true);
    assert!(browser_errors(&browser).is_empty());
}

#[test]
fn keys_are_off_in_fields_and_dialogs_and_with_modifiers() {
    let (_asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001&queue=6001&alias=Dana&paused=1&reason=Training");
    let browser = open_board(&bridge);
    let dana = agent_selector("6001", "1001");
    wait_for_text(&browser, &format!("{dana} .reason"), "Training");
    count_requests(&browser);
    let hands = Hands::new(&browser);
    hands.press("/");
    hands.type_text("prx?");
    let value = browser.run_script("return document.getElementById('search').value", &[]);
    assert_eq!(value, "prx?");
    assert!(!is_dialog_open(&browser));
    browser.fill("#search", "1001");
    hands.press(ENTER);
    wait_for_focus(&browser, &dana);
    let modified = "for (const modifier of ['ctrlKey', 'altKey', 'metaKey']) for (const key of ['p', 'r', '?'])
        document.activeElement.dispatchEvent(
            new KeyboardEvent('keydown', {key, [modifier]: true, bubbles: true, cancelable: true}))";
    browser.run_script(modified, &[]);
    assert!(!is_dialog_open(&browser));
    hands.press("?");
    browser.wait_visible("#dialog .keys");
    hands.press("r");
    hands.press("p");
    wait_for_text(&browser, "#dialog-title", "Keys");
    hands.press(ESCAPE);
    browser.wait_until("!document.getElementById('dialog').open");
    assert_eq!(request_count(&browser, "unpause"), 0);
    assert_eq!(browser.text(&format!("{dana} .state")), "Paused");
    // With a Hebrew layout, the key of "r" yields another letter.
    wait_for_focus(&browser, &dana);
    let hebrew = "document.activeElement.dispatchEvent(
        new KeyboardEvent('keydown', {key: 'ר', code: 'KeyR', bubbles: true, cancelable: true}))";
    browser.run_script(hebrew, &[]);
    wait_for_text(&browser, &format!("{dana} .state"), "Available");
    assert!(browser_errors(&browser).is_empty());
}

#[test]
fn enter_key_that_is_held_down_acts_once() {
    let (_asterisk, bridge) = start_with_reasons(SIMULATED);
    let browser = open_board(&bridge);
    browser.run_script("document.getElementById('help').focus()", &[]);
    let press = |is_repeat: bool| {
        let parameters = json!({"type": "keyDown", "key": "Enter", "code": "Enter", "text": "\r",
            "windowsVirtualKeyCode": 13, "autoRepeat": is_repeat});
        browser.devtools("Input.dispatchKeyEvent", &parameters);
    };
    press(true);
    assert!(!is_dialog_open(&browser));
    press(false);
    assert!(is_dialog_open(&browser));
    // The dialog's button has the focus now.
    press(true);
    assert!(is_dialog_open(&browser));
}

#[test]
fn focus_stays_in_the_list_when_the_focused_row_leaves() {
    let (_asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001,1002,1003&queue=6001");
    let browser = open_board(&bridge);
    browser.wait_visible(&agent_selector("6001", "1003"));
    // The page shows this button once it knows the user's rights.
    let remove = format!("{} .remove", agent_selector("6001", "1002"));
    browser.wait_visible(&remove);
    browser.run_script("document.querySelector(arguments[0]).focus()", &[&remove]);
    bridge.acme_ok("action=remove&agent=1002&queue=6001");
    wait_for_focus(&browser, &agent_selector("6001", "1003"));
    // A key right afterwards was aimed at the row that has left.
    let watch = "window.isOpen = null;
        new MutationObserver((_, observer) => {
            if (document.querySelector(arguments[0])) return;
            observer.disconnect();
            setTimeout(() => {
                document.activeElement.dispatchEvent(
                    new KeyboardEvent('keydown', {key: 'p', bubbles: true, cancelable: true}));
                setTimeout(() => { window.isOpen = document.getElementById('dialog').open ? 1 : 2; });
            });
        }).observe(document.getElementById('board'), {childList: true, subtree: true});";
    let last = agent_selector("6001", "1003");
    browser.run_script(watch, &[&last]);
    bridge.acme_ok("action=remove&agent=1003&queue=6001");
    let is_open = browser.wait_until("window.isOpen");
    assert_eq!(is_open, 2, "1: the pause dialog has opened");
    wait_for_focus(&browser, &agent_selector("6001", "1001"));
    // Without a row, the board has the focus.
    bridge.acme_ok("action=remove&agent=1001&queue=6001");
    wait_for_focus(&browser, "#board");
    assert!(browser_errors(&browser).is_empty());
}
