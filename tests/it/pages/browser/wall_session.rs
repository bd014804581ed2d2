//! The wall screen without a keyboard: it logs in with a token, and recovers from everything.

use serde_json::json;

use super::wall::{
    LIVE_WALL, TOKEN, open_screen, open_wall, start_with_token, tile, token_section,
    wall_configuration,
};
use super::{open_board, submit_login, wait_for_match, wait_for_text};
use crate::support::{
    Asterisk, Bridge, Browser, ReservedPort, SIMULATED, configuration, eventually,
};

#[test]
fn token_stays_in_the_address_only() {
    let (_asterisk, bridge) = start_with_token(SIMULATED);
    let browser = open_wall(&bridge, "&late=90");
    for _ in 0..2 {
        let script = "return JSON.stringify([
            performance.getEntries().map((entry) => entry.name.split('#')[0]),
            document.documentElement.outerHTML, document.title, document.cookie,
            {...localStorage}, {...sessionStorage}])";
        let traces = browser.run_script(script, &[]);
        assert!(!traces.to_string().contains(TOKEN), "{traces}");
        // A screen without a keyboard starts again with the same address.
        let address = browser.run_script("return location.hash", &[]);
        assert_eq!(address, format!("#token={TOKEN}&late=90"));
        browser.run_script("location.reload()", &[]);
        browser.wait_until(LIVE_WALL);
    }
    let log = bridge.log();
    assert!(log.contains("token:wall"), "{log}");
    assert!(!log.contains(TOKEN), "{log}");
    assert!(!browser.take_log().iter().any(|line| line.contains(TOKEN)));
}

#[test]
fn refused_screen_says_why_and_returns_by_itself() {
    let (asterisk, bridge) = start_with_token(SIMULATED);
    let browser = open_wall(&bridge, "");
    browser.run_script(
        "window.isSamePage = true;
         const send = window.fetch;
         window.attempts = 0;
         window.fetch = (...request) => {
             if (request[0] === 'events') window.attempts += 1;
             return send(...request);
         };",
        &[],
    );
    let reload = bridge.reconfigure(&configuration(asterisk.port));
    assert_eq!(reload["message"], "configuration reloaded", "{reload}");
    wait_for_text(&browser, "#cover strong", "This screen has no access.");
    wait_for_text(
        &browser,
        "#cover .reason",
        "Its token is unknown, revoked or expired.",
    );
    let size =
        "return parseFloat(getComputedStyle(document.querySelector('#cover .reason')).fontSize)";
    assert!(browser.run_script(size, &[]).as_f64() >= Some(60.0));
    // The numbers disappear with the right to see them.
    browser.wait_until("document.querySelector('.tile') === null");
    // It tries again too slowly to be locked out.
    browser.wait_until("window.attempts >= 2");
    let reload = bridge.reconfigure(&wall_configuration(asterisk.port));
    assert_eq!(reload["message"], "configuration reloaded", "{reload}");
    browser.wait_until(LIVE_WALL);
    let attempts = browser.run_script("return window.attempts", &[]);
    assert!(attempts.as_u64() <= Some(4), "{attempts}");
    assert!(!bridge.log().contains("locked out"));
    assert_eq!(browser.run_script("return window.isSamePage", &[]), true);
}

#[test]
fn incomplete_token_in_the_address_is_said() {
    let (_asterisk, bridge) = start_with_token(SIMULATED);
    let browser = Browser::start();
    browser.open_page(bridge.address, "/wall#token=amib%20");
    wait_for_text(
        &browser,
        "#cover .reason",
        "The token in its address is incomplete.",
    );
    // Another address takes effect at once.
    open_screen(&browser, &bridge, "");
}

#[test]
fn stale_screen_says_since_when_and_returns_by_itself() {
    let mut asterisk = Asterisk::start(SIMULATED);
    let port = ReservedPort::reserve();
    let listen = format!("listen = \"{}\"", port.address);
    let configuration =
        wall_configuration(asterisk.port).replacen("listen = \"127.0.0.1:0\"", &listen, 1);
    let bridge = Bridge::start(&configuration);
    let browser = open_wall(&bridge, "");
    browser.run_script("window.isSamePage = true", &[]);
    let since = "The numbers are those of .*\\d:\\d\\d:\\d\\d.*";

    asterisk.kill();
    wait_for_text(
        &browser,
        "#cover strong",
        "The phone system is not connected.",
    );
    wait_for_match(&browser, "#cover .age", since);
    let covers = "const {left, top, right, bottom} = document.getElementById('cover').getBoundingClientRect();
        return left === 0 && top === 0 && right === innerWidth && bottom === innerHeight";
    assert_eq!(browser.run_script(covers, &[]), true);
    asterisk.restart();
    browser.wait_until(LIVE_WALL);

    bridge.stop();
    wait_for_text(&browser, "#cover strong", "Connection lost.");
    wait_for_match(&browser, "#cover .age", since);
    let bridge = Bridge::start(&configuration);
    browser.wait_until(LIVE_WALL);
    bridge.acme_ok("action=add&agent=1001&queue=6001&alias=Dana");
    wait_for_text(&browser, &format!("{} .free", tile("6001")), "1 free");
    assert_eq!(browser.run_script("return window.isSamePage", &[]), true);
}

