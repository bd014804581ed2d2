//! The panel in a real browser, used as a supervisor would use it.

mod access;
mod agent_alerts;
mod agent_day;
mod agent_layout;
mod agent_page;
mod agent_recovery;
mod axe;
mod axe_agent;
mod axe_board;
mod axe_wall;
mod board_layout;
mod bulk;
mod demo;
mod dialogs;
mod event_source;
mod hands;
mod impatience;
mod keyboard;
mod many;
mod overdue;
mod people;
mod people_search;
mod pictures;
mod reasons;
mod recovery;
mod rights;
mod timing;
mod today;
mod today_incomplete;
mod today_large;
mod undo;
mod wall;
mod wall_alarms;
mod wall_layout;
mod wall_memory;
mod wall_session;
mod work;

use crate::support::{Asterisk, Bridge, Browser, configuration};
use hands::ENTER;

/// Pause reasons of the organization acme.
const REASONS: &str = r#"
[[organization.acme.reason]]
name = "Lunch"
limit = "45m"
ends = true

[[organization.acme.reason]]
name = "Training"

[[organization.acme.reason]]
name = "Short break"
limit = "2s"
"#;

/// Starts an Asterisk, and a bridge whose organization acme has [`REASONS`].
fn start_with_reasons(version: u32) -> (Asterisk, Bridge) {
    let asterisk = Asterisk::start(version);
    let bridge = Bridge::start(&(configuration(asterisk.port) + REASONS));
    (asterisk, bridge)
}

/// Fills in the login form with acme's user, and submits it with Enter.
fn log_in(browser: &Browser, bridge: &Bridge, password: &str) {
    browser.open(bridge.address);
    submit_login(browser, "acme@example.com", password);
}

/// Fills in the login form, and submits it with Enter.
fn submit_login(browser: &Browser, username: &str, password: &str) {
    browser.fill("[name=username]", username);
    browser.fill("[name=password]", password);
    browser.press(ENTER);
}

/// Starts a browser, logs in, and waits until the board is live and complete: the rights, the reasons
/// and the statistics arrive after the first snapshot, and move the rows.
fn open_board(bridge: &Bridge) -> Browser {
    let browser = Browser::start();
    log_in(&browser, bridge, "acme-password");
    browser.wait_until(LIVE);
    // The login reads the rights too.
    let responses = "performance.getEntriesByType('resource')
        .filter(({ name }) => name.includes('/API/UpdateAgentState.php')).length >= 4";
    browser.wait_until(responses);
    // The page draws once in a frame.
    let frames = "return new Promise((resolve) =>
        requestAnimationFrame(() => requestAnimationFrame(resolve)))";
    browser.run_script(frames, &[]);
    browser
}

/// A JavaScript condition that is true while the board receives events.
const LIVE: &str = "document.getElementById('link').dataset.state === 'live'";

/// Returns the selector of one of acme's agents in a queue.
fn agent_selector(queue: &str, number: &str) -> String {
    format!(".card[data-queue=\"{queue}\"] .agent[data-interface=\"Local/{number}@acme-agents\"]")
}

/// Returns the selector of one of acme's agents in the People view.
fn person_selector(number: &str) -> String {
    format!(".person[data-interface=\"Local/{number}@acme-agents\"]")
}

/// Switches the board to the People view.
fn show_people(browser: &Browser) {
    browser.click("#view [value=people]");
    browser.wait_until("document.querySelector('#people').checkVisibility()");
}

/// Returns the selector of the button of a total, which filters the people.
fn total_selector(total: &str) -> String {
    format!(".total[data-state={total}]")
}

/// Returns the names of the shown people, in the order of the page.
fn shown_people(browser: &Browser) -> Vec<String> {
    let script = "return [...document.querySelectorAll('.person .name')]
        .map((name) => name.innerText)";
    let names = browser.run_script(script, &[]);
    let names = names.as_array().expect("an array").iter();
    names
        .map(|name| name.as_str().expect("a name").to_owned())
        .collect()
}

/// Waits until the button that pauses or resumes an agent accepts clicks: it ignores them before
/// the user's rights are known, during a change, and for a moment after its meaning has changed.
fn wait_until_settled(browser: &Browser, row: &str) {
    let allowed = "body[data-allows]:not([data-allows=\"\"])";
    let pause = format!("{allowed} {row}:not([aria-busy]) .pause:not([data-changed])");
    let pause = serde_json::json!(pause);
    browser.wait_until(&format!("document.querySelector({pause}) !== null"));
}

/// Clicks the button that pauses or resumes an agent.
fn click_pause(browser: &Browser, row: &str) {
    wait_until_settled(browser, row);
    browser.click(&format!("{row} .pause"));
}

/// Returns the selector of the button of the pause dialog that pauses with a listed reason.
fn reason_selector(reason: &str) -> String {
    format!("#dialog .reasons [value=\"{reason}\"]")
}

/// Opens the pause dialog of an agent's row, and clicks a reason in it.
fn pause_with(browser: &Browser, row: &str, reason: &str) {
    click_pause(browser, row);
    browser.click(&reason_selector(reason));
}

/// Stops the page's clocks, so that none of its time limits passes while a slow machine works.
fn stop_clocks(browser: &Browser) {
    let script = "const [date, time] = [Date.now(), performance.now()];
        window.advance = 0;
        Date.now = () => date + window.advance;
        performance.now = () => time + window.advance;";
    browser.run_script(script, &[]);
}

/// Sets the stopped clocks to this number of milliseconds after the moment when they stopped.
fn advance_clocks(browser: &Browser, milliseconds: u32) {
    browser.run_script(&format!("window.advance = {milliseconds}"), &[]);
}

/// Makes the page count its requests from now on.
fn count_requests(browser: &Browser) {
    let script = "const send = window.fetch;
        window.sent = [];
        window.fetch = (path, options) => {
            window.sent.push(new URLSearchParams(options?.body ?? '').get('action'));
            return send(path, options);
        };";
    browser.run_script(script, &[]);
}

/// Returns how many requests for an action the page has sent.
fn request_count(browser: &Browser, action: &str) -> u64 {
    let script = "return window.sent.filter((action) => action === arguments[0]).length";
    let count = browser.run_script(script, &[action]);
    count.as_u64().expect("a number")
}

/// Waits until the element's text equals `text`.
fn wait_for_text(browser: &Browser, selector: &str, text: &str) {
    let (selector, text) = (serde_json::json!(selector), serde_json::json!(text));
    browser.wait_until(&format!(
        "document.querySelector({selector})?.innerText.trim() === {text}"
    ));
}

/// Waits until the element's text matches a regular expression in JavaScript's syntax.
fn wait_for_match(browser: &Browser, selector: &str, pattern: &str) {
    let selector = serde_json::json!(selector);
    browser.wait_until(&format!(
        "/^{pattern}$/.test(document.querySelector({selector})?.innerText.trim())"
    ));
}

/// Returns the browser's log, without the HTTP errors that tests cause on purpose.
fn browser_errors(browser: &Browser) -> Vec<String> {
    let mut log = browser.take_log();
    log.retain(|line| !line.contains("the server responded with a status of"));
    log
}
