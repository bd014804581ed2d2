//! The agent's own page, used as an agent would use it.

use serde_json::{Value, json};

use super::{
    LIVE, REASONS, browser_errors, count_requests, request_count, submit_login, wait_for_match,
    wait_for_text,
};
use crate::support::{
    ACME, Asterisk, Bridge, Browser, SIMULATED, User, configuration, on_every_pbx, with_acme_keys,
};

on_every_pbx!(
    agent_pauses_and_resumes_with_one_request_however_often_the_agent_taps,
    page_counts_down_the_wrap_up_time,
);

/// Limited to agent 1001.
pub(super) const DANA: User = User {
    username: "dana",
    password: "dana-password",
};

/// Limited to agent 1001, but sees the other agents on the board.
const LEADER: User = User {
    username: "leader",
    password: "leader-password",
};

const MORE: &str = r#"
[[organization.acme.reason]]
name = "Coffee"
limit = "75s"

[[organization.acme.user]]
username = "dana"
password = "dana-password"
agents = ["1001"]

[[organization.acme.user]]
username = "leader"
password = "leader-password"
agents = ["1001"]
sees_colleagues = true
"#;

/// Returns a configuration with four reasons, and with the users [`DANA`] and [`LEADER`].
pub(super) fn agent_configuration(ami_port: u16) -> String {
    configuration(ami_port) + REASONS + MORE
}

/// Starts a PBX and a bridge. Agents 1001 and 1002 are in both of acme's queues.
pub(super) fn start_with_agents(version: u32) -> (Asterisk, Bridge) {
    let asterisk = Asterisk::start(version);
    let bridge = Bridge::start(&agent_configuration(asterisk.port));
    for agent in ["1001&alias=Dana", "1002&alias=Noa"] {
        bridge.acme_ok(&format!("action=add&queue=6001,6002&agent={agent}"));
    }
    (asterisk, bridge)
}

/// Opens the agent's page on a phone, logs in, and waits until the page is live.
pub(super) fn open_agent_page(bridge: &Bridge, user: User) -> Browser {
    let browser = Browser::start();
    browser.set_screen_size(390, 844);
    log_in_agent(&browser, bridge, user);
    browser
}

/// Logs in on the agent's page, and waits until the page is live.
pub(super) fn log_in_agent(browser: &Browser, bridge: &Bridge, user: User) {
    browser.open_page(bridge.address, "/agent");
    submit_login(browser, &user.username.replace("%40", "@"), user.password);
    browser.wait_until(LIVE);
}

/// Returns the selector of a reason's button.
pub(super) fn reason_button(reason: &str) -> String {
    format!("#reasons [data-reason=\"{reason}\"]")
}

/// Waits until the controls accept taps.
pub(super) fn wait_until_settled(browser: &Browser) {
    browser.wait_until(
        "document.querySelector('#controls:not([aria-busy], [data-changed])') !== null",
    );
}

/// Taps a control of the page.
pub(super) fn tap(browser: &Browser, selector: &str) {
    browser.wait_visible(selector);
    wait_until_settled(browser);
    browser.click(selector);
}

/// Returns the agent's memberships as the bridge reports them.
fn own_queues(bridge: &Bridge) -> Value {
    bridge.acme_ok("action=showstate&agent=1001")["queues"].take()
}

/// Taps an element five times while the PBX does not answer, the last time in a later task of
/// the browser.
fn tap_five_times((asterisk, browser): (&Asterisk, &Browser), selector: &str) {
    browser.wait_visible(selector);
    wait_until_settled(browser);
    asterisk.freeze();
    let script = "const element = document.querySelector(arguments[0]);
        for (let count = 0; count < 4; count += 1) element.click();";
    browser.run_script(script, &[selector]);
    browser.run_script("document.querySelector(arguments[0])?.click()", &[selector]);
    asterisk.resume();
}

fn agent_pauses_and_resumes_with_one_request_however_often_the_agent_taps(version: u32) {
    let (asterisk, bridge) = start_with_agents(version);
    let browser = open_agent_page(&bridge, DANA);
    wait_for_text(&browser, "#state", "Available");
    count_requests(&browser);
    tap_five_times((&asterisk, &browser), &reason_button("Lunch"));
    wait_for_text(&browser, "#state", "Paused");
    wait_for_text(&browser, "#reason", "Lunch");
    wait_for_match(&browser, "#timer", "0:\\d\\d of 45:00");
    wait_for_match(&browser, "#deadline", "ends at .*\\d:\\d\\d.*");
    let queues = own_queues(&bridge);
    for queue in queues.as_array().expect("two queues") {
        assert_eq!(queue["paused_reason"], "Lunch", "{queues}");
    }
    assert_eq!(request_count(&browser, "pause"), 1);
    tap_five_times((&asterisk, &browser), "#resume");
    wait_for_text(&browser, "#state", "Available");
    wait_until_settled(&browser);
    assert_eq!(request_count(&browser, "unpause"), 1);
    assert_eq!(browser.text("#news"), "");
    assert!(browser_errors(&browser).is_empty());
}

