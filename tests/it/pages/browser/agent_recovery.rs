//! The agent's page after a reload, with a wrong clock, and with a lost link.

use std::time::Instant;

use super::agent_page::{
    DANA, log_in_agent, open_agent_page, reason_button, start_with_agents, tap,
};
use super::{LIVE, count_requests, request_count, wait_for_text};
use crate::support::{Browser, SIMULATED, eventually};

/// Returns the timer in seconds.
fn timer_seconds(browser: &Browser) -> f64 {
    let timer = eventually("a timer", || {
        Some(browser.text("#timer")).filter(|time| !time.is_empty())
    });
    let parts = timer.split(':').map(|part| part.parse::<f64>());
    parts.fold(0.0, |sum, part| sum * 60.0 + part.expect("a number"))
}

#[test]
fn timer_survives_a_reload_and_a_wrong_clock() {
    let (asterisk, bridge) = start_with_agents(SIMULATED);
    asterisk.cli("devstate change Local/1001@acme-agents INUSE");
    let browser = Browser::start();
    browser.set_clock_offset(600_000);
    log_in_agent(&browser, &bridge, DANA);
    wait_for_text(&browser, "#state", "In call");
    browser.wait_until("document.getElementById('timer').innerText >= '0:03'");
    let (before, started) = (timer_seconds(&browser), Instant::now());
    browser.run_script("location.reload()", &[]);
    browser.wait_until(LIVE);
    wait_for_text(&browser, "#state", "In call");
    let after = timer_seconds(&browser);
    let difference = after - before - started.elapsed().as_secs_f64();
    assert!(
        difference.abs() <= 2.0,
        "{before} s, then {after} s: {difference}"
    );
}

#[test]
fn lost_link_disables_the_controls_until_it_returns() {
    let (mut asterisk, bridge) = start_with_agents(SIMULATED);
    let browser = open_agent_page(&bridge, DANA);
    wait_for_text(&browser, "#state", "Available");
    browser.run_script("window.isSamePage = true", &[]);
    count_requests(&browser);
    asterisk.kill();
    wait_for_text(
        &browser,
        "#banner strong",
        "The phone system is not connected.",
    );
    wait_for_text(&browser, "#state", "Was available");
    let size =
        "return parseFloat(getComputedStyle(document.querySelector('#banner strong')).fontSize)";
    assert!(browser.run_script(size, &[]).as_f64() >= Some(28.0));
    let dead = "[...document.querySelectorAll('#controls button')].every((button) => button.matches(':disabled'))";
    browser.wait_until(dead);
    browser.run_script("document.querySelector('#reasons button').click()", &[]);
    asterisk.restart();
    wait_for_text(&browser, "#state", "Available");
    browser.wait_until("document.getElementById('banner').hidden");
    tap(&browser, &reason_button("Training"));
    wait_for_text(&browser, "#state", "Paused");
    assert_eq!(request_count(&browser, "pause"), 1);
    assert_eq!(browser.run_script("return window.isSamePage", &[]), true);
}
