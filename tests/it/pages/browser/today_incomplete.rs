//! The Today view with a report that is incomplete, can't be read, or is not allowed.

use serde_json::json;

use super::today::show_today;
use super::{browser_errors, open_board, wait_for_match, wait_for_text};
use crate::support::{
    Asterisk, Bridge, SIMULATED, configuration, eventually, with_acme_keys, with_state_directory,
};

/// A zone in which no test runs: its days begin 14 hours before those of UTC.
const ZONE: &str = "Pacific/Kiritimati";

#[test]
fn incomplete_report_names_its_beginning_and_its_gaps_in_the_organizations_time() {
    let asterisk = Asterisk::start(SIMULATED);
    let text = with_acme_keys(
        &configuration(asterisk.port),
        &format!("time_zone = \"{ZONE}\""),
    );
    let bridge = Bridge::start(&text);
    bridge.acme_ok("action=add&agent=1001&queue=6001&alias=Dana");
    // Without a pause, the report has no row if nothing arrives from Asterisk after this second.
    bridge.acme_ok("action=pause&agent=1001&reason=Lunch");
    bridge.acme_ok("action=unpause&agent=1001");
    let browser = open_board(&bridge);
    show_today(&browser);
    wait_for_text(
        &browser,
        "#report-notice strong",
        "This report is not complete.",
    );
    let time_script = "return new Date(arguments[0])
        .toLocaleTimeString([], {timeStyle: 'medium', timeZone: arguments[1]})";
    let time = |text: &serde_json::Value| {
        let text = text.as_str().expect("a time");
        let shown = browser.run_script(time_script, &[text, ZONE]);
        shown.as_str().expect("a text").to_owned()
    };
    let report = bridge.acme_ok("action=showreport");
    assert_eq!(report["complete"], false);
    let since = format!(
        "at {}. Earlier calls and pauses are missing.",
        time(&report["since"])
    );
    let notice = browser.text("#report-notice");
    assert!(
        notice.contains("The record begins on") && notice.contains(&since),
        "{notice}"
    );
    drop(asterisk);
    let gap = eventually("a gap begins", || {
        let report = bridge.acme_ok("action=showreport");
        report["gaps"].as_array()?.first().cloned()
    });
    assert!(gap["to"].is_null(), "{gap}");
    let lasting = format!(
        "The bridge could not see the phone system since {}.",
        time(&gap["from"])
    );
    browser.run_script("document.dispatchEvent(new Event('visibilitychange'))", &[]);
    browser.wait_until(&format!(
        "document.getElementById('report-notice').innerText.includes({})",
        json!(lasting)
    ));
    // The report needs no PBX, so that it is not gray.
    browser.wait_visible("#board.stale #report-table tbody tr");
    let filter = "return getComputedStyle(document.querySelector('.today')).filter";
    assert_eq!(browser.run_script(filter, &[]), "none");
    assert!(browser_errors(&browser).is_empty());
}

/// Makes the page believe that each report has five gaps, the last of which has the end in
/// `window.lastEnd`.
const FIVE_GAPS: &str = "
    const send = window.fetch;
    window.lastEnd = null;
    window.fetch = async (path, options) => {
        const response = await send(path, options);
        if (!String(options?.body ?? '').includes('showreport')) return response;
        const report = await response.json();
        const time = (minute, second) => `2026-11-29T09:0${minute}:${second}Z`;
        const gaps = [1, 2, 3, 4].map((minute) => ({from: time(minute, '00'), to: time(minute, '30')}));
        gaps.push({from: time(5, '00'), to: window.lastEnd});
        return new Response(JSON.stringify({...report, complete: false, gaps}));
    };";

#[test]
fn many_gaps_are_counted_and_listed() {
    let asterisk = Asterisk::start(SIMULATED);
    let bridge = Bridge::start(&configuration(asterisk.port));
    let browser = open_board(&bridge);
    browser.run_script(FIVE_GAPS, &[]);
    show_today(&browser);
    browser.wait_until(
        "document.getElementById('report-notice').innerText.includes('the phone system 5 times.')",
    );
    browser.click("#report-gaps summary");
    let last = "#report-gaps li:nth-child(5)";
    browser.wait_visible(last);
    assert!(
        browser.text(last).starts_with("since "),
        "{}",
        browser.text(last)
    );
    // The gap ends while the page shows it.
    let end = "window.lastEnd = '2026-11-29T09:05:30Z';
        document.dispatchEvent(new Event('visibilitychange'));";
    browser.run_script(end, &[]);
    wait_for_match(&browser, last, "from .+ to .+");
    let count = "return document.querySelectorAll('#report-gaps li').length";
    assert_eq!(browser.run_script(count, &[]), 5);
}

#[test]
fn report_that_can_not_be_read_is_announced_and_read_again() {
    let asterisk = Asterisk::start(SIMULATED);
    let state = tempfile::tempdir().expect("a folder");
    let file = state.path().join("state.db");
    std::fs::write(&file, "garbage".repeat(1000)).expect("a writable file");
    let bridge = Bridge::start(&with_state_directory(
        &configuration(asterisk.port),
        state.path(),
    ));
    let browser = open_board(&bridge);
    browser.click("#view label:has([value=today])");
    let failure = "The bridge can’t read the day’s work now.";
    wait_for_text(&browser, "#report-failure", failure);
    wait_for_text(&browser, "#report-notice", failure);
    let is_shown = "return document.getElementById('report-scroller').checkVisibility()";
    assert_eq!(browser.run_script(is_shown, &[]), false);
    std::fs::remove_file(&file).expect("it exists");
    // The page tries again by itself. Static Sam is a member of queue 6002.
    browser.wait_visible("#report-table [data-key='1050']");
    wait_for_text(&browser, "#report-failure", "");
}

#[test]
fn user_without_the_right_has_no_today() {
    let asterisk = Asterisk::start(SIMULATED);
    let user = "username = \"acme@example.com\"\n";
    let limited = format!("{user}actions = [\"events\", \"pause\"]\n");
    let bridge = Bridge::start(&configuration(asterisk.port).replacen(user, &limited, 1));
    let browser = open_board(&bridge);
    browser.wait_until("document.body.dataset.allows === 'pause'");
    let tabs = "return [...document.querySelectorAll('#view label')]
        .filter((label) => label.checkVisibility()).map((label) => label.innerText)";
    assert_eq!(browser.run_script(tabs, &[]), json!(["People", "Queues"]));
    // Somebody else has used the view in this browser.
    let store = "localStorage.setItem('ami-bridge.panel', '{\"view\": \"today\"}');
        location.reload();";
    browser.run_script(store, &[]);
    browser.wait_until("document.body.dataset.allows === 'pause'");
    browser.wait_visible(".person");
    // The rights arrive without a reload.
    let reload = bridge.reconfigure(&configuration(asterisk.port));
    assert_eq!(reload["message"], "configuration reloaded", "{reload}");
    browser.wait_visible("#report-table tbody tr");
    assert!(browser_errors(&browser).is_empty());
}
