//! The agent's page after a reload, with a wrong clock, and with a lost link.

use super::agent_page::{
    DANA, agent_configuration, log_in_agent, open_agent_page, reason_button, start_with_agents, tap,
};
use super::{LIVE, count_requests, request_count, wait_for_text};
use crate::support::{Asterisk, Bridge, Browser, ReservedPort, SIMULATED, eventually};

/// Waits until the large timer changes, and returns by how many seconds it then differs from the
/// state's duration. `since` is the beginning of the state as the bridge reports it, and the page's
/// clock is `clock_offset` milliseconds ahead.
fn timer_error(browser: &Browser, since: &str, clock_offset: i64) -> f64 {
    let script = format!(
        "const done = arguments[arguments.length - 1];
        const timer = document.getElementById('timer');
        new MutationObserver((changes, observer) => {{
            const actual = (Date.now() - {clock_offset} - Date.parse('{since}')) / 1000;
            const shown = timer.innerText.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
            observer.disconnect();
            done(shown - actual);
        }}).observe(timer, {{ childList: true, characterData: true, subtree: true }});"
    );
    let error = browser.run_async_script(&script);
    error.as_f64().expect("a number")
}

#[test]
fn timer_is_right_within_a_second_after_a_reload_and_with_a_wrong_clock() {
    let (asterisk, bridge) = start_with_agents(SIMULATED);
    asterisk.cli("devstate change Local/1001@acme-agents INUSE");
    let since = eventually("the call begins", || {
        let own = bridge.acme_ok("action=showstate&agent=1001");
        let is_in_call = own["state"] == "in_call";
        is_in_call.then(|| own["queues"][0]["state_since"].as_str().map(str::to_owned))?
    });
    for clock_offset in [0, 1_500, -1_500, 600_000] {
        let browser = Browser::start();
        browser.set_clock_offset(clock_offset);
        log_in_agent(&browser, &bridge, DANA);
        for visit in ["the login", "a reload"] {
            browser.wait_until(LIVE);
            wait_for_text(&browser, "#state", "In call");
            let error = timer_error(&browser, &since, clock_offset);
            println!("clock {clock_offset} ms ahead, after {visit}: {error:.2} s");
            assert!(error.abs() <= 1.0, "{clock_offset}, {visit}: {error} s");
            browser.run_script("location.reload()", &[]);
        }
    }
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

#[test]
fn page_recovers_after_a_bridge_restart_and_signals_missed_changes() {
    let asterisk = Asterisk::start(SIMULATED);
    let port = ReservedPort::reserve();
    let listen = format!("listen = \"{}\"", port.address);
    let configuration =
        agent_configuration(asterisk.port).replacen("listen = \"127.0.0.1:0\"", &listen, 1);
    let bridge = Bridge::start(&configuration);
    bridge.acme_ok("action=add&agent=1001&queue=6001,6002&alias=Dana");
    let browser = open_agent_page(&bridge, DANA);
    wait_for_text(&browser, "#state", "Available");
    browser.run_script("window.isSamePage = true", &[]);
    bridge.stop();
    wait_for_text(&browser, "#banner strong", "Connection lost.");
    wait_for_text(&browser, "#state", "Was available");
    browser.wait_until("document.getElementById('controls').disabled");

    let bridge = Bridge::start(&configuration);
    // The page reconnects on its own, after a delay that has doubled a few times.
    browser.wait_until(LIVE);
    browser.wait_until("document.getElementById('banner').hidden");
    wait_for_text(&browser, "#state", "Available");
    assert_eq!(browser.text("#news"), "", "the link's return is no change");
    bridge.stop();
    wait_for_text(&browser, "#banner strong", "Connection lost.");
    let bridge = Bridge::start(&configuration);
    bridge.acme_ok("action=pause&agent=1001&reason=Training");
    wait_for_text(&browser, "#state", "Paused");
    wait_for_text(&browser, "#news", "You were paused by someone else.");
    tap(&browser, "#resume");
    wait_for_text(&browser, "#state", "Available");
    assert_eq!(browser.run_script("return window.isSamePage", &[]), true);
}
