//! The pause dialog offers the organization's reasons, and a duration.

use serde_json::json;

use super::hands::ESCAPE;
use super::{
    LIVE, REASONS, agent_selector, browser_errors, click_pause, count_requests, log_in, open_board,
    reason_selector, request_count, wait_for_match, wait_for_text,
};
use crate::support::{
    Asterisk, Bridge, Browser, SIMULATED, configuration, eventually, on_both_versions,
};

on_both_versions!(pause_ends_as_the_page_shows);

/// Starts a simulated PBX and a bridge, whose organization acme has these additional keys. Adds
/// agent 1001 to queue 6001.
fn start_with(acme_keys: &str, reasons: &str) -> (Asterisk, Bridge) {
    let asterisk = Asterisk::start(SIMULATED);
    let header = "[organization.acme]\n";
    let configuration =
        configuration(asterisk.port).replacen(header, &format!("{header}{acme_keys}\n"), 1);
    let bridge = Bridge::start(&(configuration + reasons));
    bridge.acme_ok("action=add&agent=1001&queue=6001&alias=Dana");
    (asterisk, bridge)
}

/// Opens the pause dialog of agent 1001 in queue 6001.
fn open_pause_dialog(browser: &Browser) {
    click_pause(browser, &agent_selector("6001", "1001"));
    browser.wait_until("document.getElementById('dialog').open");
}

/// Returns the texts of the reasons' buttons.
fn offered_reasons(browser: &Browser) -> serde_json::Value {
    let script = "return [...document.querySelectorAll('#dialog .reasons button')]
        .map((button) => button.innerText.trim())";
    browser.run_script(script, &[])
}

/// Returns whether the dialog has a visible field for another reason.
fn has_other_reason(browser: &Browser) -> bool {
    let script =
        "return document.querySelector('#dialog [name=other]')?.checkVisibility() === true";
    browser.run_script(script, &[]) == true
}

#[test]
fn pause_dialog_offers_the_configured_reasons() {
    let (_asterisk, bridge) = start_with("", REASONS);
    let browser = open_board(&bridge);
    open_pause_dialog(&browser);
    let expected = json!([
        "Lunch\n45 min, ends automatically",
        "Training",
        "Short break\nup to 2 s",
        "No reason"
    ]);
    assert_eq!(offered_reasons(&browser), expected);
    assert!(has_other_reason(&browser));
    // A pause for lunch can be shortened, but not prolonged. The case of the reason does not
    // matter.
    browser.fill("#dialog [name=other]", "lunch");
    browser.wait_until("document.querySelector('#dialog [name=minutes]').max === '45'");
    browser.fill("#dialog [name=other]", "x");
    browser.wait_until("document.querySelector('#dialog [name=minutes]').max === '1440'");
    browser.fill("#dialog [name=minutes]", "46");
    browser.click(&reason_selector("Lunch"));
    browser.wait_until("document.querySelector('#dialog [name=minutes]').validity.rangeOverflow");
    // A reason's button takes the place of another reason.
    browser.click(&reason_selector("Training"));
    let dana = agent_selector("6001", "1001");
    wait_for_text(&browser, &format!("{dana} .reason"), "Training");
    wait_for_match(
        &browser,
        &format!("{dana} .deadline"),
        "ends in 4[56]:\\d\\d",
    );
    assert!(browser_errors(&browser).is_empty());
}

#[test]
fn pause_dialog_follows_a_changed_configuration() {
    let (asterisk, bridge) = start_with("", REASONS);
    let browser = open_board(&bridge);
    open_pause_dialog(&browser);
    browser.press(ESCAPE);
    count_requests(&browser);
    let other = "\n[[organization.acme.reason]]\nname = \"Meeting\"\n";
    let reload = bridge.reconfigure(&(configuration(asterisk.port) + other));
    assert_eq!(reload["message"], "configuration reloaded", "{reload}");
    // The page reads them after it has reconnected. Until then, the dialog offers the old ones.
    eventually("the page reads the reasons again", || {
        (request_count(&browser, "showreasons") > 0).then_some(())
    });
    eventually("the dialog offers the new reason", || {
        open_pause_dialog(&browser);
        let reasons = offered_reasons(&browser);
        browser.press(ESCAPE);
        browser.wait_until("!document.getElementById('dialog').open");
        (reasons == json!(["Meeting", "No reason"])).then_some(())
    });
}