fn page_counts_down_the_wrap_up_time(version: u32) {
    let asterisk = Asterisk::start(version);
    let text = with_acme_keys(&agent_configuration(asterisk.port), "wrapup = \"9s\"");
    let bridge = Bridge::start(&text);
    bridge.acme_ok("action=add&agent=1001&queue=6001&alias=Dana");
    let browser = open_agent_page(&bridge, DANA);
    wait_for_text(&browser, "#state", "Available");
    asterisk.answer_call("acme-6001", "Local/1001@acme-agents");
    wait_for_text(&browser, "#state", "In call");
    wait_for_match(&browser, "#timer", "0:\\d\\d");
    asterisk.cli("channel request hangup all");
    wait_for_text(&browser, "#state", "Wrap-up");
    wait_for_match(&browser, "#timer", "0:0[1-9] left");
    wait_for_text(&browser, "#state", "Available");
}

#[test]
fn login_leads_to_the_page_that_the_user_needs() {
    let (_asterisk, bridge) = start_with_agents(SIMULATED);
    let browser = Browser::start();
    browser.open(bridge.address);
    submit_login(&browser, DANA.username, DANA.password);
    browser.wait_until("location.pathname === '/agent'");
    browser.wait_until(LIVE);
    wait_for_text(&browser, "#name", "Dana");
    // The board stays reachable, and the login counts there too.
    browser.click("footer a");
    browser.wait_until("location.pathname === '/'");
    browser.wait_until(LIVE);

    let other = Browser::start();
    other.open_page(bridge.address, "/agent");
    submit_login(&other, &ACME.username.replace("%40", "@"), "wrong");
    wait_for_text(&other, "#login-error", "Wrong user name or password.");
    submit_login(&other, &ACME.username.replace("%40", "@"), ACME.password);
    other.wait_visible("#not-agent");
    let message = other.text("#not-agent");
    assert!(
        message.contains("acme@example.com has no agent"),
        "{message}"
    );
    other.click("#not-agent a");
    other.wait_until("location.pathname === '/'");
    other.wait_until(LIVE);
    other.wait_visible(".card");
}

/// A login that is not to be remembered reaches the agent's page, and is then forgotten.
#[test]
fn login_is_not_stored_unless_the_user_wants_it() {
    let (_asterisk, bridge) = start_with_agents(SIMULATED);
    let browser = Browser::start();
    browser.open(bridge.address);
    browser.click("[name=remember]");
    submit_login(&browser, DANA.username, DANA.password);
    browser.wait_until("location.pathname === '/agent'");
    browser.wait_until(LIVE);
    let stored = browser.run_script("return JSON.stringify({...sessionStorage})", &[]);
    assert_eq!(stored, "{}");
    browser.run_script("location.reload()", &[]);
    browser.wait_visible("#login-form");
    submit_login(&browser, DANA.username, DANA.password);
    browser.wait_until(LIVE);
    // The board does not ask for the login again, which would lead back to this page.
    browser.click("footer a");
    browser.wait_until("location.pathname === '/'");
    browser.wait_until(LIVE);
}

#[test]
fn board_has_no_controls_for_colleagues_whom_the_user_may_only_see() {
    let (_asterisk, bridge) = start_with_agents(SIMULATED);
    let browser = Browser::start();
    browser.open(bridge.address);
    submit_login(&browser, LEADER.username, LEADER.password);
    browser.wait_until("location.pathname === '/agent'");
    browser.wait_until(LIVE);
    browser.click("footer a");
    browser.wait_until("location.pathname === '/'");
    for (view, row) in [("queues", "agent"), ("people", "person")] {
        browser.run_script(
            "document.querySelector(arguments[0]).click()",
            &[&format!("#view [value={view}]")],
        );
        browser.wait_visible(&format!(".{row}[data-agent=\"1001\"] .pause"));
        let script = "return [...document.querySelectorAll(arguments[0])].slice(-2).map((row) => [
            row.querySelector('.number').textContent,
            [...row.querySelectorAll('button, input')].some((control) => control.checkVisibility())])";
        let shown = browser.run_script(
            script,
            &[&format!(".card:first-child .{row}, .people .{row}")],
        );
        assert_eq!(shown, json!([["1001", true], ["1002", false]]), "{view}");
    }
}

