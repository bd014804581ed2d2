//! The agent's page on small screens, and for fingers.

use serde_json::{Value, json};

use super::agent_page::{
    DANA, log_in_agent, open_agent_page, reason_button, start_with_agents, tap,
};
use super::hands::ESCAPE;
use super::wait_for_text;
use crate::support::{Browser, SIMULATED, request};

const SCREENS: [(u32, u32); 2] = [(390, 844), (320, 568)];

/// Asserts that these elements are on the screen without scrolling, and that the page does not
/// scroll sideways.
fn assert_on_screen(browser: &Browser, selectors: &[&str]) {
    for selector in selectors {
        browser.wait_visible(selector);
        let script = "const {top, left, bottom, right} =
                document.querySelector(arguments[0]).getBoundingClientRect();
            return top >= 0 && left >= 0 && bottom <= innerHeight && right <= innerWidth
                && scrollY === 0 ? null : [top, left, bottom, right, innerWidth, innerHeight];";
        assert_eq!(
            browser.run_script(script, &[selector]),
            Value::Null,
            "{selector}"
        );
    }
    assert_no_sideways_scroll(browser);
}

/// On a phone, `innerWidth` grows with content that is too wide.
fn assert_no_sideways_scroll(browser: &Browser) {
    let script = "const {scrollWidth, clientWidth} = document.documentElement;
        return [scrollWidth <= clientWidth, scrollWidth, clientWidth]";
    let found = browser.run_script(script, &[]);
    assert_eq!(found[0], true, "{found}");
}

#[test]
fn long_name_and_reason_do_not_widen_the_page() {
    let (_asterisk, bridge) = start_with_agents(SIMULATED);
    let (name, reason) = ("W".repeat(79), "R".repeat(79));
    bridge.acme_ok("action=remove&agent=1001&queue=*");
    bridge.acme_ok(&format!(
        "action=add&agent=1001&queue=6001,6002&alias={name}"
    ));
    bridge.acme_ok(&format!(
        "action=pause&agent=1001&queue=6001&reason={reason}"
    ));
    let browser = open_agent_page(&bridge, DANA);
    for (width, height) in SCREENS {
        browser.set_screen_size(width, height);
        wait_for_text(&browser, "#name", &name);
        browser.wait_visible("#partly");
        assert_no_sideways_scroll(&browser);
    }
    bridge.acme_ok(&format!("action=pause&agent=1001&reason={reason}"));
    wait_for_text(&browser, "#reason", &reason);
    assert_no_sideways_scroll(&browser);
}

/// Asserts that all controls are at least 48 px wide and high and 8 px apart, and that inputs have
/// a font of at least 16 px.
fn assert_fits_fingers(browser: &Browser, root: &str) {
    let script = "const root = document.querySelector(arguments[0]);
        const problems = [];
        const controls = [...root.querySelectorAll('a, button, input')]
            .filter((element) => element.checkVisibility());
        // A label belongs to its checkbox.
        const targets = controls.map((element) => element.closest('label.check') ?? element);
        const name = (element) => element.outerHTML.slice(0, 60);
        for (const [index, element] of targets.entries()) {
            const a = element.getBoundingClientRect();
            if (a.width < 48 || a.height < 48) problems.push(['small', name(element), a.width, a.height]);
            for (const other of targets.slice(index + 1)) {
                const b = other.getBoundingClientRect();
                const gap = Math.max(a.left - b.right, b.left - a.right, a.top - b.bottom, b.top - a.bottom);
                if (gap < 7.99) problems.push(['close', name(element), name(other), gap]);
            }
        }
        for (const input of controls.filter((element) => element.matches('input'))) {
            const size = parseFloat(getComputedStyle(input).fontSize);
            if (size < 16) problems.push(['font', name(input), size]);
        }
        return [controls.length > 0, problems];";
    let found = browser.run_script(script, &[root]);
    assert_eq!(found, json!([true, []]), "{root}");
}

