//! Several people are changed with one request.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::hands::Hands;
use super::{
    REASONS, browser_errors, count_requests, open_board, person_selector, reason_selector,
    request_count, show_people, start_with_reasons, stop_clocks, wait_for_match, wait_for_text,
};
use crate::support::{Asterisk, Bridge, Browser, SIMULATED, configuration, on_every_pbx};

on_every_pbx!(five_people_are_paused_with_at_most_eight_clicks);

const PEOPLE: [&str; 5] = ["1001", "1002", "1003", "1004", "1005"];

/// Returns the selector of the checkbox that chooses a person.
fn choose_selector(number: &str) -> String {
    format!("{} .choose", person_selector(number))
}

/// Returns the selector of a button of the bar for the chosen people.
fn bulk_selector(action: &str) -> String {
    format!("#bulk [data-action={action}]")
}

/// Returns the agents' states as the bridge reports them.
fn states(bridge: &Bridge, agents: &[&str]) -> Vec<Value> {
    let query = |agent: &&str| bridge.acme_ok(&format!("action=showstate&agent={agent}"));
    agents.iter().map(query).collect()
}

/// Waits until no change is under way.
fn wait_until_answered(browser: &Browser) {
    browser.wait_until("document.querySelector('[aria-busy]') === null");
}

fn five_people_are_paused_with_at_most_eight_clicks(version: u32) {
    let (_asterisk, bridge) = start_with_reasons(version);
    bridge.acme_ok(&format!(
        "action=add&agent={}&queue=6001,6002",
        PEOPLE.join(",")
    ));
    let browser = open_board(&bridge);
    count_requests(&browser);
    stop_clocks(&browser);
    let hands = Hands::new(&browser);
    hands.click("#view [value=people]");
    for number in PEOPLE {
        hands.click(&choose_selector(number));
    }
    wait_for_text(&browser, "#bulk p", "5 chosen");
    hands.click(&bulk_selector("pause"));
    hands.click(&reason_selector("Lunch"));
    wait_for_text(
        &browser,
        ".toast span",
        "5 people are paused in 2 queues: Lunch.",
    );
    let clicks = hands.take_clicks();
    println!("five people paused with a reason, from the Queues view: {clicks} clicks");
    assert!(clicks <= 8, "{clicks}");
    for state in states(&bridge, &PEOPLE) {
        assert_eq!(
            (&state["paused"], &state["reason"]),
            (&json!(true), &json!("Lunch"))
        );
    }
    assert_eq!(request_count(&browser, "pause"), 1);
    browser.wait_until("!document.getElementById('bulk').checkVisibility()");
    browser.wait_until("document.activeElement.id === 'board'");

    // One click undoes it, with one request.
    wait_until_answered(&browser);
    wait_for_text(&browser, "[data-total=paused]", "5");
    hands.click("#toasts .undo");
    wait_for_match(
        &browser,
        ".toast span",
        "Undone: 5 people take calls again in 2 queues\\.",
    );
    assert_eq!(hands.take_clicks(), 1);
    for state in states(&bridge, &PEOPLE) {
        assert_eq!(state["paused"], false, "{state}");
    }
    assert_eq!(request_count(&browser, "unpause"), 1);
    assert!(browser_errors(&browser).is_empty());
}