#[test]
fn page_requires_a_reason_if_the_organization_does() {
    let (_asterisk, bridge) = start_with("reason_required = true", REASONS);
    let browser = open_board(&bridge);
    open_pause_dialog(&browser);
    let last = offered_reasons(&browser)[2].clone();
    assert_eq!(
        last, "Short break\nup to 2 s",
        "\"No reason\" is not offered"
    );
    let count = offered_reasons(&browser).as_array().map(Vec::len);
    assert_eq!(count, Some(3), "\"No reason\" is not offered");
    browser.click("#dialog .primary");
    browser.wait_until("document.querySelector('#dialog [name=other]').validity.valueMissing");
    let state = bridge.acme_ok("action=showstate&agent=1001");
    assert_eq!(state["paused"], false, "{state}");
    // An agent can't be added as paused without a reason either.
    browser.press(ESCAPE);
    browser.click(".card[data-queue=\"6001\"] .add");
    browser.fill("#dialog [name=agent]", "1002");
    browser.click("#dialog [name=paused]");
    browser.click("#dialog input[value=Training]");
    browser.click("#dialog .primary");
    let reason = format!("{} .reason", agent_selector("6001", "1002"));
    wait_for_text(&browser, &reason, "Training");
}

#[test]
fn page_offers_only_listed_reasons_if_others_are_refused() {
    let (_asterisk, bridge) = start_with("other_reasons = false", REASONS);
    let browser = open_board(&bridge);
    open_pause_dialog(&browser);
    assert_eq!(offered_reasons(&browser).as_array().map(Vec::len), Some(4));
    assert!(!has_other_reason(&browser));
}

#[test]
fn page_offers_a_text_field_without_listed_reasons() {
    let forbidden = "actions = [\"pause\", \"events\", \"showqueuestat\"]\n";
    for (reasons, actions) in [("", ""), (REASONS, forbidden)] {
        let asterisk = Asterisk::start(SIMULATED);
        let user = "username = \"acme@example.com\"\n";
        let configuration =
            configuration(asterisk.port).replacen(user, &format!("{user}{actions}"), 1);
        let bridge = Bridge::start(&(configuration + reasons));
        let browser = open_board(&bridge);
        let sam = agent_selector("6002", "1050");
        click_pause(&browser, &sam);
        browser.wait_visible("#dialog [name=other]");
        assert_eq!(offered_reasons(&browser), json!([]));
        browser.fill("#dialog [name=other]", "Lunch");
        browser.click("#dialog .primary");
        wait_for_text(&browser, &format!("{sam} .reason"), "Lunch");
        assert!(browser_errors(&browser).is_empty());
    }
}

fn pause_ends_as_the_page_shows(version: u32) {
    let quick = "\n[[organization.acme.reason]]\nname = \"Quick\"\nlimit = \"15s\"\nends = true\n";
    let asterisk = Asterisk::start(version);
    let bridge = Bridge::start(&(configuration(asterisk.port) + REASONS + quick));
    bridge.acme_ok("action=add&agent=1001&queue=6001&alias=Dana");
    let browser = Browser::start();
    // The page corrects the browser's clock, which is ten minutes slow.
    browser.set_clock_offset(-600_000);
    log_in(&browser, &bridge, "acme-password");
    browser.wait_until(LIVE);
    let dana = agent_selector("6001", "1001");
    let deadline = format!("{dana} .deadline");

    open_pause_dialog(&browser);
    browser.fill("#dialog [name=minutes]", "2");
    browser.click(&reason_selector("Training"));
    wait_for_match(&browser, &deadline, "ends in (2:00|1:\\d\\d)");
    let state = bridge.acme_ok("action=showstate&agent=1001");
    assert!(state["pause_ends_at"].is_string(), "{state}");
    click_pause(&browser, &dana);
    wait_for_text(&browser, &format!("{dana} .state"), "Available");

    open_pause_dialog(&browser);
    browser.fill("#dialog [name=other]", "quick");
    // No number of minutes is short enough.
    browser.wait_until("document.querySelector('#dialog [name=minutes]').disabled");
    browser.click(&reason_selector("Quick"));
    wait_for_match(&browser, &deadline, "ends in 0:(0[1-9]|1[0-6])");
    wait_for_text(&browser, &format!("{dana} .state"), "Available");
    assert!(browser_errors(&browser).is_empty());
}