/// Makes each page that the browser opens from now on count its loads, and believe that it has
/// another version than the bridge's.
fn age_pages(browser: &Browser) {
    let source = "addEventListener('DOMContentLoaded', () => {
        document.documentElement.dataset.version = 'old';
        localStorage.loads = Number(localStorage.loads ?? 0) + 1;
    });";
    browser.devtools(
        "Page.addScriptToEvaluateOnNewDocument",
        &json!({"source": source}),
    );
}

#[test]
fn upgraded_program_reloads_the_screen_once() {
    let (mut asterisk, bridge) = start_with_token(SIMULATED);
    let browser = Browser::start();
    age_pages(&browser);
    browser.open_page(bridge.address, &format!("/wall#token={TOKEN}"));
    browser.wait_until("localStorage.loads === '2'");
    browser.wait_until(LIVE_WALL);
    // The version is looked up after each connection.
    browser.run_script(
        "const send = window.fetch;
         window.lookUps = 0;
         window.fetch = async (...request) => {
             const response = await send(...request);
             if (request[0] === 'wall') window.lookUps += 1;
             return response;
         };",
        &[],
    );
    asterisk.kill();
    browser.wait_visible("#cover");
    asterisk.restart();
    browser.wait_until("window.lookUps >= 1");
    browser.wait_until(LIVE_WALL);
    assert_eq!(
        browser.run_script("return localStorage.loads", &[]),
        "2",
        "the same version never reloads the page twice"
    );
}

#[test]
fn login_of_the_board_continues_on_the_wall_screen_and_survives_an_upgrade() {
    let (_asterisk, bridge) = start_with_token(SIMULATED);
    let browser = open_board(&bridge);
    browser.click("#wall");
    browser.wait_until(LIVE_WALL);
    assert_eq!(browser.run_script("return location.pathname", &[]), "/wall");
    // A login that is not remembered also survives the reload by an upgrade.
    let browser = Browser::start();
    age_pages(&browser);
    browser.open_page(bridge.address, "/wall");
    browser.click("[name=remember]");
    submit_login(&browser, "acme@example.com", "wrong");
    browser.wait_visible("#login-error");
    submit_login(&browser, "acme@example.com", "acme-password");
    browser.wait_until("localStorage.loads === '2'");
    browser.wait_until(LIVE_WALL);
    // Without an upgrade, the user has to log in again.
    browser.run_script("location.reload()", &[]);
    browser.wait_visible("#login-form");
}

#[test]
fn clock_of_the_screen_is_the_bridges() {
    let (_asterisk, bridge) = start_with_token(SIMULATED);
    let browser = Browser::start();
    browser.set_clock_offset(600_000);
    open_screen(&browser, &bridge, "");
    // The page's own clock is ten minutes fast.
    let expected = eventually("the clock's minute", || {
        let script =
            "return new Date(Date.now() - 600000).toLocaleTimeString([], {timeStyle: 'short'})";
        let expected = browser.run_script(script, &[]);
        let expected = expected.as_str().expect("a time").to_owned();
        (browser.text("#clock") == expected).then_some(expected)
    });
    assert!(expected.contains(':'), "{expected}");
}

#[test]
fn user_with_hidden_members_causes_no_false_alarm() {
    let (asterisk, bridge) = start_with_token(SIMULATED);
    let limited = token_section().replace("name = ", "agents = [\"1001\"]\nname = ");
    let text = wall_configuration(asterisk.port).replace(&token_section(), &limited);
    bridge.reconfigure(&text);
    bridge.acme_ok("action=add&agent=1002&queue=6001&alias=Noa");
    let browser = open_wall(&bridge, "");
    wait_for_match(&browser, &format!("{} .free", tile("6001")), "(–|1) free");
    bridge.acme_ok("action=pause&agent=1002&queue=6001&reason=Lunch");
    asterisk.add_caller("acme-6001");
    // The bridge's figures count the members that the page does not see.
    browser.wait_visible(&format!("{}.nobody_free", tile("6001")));
    wait_for_text(&browser, &format!("{} .paused", tile("6001")), "1 paused");
}