#[test]
fn one_failure_leaves_the_others_done_and_is_named() {
    let (_asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001,1002,1003&queue=6001");
    let browser = open_board(&bridge);
    stop_clocks(&browser);
    show_people(&browser);
    for number in ["1001", "1002", "1003"] {
        browser.click(&choose_selector(number));
    }
    browser.click(&bulk_selector("pause"));
    browser.wait_visible(&reason_selector("Training"));
    bridge.acme_ok("action=remove&agent=1002&queue=6001");
    browser.wait_visible("#dialog .news");
    browser.click(&reason_selector("Training"));
    wait_for_text(
        &browser,
        "#toasts .toast.failed span",
        "2 people are paused in queue 6001: Training. 1002: Agent 1002 is a member of none of the queues.",
    );
    for state in states(&bridge, &["1001", "1003"]) {
        assert_eq!(state["reason"], "Training", "{state}");
    }
    // Only what has succeeded can be undone.
    wait_until_answered(&browser);
    wait_for_text(&browser, "[data-total=paused]", "2");
    browser.click("#toasts .undo");
    wait_for_match(
        &browser,
        ".toast:last-child span",
        "Undone: 2 people take calls again .*",
    );
    assert!(browser_errors(&browser).is_empty());
}

#[test]
fn failure_of_everybody_names_each() {
    let (asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001,1002&queue=6001&paused=1&reason=Training");
    let browser = open_board(&bridge);
    show_people(&browser);
    for number in ["1001", "1002"] {
        browser.click(&choose_selector(number));
    }
    asterisk.freeze();
    browser.click(&bulk_selector("unpause"));
    browser.wait_visible("#toasts .toast.failed");
    let text = browser.text("#toasts .toast.failed");
    assert!(text.contains("1001") && text.contains("1002"), "{text}");
    assert!(text.contains("may or may not have happened"), "{text}");
    assert_eq!(
        browser.run_script("return document.querySelector('.undo')", &[]),
        Value::Null
    );
    // Those for whom it failed are still chosen.
    wait_for_text(&browser, "#bulk p", "2 chosen");
    asterisk.resume();
}

#[test]
fn removal_from_all_queues_names_what_stays_and_can_be_undone() {
    let (_asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001&queue=6001,6002&alias=Dana&penalty=4");
    let browser = open_board(&bridge);
    count_requests(&browser);
    stop_clocks(&browser);
    show_people(&browser);
    browser.click(&choose_selector("1001"));
    browser.click(&choose_selector("1050"));
    browser.click(&bulk_selector("remove"));
    browser.click("#dialog [value=all]");
    wait_for_text(
        &browser,
        ".toast span",
        "Dana was removed from 2 queues. Static Sam stays in queue 6002: only the administrator of the \
         phone system can change this.",
    );
    assert_eq!(request_count(&browser, "remove"), 1);
    wait_until_answered(&browser);
    browser.click("#toasts .undo");
    let member = |queue: usize| {
        let state = bridge.acme_ok("action=showstate&agent=1001");
        (
            state["queues"][queue]["alias"].clone(),
            state["queues"][queue]["penalty"].clone(),
        )
    };
    wait_for_match(
        &browser,
        ".toast span",
        "Undone: Dana was added to 2 queues\\. .*",
    );
    for queue in [0, 1] {
        assert_eq!(member(queue), (json!("Dana"), json!(4)));
    }
    assert!(browser_errors(&browser).is_empty());
}

#[test]
fn more_people_than_the_bridge_accepts_are_refused_before_sending() {
    let mut queues = String::from("[general]\n[acme-6001]\nstrategy = ringall\n");
    for number in 1001..=1101 {
        let _ = writeln!(
            queues,
            "member => Local/{number}@acme-agents,0,Agent {number}"
        );
    }
    let asterisk = Asterisk::start_with(SIMULATED, &[("queues.conf", &queues)]);
    let text = configuration(asterisk.port).replacen("1001-1099", "1001-1199", 1);
    let bridge = Bridge::start(&(text + REASONS));
    let browser = open_board(&bridge);
    show_people(&browser);
    browser.wait_visible(&choose_selector("1101"));
    count_requests(&browser);
    let choose = "for (const box of document.querySelectorAll('.person .choose')) box.click()";
    browser.run_script(choose, &[]);
    wait_for_text(&browser, "#bulk p", "101 chosen");
    browser.click(&bulk_selector("pause"));
    let refusal =
        "At most 100 people can be changed at once, and 101 are chosen. Nothing was done.";
    wait_for_text(&browser, "#toasts .toast.failed span", refusal);
    assert_eq!(request_count(&browser, "pause"), 0);
    browser.click("#bulk .quiet");
    browser.wait_until("!document.getElementById('bulk').checkVisibility()");
}

/// The keys choose people too, and a person's row pauses in all queues.
#[test]
fn person_is_chosen_and_paused_everywhere_with_keys() {
    let (_asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001&queue=6001,6002&alias=Dana");
    let browser = open_board(&bridge);
    show_people(&browser);
    let dana = person_selector("1001");
    browser.wait_visible(&dana);
    let hands = Hands::new(&browser);
    hands.press("/");
    hands.type_text("Dana");
    hands.press(super::hands::ENTER);
    browser.wait_until(&format!("document.activeElement.matches({})", json!(dana)));
    hands.press("x");
    wait_for_text(&browser, "#bulk p", "1 chosen");
    hands.press("x");
    browser.wait_until("!document.getElementById('bulk').checkVisibility()");
    hands.take_keys();
    hands.press("p");
    browser.wait_visible(&reason_selector("Lunch"));
    hands.press(super::hands::TAB);
    hands.press(super::hands::ENTER);
    wait_for_text(
        &browser,
        ".toast span",
        "Dana is paused in 2 queues: Lunch.",
    );
    assert_eq!(hands.take_keys(), 3);
    assert!(browser_errors(&browser).is_empty());
}
