//! Screenshots for the documentation, of the demo's pages. The test writes them to the folder in
//! `AMI_BRIDGE_PICTURES`, such as `docs/pages`. If the variable is unset, the test discards
//! them.

use std::path::Path;

use super::agent_page::tap;
use super::demo::open_demo_page;
use super::hands::ESCAPE;
use super::today::show_today;
use super::wait_for_match;
use crate::support::{Browser, Demo};

/// Takes a screenshot, and writes it if `AMI_BRIDGE_PICTURES` names a folder.
fn take_screenshot(browser: &Browser, name: &str) {
    let screenshot = browser.screenshot();
    assert!(screenshot.starts_with(b"\x89PNG"), "{name}");
    if let Some(folder) = std::env::var_os("AMI_BRIDGE_PICTURES") {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        std::fs::create_dir_all(&folder).expect("the folder");
        std::fs::write(folder.join(name), screenshot).expect("a writable file");
    }
}

/// Waits until the agent's page shows the state. A call can take a minute, which is longer than
/// other waits.
fn wait_for_state(browser: &Browser, state: &str) {
    let script = format!(
        "const done = arguments[arguments.length - 1];
        const start = performance.now();
        const check = () => {{
            const isShown = document.getElementById('state').innerText === '{state}';
            if (isShown || performance.now() - start > 20_000) done(isShown);
            else setTimeout(check, 20);
        }};
        check();"
    );
    let is_shown = (0..5).any(|_| browser.run_async_script(&script) == true);
    assert!(is_shown, "{state}");
}

#[test]
fn pictures_of_the_board_can_be_taken() {
    let demo = Demo::start();
    let browser = open_demo_page(&demo, &demo.pages[0]);
    browser.set_screen_size(1440, 900);
    browser.click("#view label:has([value=people])");
    // Both overdue breaks of the demo.
    browser.wait_until("document.querySelectorAll('.person.overdue').length >= 2");
    take_screenshot(&browser, "board.png");
    browser.set_color_scheme("dark");
    take_screenshot(&browser, "board-dark.png");
    browser.set_color_scheme("light");
    browser.click(".person:not(.overdue) .pause[data-action=pause]");
    browser.wait_until("document.getElementById('dialog').open");
    take_screenshot(&browser, "pause.png");
    browser.press(ESCAPE);
    browser.wait_until("!document.getElementById('dialog').open");
    browser.set_screen_size(390, 844);
    browser.run_script("document.activeElement.blur(); scrollTo(0, 0)", &[]);
    take_screenshot(&browser, "board-phone.png");
    browser.set_screen_size(1440, 900);
    browser.click("#view label:has([value=queues])");
    browser.wait_visible(".caller");
    browser.run_script("document.activeElement.blur(); scrollTo(0, 0)", &[]);
    take_screenshot(&browser, "queues.png");
    show_today(&browser);
    browser.wait_until("document.querySelectorAll('#report-table tbody tr').length >= 29");
    take_screenshot(&browser, "today.png");
}

#[test]
fn pictures_of_the_agents_page_can_be_taken() {
    let demo = Demo::start();
    let browser = open_demo_page(&demo, &demo.pages[1]);
    browser.set_screen_size(390, 844);
    demo.get("action=pause&agent=1001&reason=Lunch");
    // The agent may be in a call at first.
    wait_for_state(&browser, "Paused");
    wait_for_match(&browser, "#timer", ".*\\d:[0-5]\\d of 30:00");
    take_screenshot(&browser, "agent-paused.png");
    tap(&browser, "#resume");
    wait_for_state(&browser, "Available");
    take_screenshot(&browser, "agent.png");
    demo.get("action=pause&agent=1001&queue=Sales&reason=Back%20office");
    browser.wait_visible("#partly");
    browser.set_color_scheme("dark");
    wait_for_state(&browser, "Available");
    take_screenshot(&browser, "agent-dark.png");
}

#[test]
fn pictures_of_the_wall_can_be_taken() {
    let demo = Demo::start();
    let browser = open_demo_page(&demo, &demo.pages[2]);
    browser.set_screen_size(1920, 1080);
    // Callers rush in during the first seconds.
    browser.wait_visible(".tile.nobody_free");
    take_screenshot(&browser, "wall.png");
}
