//! Impatient clicks: nothing is sent twice, and no click acts on a control that has just got
//! another meaning.

use serde_json::{Value, json};

use super::hands::ESCAPE;
use super::{
    agent_selector, browser_errors, click_pause, count_requests, open_board, person_selector,
    reason_selector, request_count, show_people, start_with_reasons, stop_clocks, wait_for_text,
    wait_until_settled,
};
use crate::support::{Asterisk, Browser, SIMULATED};

/// Clicks an element three times before the browser does anything else.
fn click_three_times(browser: &Browser, selector: &str) {
    browser.wait_visible(selector);
    let script = "const element = document.querySelector(arguments[0]);
        for (let count = 0; count < 3; count += 1) element.click();";
    browser.run_script(script, &[selector]);
}

/// Clicks an element three times while the PBX does not answer, and once more in a later task of
/// the browser. Asserts that the page has sent one request.
fn assert_sent_once(asterisk: &Asterisk, browser: &Browser, selector: &str, action: &str) {
    let before = request_count(browser, action);
    asterisk.freeze();
    click_three_times(browser, selector);
    browser.run_script("document.querySelector(arguments[0])?.click()", &[selector]);
    asterisk.resume();
    browser.wait_until("!document.getElementById('dialog').open");
    browser.wait_until("document.querySelector('[aria-busy]') === null");
    assert_eq!(request_count(browser, action), before + 1, "{selector}");
}

