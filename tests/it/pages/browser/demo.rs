//! The pages of the demo, opened as its output says.

use super::{LIVE, browser_errors, submit_login, wait_for_text};
use crate::support::{Browser, Demo, DemoPage};

/// Opens a page of the demo, logs in if the demo says so, and waits until the page is live.
pub(super) fn open_demo_page(demo: &Demo, DemoPage { path, login }: &DemoPage) -> Browser {
    let browser = Browser::start();
    browser.open_page(demo.address, path);
    if let Some((username, password)) = login {
        browser.wait_visible("#login-form");
        submit_login(&browser, username, password);
        browser.wait_until(LIVE);
    } else {
        browser.wait_until("document.getElementById('cover').hidden");
    }
    browser
}

#[test]
fn demo_pages_open_with_the_printed_logins() {
    let demo = Demo::start();
    let [board, agent, wall] = &demo.pages[..] else {
        panic!("{:?}", demo.pages);
    };
    let browser = open_demo_page(&demo, board);
    browser.wait_until("document.querySelectorAll('.card[data-queue]').length === 10");
    assert!(browser_errors(&browser).is_empty());
    let browser = open_demo_page(&demo, agent);
    wait_for_text(&browser, "#name", "Dana Levi");
    browser.wait_visible("#reasons [data-reason=הפסקה]");
    assert!(browser_errors(&browser).is_empty());
    let browser = open_demo_page(&demo, wall);
    browser.wait_until("document.querySelectorAll('.tile[data-queue]').length === 10");
    assert!(browser_errors(&browser).is_empty());
}
