//! The panel in a real browser, as a supervisor sees and uses it.

mod access;
mod many;
mod pictures;
mod recovery;
mod work;

use crate::support::{Bridge, Browser};

/// Logs in as the user of acme, with the keyboard.
fn log_in(browser: &Browser, bridge: &Bridge, password: &str) {
    browser.open(bridge.address);
    browser.fill("[name=username]", "acme@example.com");
    browser.fill("[name=password]", password);
    browser.press("\u{e007}");
}

/// Logs in, and waits until the board is live.
fn on_the_board(bridge: &Bridge) -> Browser {
    let browser = Browser::start();
    log_in(&browser, bridge, "acme-password");
    browser.wait_until(LIVE);
    browser
}

const LIVE: &str = "document.getElementById('link').dataset.state === 'live'";

/// An agent of acme in a queue of the page.
fn agent(queue: &str, number: &str) -> String {
    format!(".card[data-queue=\"{queue}\"] .agent[data-interface=\"Local/{number}@acme-agents\"]")
}

/// Waits until an element's text is that.
fn until_text(browser: &Browser, selector: &str, text: &str) {
    let (selector, text) = (serde_json::json!(selector), serde_json::json!(text));
    browser.wait_until(&format!(
        "document.querySelector({selector})?.innerText.trim() === {text}"
    ));
}

/// What the browser has complained of, but for the refusals that a test provokes.
fn complaints(browser: &Browser) -> Vec<String> {
    let mut log = browser.take_log();
    log.retain(|line| !line.contains("the server responded with a status of"));
    log
}
