//! A lost link is said plainly, and the page comes back by itself.

use super::{LIVE, agent, on_the_board, until_text};
use crate::support::{Bridge, Browser, ReservedPort, configuration, on_both_versions, start};

on_both_versions!(
    the_page_outlives_a_crash_of_the_pbx,
    the_page_outlives_the_bridge,
);

/// Marks the page, so that a reload would be noticed.
fn mark(browser: &Browser) {
    browser.run_script("window.sameBoard = true", &[]);
}

fn is_the_same(browser: &Browser) {
    assert_eq!(
        browser.run_script("return window.sameBoard === true", &[]),
        true
    );
}

fn the_page_outlives_a_crash_of_the_pbx(version: u32) {
    let (mut asterisk, bridge) = start(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001&alias=Dana");
    let browser = on_the_board(&bridge);
    let dana = agent("6001", "1001");
    until_text(&browser, &format!("{dana} .state"), "Available");
    mark(&browser);

    asterisk.kill();
    browser.wait_visible("#banner");
    let banner = browser.text("#banner");
    assert!(
        banner.contains("The phone system is not connected."),
        "{banner}"
    );
    assert!(banner.contains("The board shows the state at"), "{banner}");
    // What was last known stays in sight, and does not pass for what is.
    browser.wait_visible(".stale .agent");
    // A change is refused in words.
    browser.click(&format!("{dana} .pause"));
    browser.click("#dialog .primary");
    browser.wait_visible("#dialog .error");
    let error = browser.text("#dialog .error");
    assert!(error.contains("Nothing was done"), "{error}");
    browser.press("\u{e00c}");

    asterisk.restart();
    browser.wait_until(LIVE);
    browser.wait_until("document.getElementById('banner').hidden");
    bridge.wait_ready();
    bridge.acme_ok("action=pause&agent=1001&reason=Lunch");
    until_text(&browser, &format!("{dana} .reason"), "Lunch");
    is_the_same(&browser);
}

fn the_page_outlives_the_bridge(version: u32) {
    let (asterisk, bridge) = start(version);
    drop(bridge);
    // The same address again, as after an update.
    let port = ReservedPort::reserve();
    let listen = format!("listen = \"{}\"", port.address);
    let configuration =
        configuration(asterisk.port).replacen("listen = \"127.0.0.1:0\"", &listen, 1);
    let bridge = Bridge::start(&configuration);
    bridge.acme_ok("action=add&agent=1001&queue=6001&alias=Dana");
    let browser = on_the_board(&bridge);
    mark(&browser);

    bridge.stop();
    browser.wait_visible("#banner");
    browser.wait_until("document.getElementById('link').dataset.state === 'lost'");
    let banner = browser.text("#banner");
    assert!(banner.contains("Connection lost."), "{banner}");

    let bridge = Bridge::start(&configuration);
    browser.wait_until(LIVE);
    bridge.acme_ok("action=pause&agent=1001&reason=Lunch");
    until_text(
        &browser,
        &format!("{} .reason", agent("6001", "1001")),
        "Lunch",
    );
    is_the_same(&browser);
}
