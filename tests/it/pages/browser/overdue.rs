//! Pauses over their limit are marked in the row, the total and the page's title.

use serde_json::{Value, json};

use super::{
    LIVE, browser_errors, open_board, person_selector, show_people, start_with_reasons,
    total_selector, wait_for_match, wait_for_text,
};
use crate::support::{SIMULATED, eventually};

const MARKED_TITLE: &str = "⚠ 1 over limit – Queues";

#[test]
fn row_total_and_title_mark_a_pause_from_the_moment_of_its_limit() {
    let (_asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001&queue=6001,6002&alias=Dana");
    let browser = open_board(&bridge);
    show_people(&browser);
    let dana = person_selector("1001");
    browser.wait_visible(&dana);
    assert_eq!(browser.run_script("return document.title", &[]), "Queues");
    // Records when the page has drawn each mark.
    let record_script = "const dana = arguments[0];
        window.marks = {};
        const mark = (name, holds) => { if (holds) window.marks[name] ??= Date.now(); };
        const record = () => {
            mark('row', document.querySelector(`${dana}.overdue .fact.overdue .warning`)?.checkVisibility());
            mark('total', document.querySelector('[data-total=overdue]').innerText === '1');
            mark('title', document.title.startsWith('⚠ 1 over limit'));
            requestAnimationFrame(record);
        };
        record();";
    browser.run_script(record_script, &[&dana]);
    // Other tests run at the same time, so the fastest attempt counts.
    eventually("the marks come within two seconds after the limit", || {
        bridge.acme_ok("action=unpause&agent=1001");
        browser.wait_until("document.title === 'Queues'");
        browser.run_script("window.marks = {}", &[]);
        bridge.acme_ok("action=pause&agent=1001&reason=Short%20break");
        let queue = bridge.acme_ok("action=showqueue&queue=6001")["queues"][0].take();
        let limit = queue["members"][0]["pause_limit_at"].as_str()?;
        browser.wait_until("Object.keys(window.marks).length === 3");
        let delays = browser.run_script(
            "return Object.values(window.marks).map((at) => at - Date.parse(arguments[0]))",
            &[limit],
        );
        println!("the marks come after the limit, ms: {delays}");
        let delays = delays.as_array().expect("delays").iter();
        let delays: Vec<f64> = delays.filter_map(Value::as_f64).collect();
        assert!(delays.iter().all(|delay| *delay >= 0.0), "{delays:?}");
        delays.iter().all(|delay| *delay < 2000.0).then_some(())
    });
    wait_for_text(&browser, &format!("{dana} .deadline"), "over 2 s");
    wait_for_match(&browser, &format!("{dana} .queues"), "in\\s+6001 6002");

    // After a reload, the marks are there from the beginning.
    browser.run_script("location.reload()", &[]);
    browser.wait_until(LIVE);
    browser.wait_visible(&format!("{dana}.overdue"));
    assert_eq!(
        browser.run_script("return document.title", &[]),
        MARKED_TITLE
    );
    assert_eq!(browser.text("[data-total=overdue]"), "1");
    // The search finds them too.
    browser.fill("#search", "over limit");
    wait_for_text(&browser, "#shown", "1 of 2 agents");
    browser.fill("#search", "");

    bridge.acme_ok("action=unpause&agent=1001&queue=6001");
    wait_for_match(
        &browser,
        &format!("{dana}.overdue .fact.overdue .queues"),
        "in\\s+6002",
    );
    bridge.acme_ok("action=unpause&agent=1001");
    wait_for_text(&browser, "[data-total=overdue]", "0");
    browser.wait_until("document.title === 'Queues'");
    browser.wait_until(&format!(
        "document.querySelector({}) === null",
        json!(format!("{dana}.overdue"))
    ));
    assert!(browser_errors(&browser).is_empty());
}

#[test]
fn overdue_pause_is_counted_among_the_paused_during_a_call() {
    let (asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001&queue=6001&alias=Dana&paused=1&reason=Short%20break");
    asterisk.cli("devstate change Local/1001@acme-agents INUSE");
    let browser = open_board(&bridge);
    wait_for_text(&browser, "[data-total=overdue]", "1");
    wait_for_text(&browser, "[data-total=paused]", "1");
    wait_for_text(&browser, "[data-total=in_call]", "1");
    let button = total_selector("paused");
    let text = browser.text(&button);
    assert!(text.contains("1") && text.contains("over limit"), "{text}");
    browser.click(&button);
    let pause = format!("{} .fact.overdue", person_selector("1001"));
    wait_for_text(&browser, &format!("{pause} .what"), "Paused Short break");
    wait_for_text(&browser, "[data-total=available]", "1");
}

/// The browser draws no frames of a page in the background.
#[test]
fn title_marks_a_pause_while_the_page_is_in_the_background() {
    let (_asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001&queue=6001&alias=Dana");
    let browser = open_board(&bridge);
    wait_for_text(&browser, "[data-total=available]", "2");
    let script = "window.requestAnimationFrame = () => 0;
        Object.defineProperty(document, 'hidden', {get: () => true});";
    browser.run_script(script, &[]);
    bridge.acme_ok("action=pause&agent=1001&reason=Short%20break");
    browser.wait_until(&format!("document.title === {}", json!(MARKED_TITLE)));
}

#[test]
fn title_stops_counting_while_the_link_is_lost() {
    let (mut asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001&queue=6001&alias=Dana&paused=1&reason=Short%20break");
    let browser = open_board(&bridge);
    browser.wait_until(&format!("document.title === {}", json!(MARKED_TITLE)));
    asterisk.kill();
    browser.wait_until("document.title === 'Not live – Queues'");
    asterisk.restart();
    browser.wait_until(LIVE);
    browser.wait_until("!document.title.startsWith('Not live')");
    drop(bridge);
    browser.wait_until("document.title === 'Not live – Queues'");
}