#[test]
fn page_shows_no_other_agent() {
    let (asterisk, bridge) = start_with_agents(SIMULATED);
    bridge.acme_ok("action=pause&agent=1001");
    bridge.acme_ok("action=pause&agent=1002&reason=Training");
    asterisk.add_caller("acme-6001");
    for user in [DANA, LEADER] {
        let browser = open_agent_page(&bridge, user);
        wait_for_text(&browser, "#name", "Dana");
        wait_for_text(&browser, "#queues .waiting", "1 waiting");
        wait_for_match(&browser, "#queues time", "\\d:\\d\\d");
        let html = browser.run_script("return document.documentElement.outerHTML", &[]);
        let html = html.as_str().expect("HTML");
        assert!(!html.contains("Noa") && !html.contains("1002"), "{html}");
    }
}

#[test]
fn page_names_the_queues_of_a_partial_pause_and_keeps_its_reason() {
    let (_asterisk, bridge) = start_with_agents(SIMULATED);
    bridge.acme_ok("action=pause&agent=1001&queue=6001&reason=Training");
    let browser = open_agent_page(&bridge, DANA);
    wait_for_text(
        &browser,
        "#partly span",
        "Paused in 6001 (\u{2068}Training\u{2069}) only.",
    );
    wait_for_text(&browser, "#state", "Available");
    tap(&browser, &reason_button("Lunch"));
    wait_for_text(&browser, "#state", "Paused");
    let queues = own_queues(&bridge);
    assert_eq!(queues[0]["paused_reason"], "Training", "{queues}");
    assert_eq!(queues[1]["paused_reason"], "Lunch", "{queues}");
    bridge.acme_ok("action=unpause&agent=1001&queue=6002");
    browser.wait_visible("#partly");
    tap(&browser, "#resume-partly");
    browser.wait_until("!document.getElementById('partly').checkVisibility()");
    wait_for_text(&browser, "#state", "Available");
}

#[test]
fn agent_is_back_after_a_missed_call_with_one_tap() {
    let (_asterisk, bridge) = start_with_agents(SIMULATED);
    bridge.acme_ok("action=pause&agent=1001&queue=6002&reason=Lunch");
    let browser = open_agent_page(&bridge, DANA);
    browser.wait_visible("#partly");
    // Asterisk gives this reason to an agent who has missed a call.
    bridge.acme_ok("action=pause&agent=1001&queue=6001&reason=Auto-Pause");
    let news = "The phone system has paused you after a missed call.";
    wait_for_text(&browser, "#news", news);
    wait_for_text(&browser, "#resume", "I’m back");
    tap(&browser, "#resume");
    wait_for_text(&browser, "#state", "Available");
    let queues = own_queues(&bridge);
    assert_eq!(queues[0]["paused"], false, "{queues}");
    assert_eq!(
        queues[1]["paused_reason"], "Lunch",
        "the agent's own pause stays"
    );
}

#[test]
fn agent_can_give_another_reason_and_a_duration() {
    let (_asterisk, bridge) = start_with_agents(SIMULATED);
    let browser = open_agent_page(&bridge, DANA);
    tap(&browser, "#other");
    browser.fill("#dialog [name=other]", "Doctor");
    browser.fill("#dialog [name=minutes]", "5");
    browser.click("#dialog .primary");
    wait_for_text(&browser, "#reason", "Doctor");
    wait_for_match(&browser, "#timer", "0:0\\d of 5:00");
    browser.wait_until("!document.getElementById('dialog').open");
}

#[test]
fn page_offers_only_allowed_changes_and_reasons() {
    let asterisk = Asterisk::start(SIMULATED);
    let text = agent_configuration(asterisk.port).replacen(
        "username = \"dana\"\n",
        "username = \"dana\"\nactions = [\"events\", \"pause\", \"showreasons\"]\n",
        1,
    );
    let keys = "other_reasons = false\nreason_required = true";
    let bridge = Bridge::start(&with_acme_keys(&text, keys));
    bridge.acme_ok("action=add&agent=1001&queue=6001&alias=Dana");
    let browser = open_agent_page(&bridge, DANA);
    browser.wait_visible(&reason_button("Coffee"));
    let labels = "return [...document.querySelectorAll('#controls button')]
        .filter((button) => button.checkVisibility()).map((button) => button.innerText)";
    let expected = json!([
        "Lunch\nup to 45 min",
        "Training",
        "Short break\nup to 2 s",
        "Coffee\nup to 75 s"
    ]);
    assert_eq!(browser.run_script(labels, &[]), expected);
    tap(&browser, &reason_button("Training"));
    wait_for_text(&browser, "#state", "Paused");
    assert_eq!(browser.run_script(labels, &[]), json!([]));
}
