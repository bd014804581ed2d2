//! The page reports a lost connection, and recovers automatically.

use super::hands::ESCAPE;
use super::{LIVE, agent_selector, click_pause, open_board, wait_for_text};
use crate::support::{
    Asterisk, Bridge, Browser, ReservedPort, configuration, eventually, on_both_versions, start,
};

on_both_versions!(
    page_recovers_after_a_pbx_crash,
    page_recovers_after_a_bridge_restart,
);

/// Sets a variable in the page, which a reload would delete.
fn mark_page(browser: &Browser) {
    browser.run_script("window.sameBoard = true", &[]);
}

/// Asserts that the page has not been reloaded since [`mark_page`].
fn assert_not_reloaded(browser: &Browser) {
    assert_eq!(
        browser.run_script("return window.sameBoard === true", &[]),
        true
    );
}

/// Waits until Asterisk, which collects changes for a second, has written a member to its database.
fn wait_for_stored_member(asterisk: &Asterisk, member: &str) {
    eventually("the member is stored", || {
        let database = std::fs::read(asterisk.instance_path("db/astdb.sqlite3")).ok()?;
        let text = String::from_utf8_lossy(&database);
        text.contains(member).then_some(())
    });
}

/// Returns how far an agent's row is from the top of the window.
fn row_top(browser: &Browser, row: &str) -> f64 {
    let script = "return document.querySelector(arguments[0]).getBoundingClientRect().top";
    let top = browser.run_script(script, &[row]);
    top.as_f64().expect("a number")
}

fn page_recovers_after_a_pbx_crash(version: u32) {
    let (mut asterisk, bridge) = start(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001&alias=Dana");
    let browser = open_board(&bridge);
    let dana = agent_selector("6001", "1001");
    wait_for_text(&browser, &format!("{dana} .state"), "Available");
    mark_page(&browser);
    let top = row_top(&browser, &dana);

    wait_for_stored_member(&asterisk, "1001@acme-agents");
    asterisk.kill();
    browser.wait_visible("#banner");
    let banner = browser.text("#banner");
    assert!(
        banner.contains("The phone system is not connected."),
        "{banner}"
    );
    assert!(banner.contains("This page shows the state at"), "{banner}");
    // The last known state stays visible, and is marked as stale.
    browser.wait_visible(".stale .agent");
    // Otherwise a click could hit another agent.
    assert_eq!(row_top(&browser, &dana), top, "the banner moves no row");
    // The page explains why a change fails.
    click_pause(&browser, &dana);
    browser.click("#dialog .primary");
    browser.wait_visible("#dialog .error");
    let error = browser.text("#dialog .error");
    assert!(error.contains("Nothing was done"), "{error}");
    browser.press(ESCAPE);

    asterisk.restart();
    browser.wait_until(LIVE);
    browser.wait_until("document.getElementById('banner').hidden");
    assert_eq!(row_top(&browser, &dana), top, "the banner moves no row");
    bridge.wait_ready();
    bridge.acme_ok("action=pause&agent=1001&reason=Lunch");
    wait_for_text(&browser, &format!("{dana} .reason"), "Lunch");
    assert_not_reloaded(&browser);
}

fn page_recovers_after_a_bridge_restart(version: u32) {
    let (asterisk, bridge) = start(version);
    drop(bridge);
    // The bridge restarts at the same address, as after an update.
    let port = ReservedPort::reserve();
    let listen = format!("listen = \"{}\"", port.address);
    let configuration =
        configuration(asterisk.port).replacen("listen = \"127.0.0.1:0\"", &listen, 1);
    let bridge = Bridge::start(&configuration);
    bridge.acme_ok("action=add&agent=1001&queue=6001&alias=Dana");
    let browser = open_board(&bridge);
    mark_page(&browser);

    bridge.stop();
    browser.wait_visible("#banner");
    browser.wait_until("document.getElementById('link').dataset.state === 'lost'");
    let banner = browser.text("#banner");
    assert!(banner.contains("Connection lost."), "{banner}");

    let bridge = Bridge::start(&configuration);
    browser.wait_until(LIVE);
    bridge.acme_ok("action=pause&agent=1001&reason=Lunch");
    wait_for_text(
        &browser,
        &format!("{} .reason", agent_selector("6001", "1001")),
        "Lunch",
    );
    assert_not_reloaded(&browser);
}