#[test]
fn everything_that_an_agent_needs_is_on_a_phones_screen() {
    let (_asterisk, bridge) = start_with_agents(SIMULATED);
    let browser = Browser::start();
    for (width, height) in SCREENS {
        browser.set_screen_size(width, height);
        browser.open_page(bridge.address, "/agent");
        browser.wait_visible("#login-form");
        assert_fits_fingers(&browser, "#login");
        log_in_agent(&browser, &bridge, DANA);
        let controls = ["#own", "#pause", "#reasons", "#reasons button:last-child"];
        browser.wait_visible(&reason_button("Coffee"));
        assert_on_screen(&browser, &controls);
        assert_fits_fingers(&browser, "#app");
        tap(&browser, "#other");
        browser.wait_until("document.getElementById('dialog').open");
        assert_fits_fingers(&browser, "#dialog");
        browser.press(ESCAPE);
        browser.wait_until("!document.getElementById('dialog').open");
        bridge.acme_ok("action=pause&agent=1001&queue=6001&reason=Training");
        browser.wait_visible("#partly");
        assert_on_screen(&browser, &controls);
        assert_on_screen(&browser, &["#partly"]);
        assert_fits_fingers(&browser, "#app");
        tap(&browser, &reason_button("Lunch"));
        assert_on_screen(&browser, &["#own", "#reason", "#resume"]);
        assert_fits_fingers(&browser, "#app");
        tap(&browser, "#resume");
        wait_for_text(&browser, "#state", "Available");
        browser.click("#logout");
        browser.wait_visible("#login-form");
    }
}

/// Returns the height of each element in CSS pixels.
fn heights(browser: &Browser, selector: &str) -> Vec<f64> {
    let script = "return [...document.querySelectorAll(arguments[0])]
        .map((element) => element.getBoundingClientRect().height)";
    let heights = browser.run_script(script, &[selector]);
    let heights = heights.as_array().expect("an array").iter();
    heights
        .map(|height| height.as_f64().expect("a number"))
        .collect()
}

#[test]
fn main_buttons_are_large() {
    let (_asterisk, bridge) = start_with_agents(SIMULATED);
    let browser = open_agent_page(&bridge, DANA);
    for (width, height) in SCREENS {
        browser.set_screen_size(width, height);
        browser.wait_visible(&reason_button("Coffee"));
        assert!(heights(&browser, "#pause")[0] >= 88.0);
        let reasons = heights(&browser, "#reasons button");
        assert!(
            reasons.len() == 5 && reasons.iter().all(|height| *height >= 56.0),
            "{reasons:?}"
        );
        tap(&browser, &reason_button("Training"));
        browser.wait_visible("#resume");
        assert!(heights(&browser, "#resume")[0] >= 88.0);
        tap(&browser, "#resume");
    }
}

#[test]
fn long_and_right_to_left_names_move_nothing() {
    let (_asterisk, bridge) = start_with_agents(SIMULATED);
    let browser = open_agent_page(&bridge, DANA);
    browser.set_screen_size(320, 568);
    browser.wait_visible(&reason_button("Coffee"));
    let position = "const {left, top} = document.getElementById('pause').getBoundingClientRect();
        const number = document.getElementById('name').getBoundingClientRect().left;
        return [left, top, number, getComputedStyle(document.getElementById('app')).direction]";
    let before = browser.run_script(position, &[]);
    bridge.acme_ok("action=remove&agent=1001&queue=6001,6002");
    let alias = "%D7%93%D7%A0%D7%94%20%D7%9C%D7%95%D7%99%20".repeat(3);
    let alias = alias.trim_end_matches("%20");
    bridge.acme_ok(&format!(
        "action=add&agent=1001&queue=6001,6002&alias={alias}"
    ));
    browser.wait_until("document.getElementById('name').innerText.startsWith('דנה')");
    browser.wait_visible("#pause");
    assert_eq!(browser.run_script(position, &[]), before);
    assert_on_screen(&browser, &["#own", "#reasons"]);
}

#[test]
fn page_can_be_installed() {
    let (_asterisk, bridge) = start_with_agents(SIMULATED);
    let browser = open_agent_page(&bridge, DANA);
    let manifest = request(
        bridge.address,
        "GET",
        "/panel/agent/agent.webmanifest",
        &[],
        b"",
    );
    assert_eq!(
        manifest.header("Content-Type"),
        Some("application/manifest+json; charset=utf-8")
    );
    let read = browser.devtools("Page.getAppManifest", &json!({}));
    assert_eq!(read["errors"], json!([]), "{read}");
    let start = read["manifest"]["startUrl"].as_str();
    assert_eq!(
        start,
        Some(&*format!("http://{}/agent", bridge.address)),
        "{read}"
    );
    let errors = browser.devtools("Page.getInstallabilityErrors", &json!({}));
    assert_eq!(errors["installabilityErrors"], json!([]));
}
