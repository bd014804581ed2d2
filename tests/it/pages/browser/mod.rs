//! The panel in a real browser, used like a supervisor would.

mod access;
mod many;
mod pictures;
mod recovery;
mod work;

use crate::support::{Bridge, Browser};

/// Logs in as the user of acme, and presses Enter to submit the form.
fn log_in(browser: &Browser, bridge: &Bridge, password: &str) {
    browser.open(bridge.address);
    browser.fill("[name=username]", "acme@example.com");
    browser.fill("[name=password]", password);
    browser.press("\u{e007}");
}

/// Starts a browser, logs in, and waits until the board is live.
fn open_board(bridge: &Bridge) -> Browser {
    let browser = Browser::start();
    log_in(&browser, bridge, "acme-password");
    browser.wait_until(LIVE);
    browser
}

/// A condition in JavaScript that holds while the board receives events.
const LIVE: &str = "document.getElementById('link').dataset.state === 'live'";

/// The selector of an agent of acme in a queue on the page.
fn agent(queue: &str, number: &str) -> String {
    format!(".card[data-queue=\"{queue}\"] .agent[data-interface=\"Local/{number}@acme-agents\"]")
}

/// Waits until the element has this text.
fn wait_for_text(browser: &Browser, selector: &str, text: &str) {
    let (selector, text) = (serde_json::json!(selector), serde_json::json!(text));
    browser.wait_until(&format!(
        "document.querySelector({selector})?.innerText.trim() === {text}"
    ));
}

/// The browser's log without the HTTP error statuses, which tests cause on purpose.
fn browser_errors(browser: &Browser) -> Vec<String> {
    let mut log = browser.take_log();
    log.retain(|line| !line.contains("the server responded with a status of"));
    log
}
