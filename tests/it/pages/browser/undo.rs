//! The user can undo a change for eight seconds, and once.

use serde_json::{Value, json};

use super::hands::Hands;
use super::{
    advance_clocks, agent_selector, browser_errors, click_pause, count_requests, open_board,
    pause_with, request_count, start_with_reasons, stop_clocks, wait_for_match, wait_for_text,
    wait_until_settled,
};
use crate::support::{Bridge, Browser, SIMULATED, on_every_pbx};

on_every_pbx!(undo_restores_what_a_change_has_changed);

const UNDO: &str = "#toasts .undo";

/// Returns the agent's memberships as the bridge reports them.
fn memberships(bridge: &Bridge, agent: &str) -> Value {
    bridge.acme_ok(&format!("action=showstate&agent={agent}&fresh=1"))["queues"].take()
}

/// Clicks "Undo" once, and waits until the row accepts clicks again.
fn undo(browser: &Browser) {
    browser
        .wait_until("document.querySelector('#board [aria-busy], #board [data-changed]') === null");
    browser.click(UNDO);
    browser.wait_until("document.querySelector('#toasts .undo') === null");
    wait_for_match(browser, ".toast:last-child span", "Undone: .*");
}

fn undo_restores_what_a_change_has_changed(version: u32) {
    let (_asterisk, bridge) = start_with_reasons(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001,6002&alias=Dana&penalty=7");
    bridge.acme_ok("action=pause&agent=1001&queue=6001&reason=Training");
    let browser = open_board(&bridge);
    let (first, second) = (
        agent_selector("6001", "1001"),
        agent_selector("6002", "1001"),
    );
    stop_clocks(&browser);
    let hands = Hands::new(&browser);

    // A pause: an earlier pause in another queue stays.
    pause_with(&browser, &second, "Lunch");
    wait_for_text(&browser, &format!("{second} .reason"), "Lunch");
    undo(&browser);
    wait_for_text(&browser, &format!("{second} .state"), "Available");
    assert_eq!(browser.text(&format!("{first} .reason")), "Training");

    // A pause that replaced another one.
    click_pause(&browser, &second);
    browser.click("#dialog [name=replace]");
    browser.click(&super::reason_selector("Lunch"));
    wait_for_text(&browser, &format!("{first} .reason"), "Lunch");
    undo(&browser);
    wait_for_text(&browser, &format!("{first} .reason"), "Training");
    wait_for_text(&browser, &format!("{second} .state"), "Available");

    // A resume: the reason comes back, in a new pause.
    wait_until_settled(&browser, &first);
    hands.click(&format!("{first} .pause"));
    wait_for_text(&browser, &format!("{first} .state"), "Available");
    assert_eq!(hands.take_clicks(), 1, "to resume");
    undo(&browser);
    wait_for_text(&browser, &format!("{first} .reason"), "Training");
    let text =
        "Undone: Dana is paused in queue 6001: Training. This is a new pause: its time begins now.";
    wait_for_text(&browser, ".toast:last-child span", text);

    // A removal from all queues: name, penalty and pause come back.
    wait_until_settled(&browser, &first);
    hands.click(&format!("{first} .remove"));
    hands.click("#dialog [value=all]");
    browser.wait_until(&format!(
        "document.querySelector({}) === null",
        json!(second)
    ));
    assert_eq!(hands.take_clicks(), 2, "to remove");
    undo(&browser);
    wait_for_text(&browser, &format!("{first} .reason"), "Training");
    wait_for_text(&browser, &format!("{second} .who .name"), "Dana");
    let queues = memberships(&bridge, "1001");
    for (queue, is_paused) in [(&queues[0], true), (&queues[1], false)] {
        assert_eq!(queue["penalty"], 7, "{queues}");
        assert_eq!(queue["paused"], is_paused, "{queues}");
    }
    assert!(browser_errors(&browser).is_empty());
}

#[test]
fn undo_is_sent_once_and_only_for_eight_seconds() {
    let (asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001&queue=6001&alias=Dana");
    let browser = open_board(&bridge);
    let dana = agent_selector("6001", "1001");
    count_requests(&browser);
    stop_clocks(&browser);
    pause_with(&browser, &dana, "Training");
    wait_for_text(&browser, &format!("{dana} .reason"), "Training");
    wait_until_settled(&browser, &dana);
    browser.wait_visible(UNDO);
    asterisk.freeze();
    let script = "const undo = document.querySelector('.undo');
        for (let count = 0; count < 3; count += 1) undo.click();";
    browser.run_script(script, &[]);
    asterisk.resume();
    wait_for_text(&browser, &format!("{dana} .state"), "Available");
    wait_until_settled(&browser, &dana);
    assert_eq!(request_count(&browser, "unpause"), 1);

    // The offer ends after eight seconds.
    pause_with(&browser, &dana, "Training");
    wait_for_match(&browser, UNDO, "Undo\\s+8 s");
    advance_clocks(&browser, 7_999);
    wait_for_match(&browser, UNDO, "Undo\\s+1 s");
    advance_clocks(&browser, 8_000);
    browser.wait_until("document.querySelector('.undo') === null");
    assert_eq!(browser.text(&format!("{dana} .reason")), "Training");
    assert!(browser_errors(&browser).is_empty());
}

#[test]
fn undo_is_not_offered_if_the_outcome_is_unknown() {
    let (asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001&queue=6001&alias=Dana&paused=1&reason=Training");
    let browser = open_board(&bridge);
    let dana = agent_selector("6001", "1001");
    wait_for_text(&browser, &format!("{dana} .reason"), "Training");
    asterisk.freeze();
    click_pause(&browser, &dana);
    browser.wait_visible("#toasts .toast.failed");
    let text = browser.text("#toasts .toast.failed");
    assert!(text.contains("may or may not have happened"), "{text}");
    let undo = "return document.querySelector('.undo') === null";
    assert_eq!(browser.run_script(undo, &[]), true);
    asterisk.resume();
}

#[test]
fn undo_leaves_a_pause_alone_that_somebody_else_has_made_since() {
    let (_asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001&queue=6001&alias=Dana");
    let browser = open_board(&bridge);
    stop_clocks(&browser);
    let dana = agent_selector("6001", "1001");
    pause_with(&browser, &dana, "Training");
    wait_for_text(&browser, &format!("{dana} .reason"), "Training");
    bridge.acme_ok("action=pause&agent=1001&reason=Lunch");
    wait_for_text(&browser, &format!("{dana} .reason"), "Lunch");
    wait_until_settled(&browser, &dana);
    browser.click(UNDO);
    wait_for_match(&browser, ".toast.failed span", "Nothing was undone: .*");
    assert_eq!(browser.text(&format!("{dana} .reason")), "Lunch");
}
