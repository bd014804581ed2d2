//! Dialogs follow what others change meanwhile, and messages cover nothing.

use serde_json::json;

use super::hands::{ENTER, ESCAPE};
use super::{
    agent_selector, browser_errors, click_pause, open_board, pause_with, reason_selector,
    start_with_reasons, wait_for_match, wait_for_text,
};
use crate::support::{Browser, SIMULATED};

fn wait_until_closed(browser: &Browser) {
    browser.wait_until("!document.getElementById('dialog').open");
}

#[test]
fn pause_dialog_follows_a_change_by_somebody_else() {
    let (_asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001&queue=6001,6002&alias=Dana");
    let browser = open_board(&bridge);
    let (first, second) = (
        agent_selector("6001", "1001"),
        agent_selector("6002", "1001"),
    );
    click_pause(&browser, &first);
    browser.fill("#dialog [name=other]", "Doctor");
    bridge.acme_ok("action=pause&agent=1001&queue=6002&reason=Training");
    let news = "Somebody else has just changed this. Now Dana is paused in 6002 (Training).";
    wait_for_text(&browser, "#dialog .news", news);
    let replace = "Also replace the pauses that exist: 6002 (Training)";
    wait_for_text(&browser, "#dialog label:has([name=replace])", replace);
    // The scope follows, and the entered text stays.
    bridge.acme_ok("action=remove&agent=1001&queue=6002");
    browser.wait_until("document.querySelector('#dialog [name=scope]') === null");
    browser.click("#dialog .primary");
    wait_for_text(&browser, &format!("{first} .reason"), "Doctor");
    // A removed agent can't be paused.
    bridge.acme_ok("action=add&agent=1002&queue=6002&alias=Noa");
    click_pause(&browser, &second.replace("1001", "1002"));
    browser.wait_until("document.getElementById('dialog').open");
    bridge.acme_ok("action=remove&agent=1002&queue=6002");
    wait_until_closed(&browser);
    wait_for_match(
        &browser,
        ".toast:last-child span",
        ".* can't be paused any more: .*",
    );
    assert!(browser_errors(&browser).is_empty());
}

#[test]
fn resume_and_remove_dialogs_close_when_somebody_else_has_done_it() {
    let (_asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001&queue=6001,6002&alias=Dana&paused=1&reason=Lunch");
    let browser = open_board(&bridge);
    let first = agent_selector("6001", "1001");
    click_pause(&browser, &first);
    browser.wait_visible("#dialog [value=all]");
    bridge.acme_ok("action=unpause&agent=1001&queue=6001");
    browser.wait_until("document.querySelector('#dialog [value=one]') === null");
    browser.wait_visible("#dialog .news");
    bridge.acme_ok("action=unpause&agent=1001");
    wait_until_closed(&browser);
    wait_for_match(
        &browser,
        ".toast:last-child span",
        "Dana is not paused any more: .*",
    );
    browser.click(&format!("{first} .remove"));
    browser.wait_visible("#dialog [value=one]");
    bridge.acme_ok("action=remove&agent=1001&queue=*");
    wait_until_closed(&browser);
    wait_for_match(
        &browser,
        ".toast:last-child span",
        ".* is not there any more: .*",
    );
    assert!(browser_errors(&browser).is_empty());
}

#[test]
fn failure_is_shown_in_the_dialog_that_is_open() {
    let (asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001,1002&queue=6001");
    let browser = open_board(&bridge);
    asterisk.freeze();
    pause_with(&browser, &agent_selector("6001", "1001"), "Training");
    browser.press(ESCAPE);
    wait_until_closed(&browser);
    browser.click("#add");
    // The first change fails while the second dialog is open. The dialog's backdrop covers the rest.
    browser.wait_visible("#dialog .messages .toast.failed");
    let script = "const box = document.querySelector('#dialog .toast').getBoundingClientRect();
        const top = document.elementFromPoint(box.left + 12, box.top + box.height / 2);
        return top.closest('.toast') !== null";
    assert_eq!(browser.run_script(script, &[]), true);
    browser.press(ESCAPE);
    wait_until_closed(&browser);
    browser.wait_visible("#toasts .toast.failed");
    asterisk.resume();
}

#[test]
fn messages_have_a_place_that_covers_no_row() {
    let (_asterisk, bridge) = start_with_reasons(SIMULATED);
    let agents: Vec<String> = (1001..1031).map(|number| number.to_string()).collect();
    bridge.acme_ok(&format!("action=add&agent={}&queue=6001", agents.join(",")));
    let browser = open_board(&bridge);
    let row = agent_selector("6001", "1001");
    browser.wait_visible(&row);
    browser.set_screen_size(1000, 600);
    let dock = "return document.querySelector('.dock').getBoundingClientRect().top";
    let before = browser.run_script(dock, &[]);
    pause_with(&browser, &row, "Training");
    browser.wait_visible("#toasts .toast");
    assert_eq!(
        browser.run_script(dock, &[]),
        before,
        "the place is there before the message"
    );
    let script = "const app = document.getElementById('app');
        app.scrollTo(0, app.scrollHeight);
        const dock = document.querySelector('.dock').getBoundingClientRect();
        const toast = document.querySelector('.toast').getBoundingClientRect();
        const rows = [...document.querySelectorAll('.agent')].map((row) => row.getBoundingClientRect().bottom);
        return [toast.top >= dock.top, toast.bottom <= dock.bottom, Math.max(...rows) <= dock.top]";
    assert_eq!(browser.run_script(script, &[]), json!([true, true, true]));
}

/// Enter in a field means the field's own button, and never a reason.
#[test]
fn hasty_enter_does_not_choose_a_reason() {
    let (_asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001&queue=6001,6002&alias=Dana");
    let browser = open_board(&bridge);
    let first = agent_selector("6001", "1001");
    click_pause(&browser, &first);
    browser.wait_visible(&reason_selector("Lunch"));
    browser.press(ENTER);
    browser.wait_until("document.querySelector('#dialog [name=other]').validity.valueMissing");
    browser.fill("#dialog [name=other]", "Doctor");
    browser.press(ENTER);
    wait_for_text(&browser, &format!("{first} .reason"), "Doctor");
}

/// The name that the board knows from another queue.
#[test]
fn add_dialog_suggests_the_name_that_is_known() {
    let (_asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001&queue=6002&alias=Dana");
    let browser = open_board(&bridge);
    browser.wait_visible(&agent_selector("6002", "1001"));
    browser.click(".card[data-queue=\"6001\"] .add");
    browser.fill("#dialog [name=agent]", "1001");
    let alias = "return document.querySelector('#dialog [name=alias]').value";
    assert_eq!(browser.run_script(alias, &[]), "Dana");
    browser.fill("#dialog [name=agent]", "1002");
    assert_eq!(browser.run_script(alias, &[]), "");
    browser.fill("#dialog [name=alias]", "Noa");
    browser.fill("#dialog [name=agent]", "1001");
    assert_eq!(
        browser.run_script(alias, &[]),
        "Noa",
        "an entered name stays"
    );
}