#[test]
fn each_control_sends_one_request_however_often_it_is_clicked() {
    let (asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001&queue=6001&alias=Dana");
    let browser = open_board(&bridge);
    let dana = agent_selector("6001", "1001");
    count_requests(&browser);

    click_pause(&browser, &dana);
    assert_sent_once(&asterisk, &browser, &reason_selector("Training"), "pause");
    wait_for_text(&browser, &format!("{dana} .reason"), "Training");

    wait_until_settled(&browser, &dana);
    assert_sent_once(&asterisk, &browser, &format!("{dana} .pause"), "unpause");
    wait_for_text(&browser, &format!("{dana} .state"), "Available");

    wait_until_settled(&browser, &dana);
    browser.click(&format!("{dana} .remove"));
    assert_sent_once(&asterisk, &browser, "#dialog .scope", "remove");
    browser.wait_until(&format!("document.querySelector({}) === null", json!(dana)));

    browser.click(".card[data-queue=\"6001\"] .add");
    browser.fill("#dialog [name=agent]", "1001");
    assert_sent_once(&asterisk, &browser, "#dialog .primary", "add");
    browser.wait_visible(&dana);
    assert!(browser_errors(&browser).is_empty());
}

#[test]
fn each_control_for_several_people_sends_one_request_however_often_it_is_clicked() {
    let (asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001,1002&queue=6001,6002");
    let browser = open_board(&bridge);
    count_requests(&browser);
    stop_clocks(&browser);
    show_people(&browser);
    let choose = || {
        browser.wait_until("document.querySelector('[aria-busy], [data-changed]') === null");
        for number in ["1001", "1002"] {
            browser.click(&format!("{} .choose", person_selector(number)));
        }
    };
    choose();
    browser.click("#bulk [data-action=pause]");
    assert_sent_once(&asterisk, &browser, &reason_selector("Training"), "pause");
    assert_sent_once(&asterisk, &browser, "#toasts .undo", "unpause");
    bridge.acme_ok("action=pause&agent=1001,1002&reason=Auto-Pause");
    let row = agent_selector("6001", "1001");
    browser.click("#view [value=queues]");
    let bring_back = format!("{row} .bring-back");
    browser.wait_visible(&bring_back);
    browser.wait_until("document.querySelector('[aria-busy], [data-changed]') === null");
    assert_sent_once(&asterisk, &browser, &bring_back, "unpause");
    show_people(&browser);
    choose();
    assert_sent_once(
        &asterisk,
        &browser,
        "#bulk [data-action=unpause]",
        "unpause",
    );
    choose();
    browser.click("#bulk [data-action=remove]");
    assert_sent_once(&asterisk, &browser, "#dialog [value=all]", "remove");
    browser.wait_until("document.querySelector('.undo') !== null");
    assert!(browser_errors(&browser).is_empty());
}

/// A row that is drawn anew during a change knows of it.
#[test]
fn row_ignores_clicks_also_in_the_other_view() {
    let (asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001&queue=6001&paused=1&reason=Training");
    let browser = open_board(&bridge);
    let row = agent_selector("6001", "1001");
    wait_for_text(&browser, &format!("{row} .reason"), "Training");
    count_requests(&browser);
    asterisk.freeze();
    browser.click(&format!("{row} .pause"));
    show_people(&browser);
    let person = person_selector("1001");
    browser.wait_visible(&format!("{person}[aria-busy=true]"));
    click_three_times(&browser, &format!("{person} .pause"));
    asterisk.resume();
    wait_for_text(&browser, &format!("{person} .state"), "Available");
    assert_eq!(request_count(&browser, "unpause"), 1);
}

/// The dialog is closed before the response arrives, so only the row is left to click.
#[test]
fn row_ignores_clicks_while_its_dialogs_request_is_under_way() {
    let (asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001&queue=6001&alias=Dana");
    let browser = open_board(&bridge);
    let dana = agent_selector("6001", "1001");
    count_requests(&browser);
    click_pause(&browser, &dana);
    asterisk.freeze();
    browser.click(&reason_selector("Training"));
    browser.press(ESCAPE);
    browser.wait_until("!document.getElementById('dialog').open");
    click_three_times(&browser, &format!("{dana} .pause"));
    let is_open = browser.run_script("return document.getElementById('dialog').open", &[]);
    assert_eq!(is_open, false);
    asterisk.resume();
    wait_for_text(&browser, &format!("{dana} .reason"), "Training");
    assert_eq!(request_count(&browser, "pause"), 1);
}

#[test]
fn second_click_of_a_double_click_does_not_act_on_the_new_meaning() {
    let (_asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001&queue=6001&alias=Dana&paused=1&reason=Training");
    let browser = open_board(&bridge);
    let dana = agent_selector("6001", "1001");
    wait_for_text(&browser, &format!("{dana} .reason"), "Training");
    wait_until_settled(&browser, &dana);
    // The second click comes right after the button has become "Pause".
    let script = "const button = document.querySelector(arguments[0] + ' .pause');
        window.isOpen = null;
        new MutationObserver((_, observer) => {
            if (button.title !== 'Pause') return;
            observer.disconnect();
            button.click();
            setTimeout(() => { window.isOpen = document.getElementById('dialog').open ? 1 : 2; });
        }).observe(button, {attributes: true});
        button.click();";
    browser.run_script(script, &[&dana]);
    let is_open = browser.wait_until("window.isOpen");
    assert_eq!(is_open, 2, "1: the pause dialog has opened");
    wait_for_text(&browser, &format!("{dana} .state"), "Available");
}

/// Presses and releases the mouse at a place.
fn press_at(browser: &Browser, place: &Value) {
    for event in ["mousePressed", "mouseReleased"] {
        let parameters = json!({"type": event, "x": place["x"], "y": place["y"],
            "button": "left", "clickCount": 1});
        browser.devtools("Input.dispatchMouseEvent", &parameters);
    }
}

/// Returns the middle of an element.
fn middle(browser: &Browser, selector: &str) -> Value {
    browser.wait_visible(selector);
    let script = "const box = document.querySelector(arguments[0]).getBoundingClientRect();
        return {x: box.x + box.width / 2, y: box.y + box.height / 2}";
    browser.run_script(script, &[selector])
}

/// A double click opened the dialog, and its second click closed it or chose a reason. The second
/// click on a reason reached the row below the dialog.
#[test]
fn rest_of_a_double_click_does_nothing_after_the_dialog_has_opened_or_closed() {
    let (_asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001&queue=6001&alias=Dana");
    let browser = open_board(&bridge);
    let dana = agent_selector("6001", "1001");
    count_requests(&browser);
    // All presses have the same time, however slow the computer is. The browser can send the event
    // "close" after the second click.
    let script = "Object.defineProperty(Event.prototype, 'timeStamp', {get: () => 0});
        document.addEventListener('close', (event) => event.stopPropagation(), {capture: true});
        window.clicks = 0;
        document.addEventListener('click', () => { window.clicks += 1; });";
    browser.run_script(script, &[]);

    let pause = middle(&browser, &format!("{dana} .pause"));
    press_at(&browser, &pause);
    let reason = middle(&browser, &reason_selector("Training"));
    press_at(&browser, &pause);
    let is_open = "return document.getElementById('dialog').open";
    assert_eq!(browser.run_script(is_open, &[]), true);

    press_at(&browser, &reason);
    browser.wait_until("!document.getElementById('dialog').open");
    press_at(&browser, &reason);
    assert_eq!(browser.run_script("return window.clicks", &[]), 2);
    assert_eq!(request_count(&browser, "pause"), 1);
}

#[test]
fn pause_everywhere_leaves_existing_pauses_alone_unless_they_are_to_be_replaced() {
    let (_asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001&queue=6001,6002&alias=Dana");
    bridge.acme_ok("action=pause&agent=1001&queue=6001&reason=Training");
    let browser = open_board(&bridge);
    let (first, second) = (
        agent_selector("6001", "1001"),
        agent_selector("6002", "1001"),
    );
    wait_for_text(&browser, &format!("{first} .reason"), "Training");
    click_pause(&browser, &second);
    let text = "Also replace the pauses that exist: 6001 (Training)";
    wait_for_text(&browser, "#dialog label:has([name=replace])", text);
    browser.click(&reason_selector("Lunch"));
    wait_for_text(&browser, &format!("{second} .reason"), "Lunch");
    let toast = "Dana is paused in queue 6002: Lunch. The pause in queue 6001 was left as it is.";
    wait_for_text(&browser, ".toast span:first-child", toast);
    assert_eq!(browser.text(&format!("{first} .reason")), "Training");
    bridge.acme_ok("action=unpause&agent=1001&queue=6002");
    wait_for_text(&browser, &format!("{second} .state"), "Available");
    click_pause(&browser, &second);
    browser.click("#dialog [name=replace]");
    browser.click(&reason_selector("Lunch"));
    wait_for_text(&browser, &format!("{first} .reason"), "Lunch");
}

/// Names in another script must not mirror the row, which would move the buttons.
#[test]
fn nothing_moves_when_names_of_another_script_arrive() {
    let (_asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001&queue=6001&alias=Dana");
    let browser = open_board(&bridge);
    let dana = agent_selector("6001", "1001");
    browser.wait_visible(&dana);
    let left =
        "const box = document.querySelector(arguments[0] + ' .pause').getBoundingClientRect();
        return Math.round(box.left)";
    let before = browser.run_script(left, &[&dana]);
    for (agent, name) in [("1002", "נועה"), ("1003", "كريم"), ("1004", "דנה")] {
        bridge.acme_ok(&format!("action=add&agent={agent}&queue=6001&alias={name}"));
        browser.wait_visible(&agent_selector("6001", agent));
    }
    assert_eq!(browser.run_script(left, &[&dana]), before);
}
