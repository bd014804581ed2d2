//! The search finds names, numbers, states, reasons and queues, in both views.

use super::{
    agent_selector, browser_errors, open_board, show_people, start_with_reasons, wait_for_text,
};
use crate::support::{Asterisk, Bridge, Browser, SIMULATED};

/// Starts a board with four people. Static Sam is in queue 6002 only.
fn start_with_people() -> (Asterisk, Bridge, Browser) {
    let (asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001&queue=6001&alias=Luc%C3%ADa");
    bridge.acme_ok("action=add&agent=1002&queue=6001&alias=Noa&paused=1&reason=Lunch");
    bridge.acme_ok("action=add&agent=1003&queue=6001&alias=Omar");
    asterisk.cli("devstate change Local/1003@acme-agents UNAVAILABLE");
    let browser = open_board(&bridge);
    wait_for_text(&browser, "[data-total=unavailable]", "1");
    (asterisk, bridge, browser)
}

/// Waits until exactly these people are shown, in any order.
fn wait_for_people(browser: &Browser, search: &str, names: &[&str]) {
    let names = serde_json::json!(names);
    browser.wait_until(&format!(
        "JSON.stringify([...document.querySelectorAll('.person .name')].map((name) => name.innerText).sort())
            === JSON.stringify({names}.sort()) || null"
    ));
    println!("{search}: {names}");
}

#[test]
fn search_finds_name_number_state_reason_and_queue() {
    let (_asterisk, _bridge, browser) = start_with_people();
    show_people(&browser);
    for (search, names) in [
        ("LUCIA", &["Lucía"][..]),
        ("1002", &["Noa"]),
        ("paused", &["Noa"]),
        ("lunch", &["Noa"]),
        ("available", &["Lucía", "Static Sam"]),
        ("free", &["Lucía", "Static Sam"]),
        ("unavailable", &["Omar"]),
        ("6002", &["Static Sam"]),
        ("6001 free", &["Lucía"]),
        ("noa lunch", &["Noa"]),
        ("noa training", &[]),
    ] {
        browser.fill("#search", search);
        wait_for_people(&browser, search, names);
    }
    wait_for_text(
        &browser,
        "#nothing",
        "No agent matches the search and the filter.",
    );
    assert!(browser_errors(&browser).is_empty());
}

#[test]
fn search_result_stays_right_after_changes() {
    let (asterisk, bridge, browser) = start_with_people();
    show_people(&browser);
    browser.fill("#search", "paused");
    wait_for_people(&browser, "paused", &["Noa"]);
    bridge.acme_ok("action=pause&agent=1001&reason=Training");
    wait_for_people(&browser, "paused", &["Lucía", "Noa"]);
    bridge.acme_ok("action=unpause&agent=1002");
    wait_for_people(&browser, "paused", &["Lucía"]);
    browser.fill("#search", "training");
    wait_for_people(&browser, "training", &["Lucía"]);
    bridge.acme_ok("action=pause&agent=1001&reason=Lunch");
    wait_for_people(&browser, "training", &[]);
    // The same search in the other view.
    browser.fill("#search", "unavailable");
    browser.click("#view [value=queues]");
    wait_for_text(&browser, "#shown", "1 of 2 queues");
    browser.wait_visible(&agent_selector("6001", "1003"));
    let rows = "return document.querySelectorAll('.card:not([hidden]) .agent').length";
    assert_eq!(browser.run_script(rows, &[]), 1);
    asterisk.cli("devstate change Local/1002@acme-agents UNAVAILABLE");
    browser.wait_visible(&agent_selector("6001", "1002"));
    asterisk.cli("devstate change Local/1003@acme-agents NOT_INUSE");
    browser.wait_until(&format!(
        "document.querySelector({}) === null",
        serde_json::json!(agent_selector("6001", "1003"))
    ));
    asterisk.cli("devstate change Local/1002@acme-agents NOT_INUSE");
    wait_for_text(&browser, "#shown", "0 of 2 queues");
    browser.fill("#search", "lucia lunch");
    browser.wait_visible(&agent_selector("6001", "1001"));
    assert_eq!(browser.run_script(rows, &[]), 1);
    assert!(browser_errors(&browser).is_empty());
}
