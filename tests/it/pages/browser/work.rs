//! Changes made on the page reach the PBX, and changes on the PBX appear on the page.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::hands::ESCAPE;
use super::{
    agent_selector, browser_errors, click_pause, log_in, open_board, pause_with,
    start_with_reasons, wait_for_text,
};
use crate::support::{Asterisk, Browser, eventually, on_both_versions, start};

on_both_versions!(
    page_shows_external_pauses_immediately,
    changes_on_the_page_reach_the_pbx,
    page_explains_errors,
    markup_in_names_is_shown_as_text,
);

fn page_shows_external_pauses_immediately(version: u32) {
    let (_asterisk, bridge) = start(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001&alias=Dana");
    let browser = open_board(&bridge);
    let dana = agent_selector("6001", "1001");
    wait_for_text(&browser, &format!("{dana} .state"), "Available");
    let mut times = Vec::new();
    for round in 0..10 {
        let (action, state) = match round % 2 {
            0 => ("pause&reason=Lunch", "paused"),
            _ => ("unpause", "available"),
        };
        // The script records when the page has drawn the change.
        let watch_script = "const [selector, state] = arguments; window.seenAt = null;
            const row = document.querySelector(selector);
            new MutationObserver((_, observer) => {
                if (row.dataset.state !== state) return;
                observer.disconnect();
                requestAnimationFrame(() => { window.seenAt = Date.now(); });
            }).observe(row, {attributes: true});";
        browser.run_script(watch_script, &[&dana, state]);
        let sent_at = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("a time");
        bridge.acme_ok(&format!("action={action}&agent=1001&queue=6001"));
        let drawn_at = browser.wait_until("window.seenAt");
        times.push(drawn_at.as_f64().expect("a time") - sent_at.as_secs_f64() * 1000.0);
    }
    println!("Asterisk {version}: from the request to the drawn page, ms: {times:.0?}");
    // The page learns of the change from the event stream. Polling would be slower. Other tests run
    // at the same time, so the median counts.
    times.sort_by(f64::total_cmp);
    assert!(times[times.len() / 2] < 2000.0, "{times:?}");
    assert!(browser_errors(&browser).is_empty());
}

fn find_member(
    asterisk: &Asterisk,
    queue: &str,
    number: &str,
) -> Option<crate::support::AmiMessage> {
    let interface = format!("Local/{number}@acme-agents");
    asterisk.ami().member(queue, &interface)
}

fn changes_on_the_page_reach_the_pbx(version: u32) {
    let (asterisk, bridge) = start_with_reasons(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001,6002&alias=Dana");
    let browser = open_board(&bridge);
    let (first, second) = (
        agent_selector("6001", "1001"),
        agent_selector("6002", "1001"),
    );

    // A pause in every queue, with a listed reason.
    pause_with(&browser, &first, "Training");
    wait_for_text(&browser, &format!("{first} .reason"), "Training");
    wait_for_text(&browser, &format!("{second} .state"), "Paused");
    for queue in ["acme-6001", "acme-6002"] {
        let row = find_member(&asterisk, queue, "1001").expect("a member");
        assert_eq!((&*row["Paused"], &*row["PausedReason"]), ("1", "Training"));
    }
    wait_for_text(
        &browser,
        ".toast span:first-child",
        "Dana is paused in 2 queues: Training.",
    );

    // An unpause in one queue only.
    click_pause(&browser, &second);
    browser.click("#dialog [name=scope][value=one]");
    wait_for_text(&browser, &format!("{second} .state"), "Available");
    let row = find_member(&asterisk, "acme-6002", "1001").expect("a member");
    assert_eq!(row["Paused"], "0");
    let row = find_member(&asterisk, "acme-6001", "1001").expect("a member");
    assert_eq!(row["Paused"], "1");

    // A pause with another reason.
    click_pause(&browser, &second);
    browser.fill("#dialog [name=other]", "הפסקת צהריים");
    browser.click("#dialog input[value=one]");
    browser.click("#dialog .primary");
    wait_for_text(&browser, &format!("{second} .reason"), "הפסקת צהריים");
    let row = find_member(&asterisk, "acme-6002", "1001").expect("a member");
    assert_eq!(row["PausedReason"], "הפסקת צהריים");

    // Another agent is added and removed.
    browser.click(".card[data-queue=\"6001\"] .add");
    browser.fill("#dialog [name=agent]", "1002");
    browser.fill("#dialog [name=alias]", "Noa");
    browser.click("#dialog .primary");
    let noa = agent_selector("6001", "1002");
    wait_for_text(&browser, &format!("{noa} .who .name"), "Noa");
    let row = find_member(&asterisk, "acme-6001", "1002").expect("a member");
    assert_eq!(row["Name"], "Noa");
    browser.click(&format!("{noa} .remove"));
    browser.click("#dialog .scope");
    browser.wait_until(&format!("document.querySelector({}) === null", json!(noa)));
    assert!(find_member(&asterisk, "acme-6001", "1002").is_none());

    // A caller's waiting time advances without events.
    asterisk.add_caller("acme-6002");
    let caller = ".card[data-queue=\"6002\"] .caller";
    wait_for_text(&browser, &format!("{caller} .number"), "0501234567");
    let time = format!("{caller} time");
    let before = browser.text(&time);
    eventually("the waiting time advances", || {
        (browser.text(&time) != before).then_some(())
    });
    assert!(browser_errors(&browser).is_empty());
}

fn page_explains_errors(version: u32) {
    let (_asterisk, bridge) = start(version);
    let browser = Browser::start();
    log_in(&browser, &bridge, "wrong");
    let wrong = "Wrong user name or password.";
    wait_for_text(&browser, "#login-error", wrong);
    log_in(&browser, &bridge, "acme-password");
    browser.wait_until(super::LIVE);
    for (number, queue, expected) in [
        (
            "1050",
            "6002",
            "Agent 1050 is already a member of queue 6002.",
        ),
        ("1001", "nowhere", "There is no queue nowhere."),
        ("7777", "6001", "7777"),
    ] {
        browser.click("#add");
        browser.fill("#dialog [name=agent]", number);
        browser.fill("#dialog [name=queue]", queue);
        browser.click("#dialog .primary");
        browser.wait_visible("#dialog .error");
        let text = browser.text("#dialog .error");
        assert!(text.contains(expected), "{text}");
        browser.press(ESCAPE);
        browser.wait_until("!document.getElementById('dialog').open");
    }
    // Before it sends a request, the page rejects a name that Asterisk can't store.
    browser.click("#add");
    browser.fill("#dialog [name=agent]", "1001");
    browser.fill("#dialog [name=queue]", "6001");
    browser.fill("#dialog [name=alias]", "a;b");
    browser.click("#dialog .primary");
    browser.wait_until("document.querySelector('#dialog [name=alias]').validationMessage !== ''");
    assert_eq!(
        bridge.acme_ok("action=showqueue&queue=6001")["queues"][0]["members"],
        json!([])
    );
    // A static member has no remove button, because Asterisk can't remove static members.
    let remove = json!(format!("{} .remove", agent_selector("6002", "1050")));
    let hidden = browser.run_script(
        &format!("return document.querySelector({remove}).hidden"),
        &[],
    );
    assert_eq!(hidden, true);
    assert!(browser_errors(&browser).is_empty());
}

fn markup_in_names_is_shown_as_text(version: u32) {
    let (asterisk, bridge) = start(version);
    let browser = open_board(&bridge);
    let markup = "<img src=x onerror=\"window.hacked=1\">";
    browser.click(".card[data-queue=\"6001\"] .add");
    browser.fill("#dialog [name=agent]", "1001");
    browser.fill("#dialog [name=alias]", markup);
    browser.click("#dialog .primary");
    let row = agent_selector("6001", "1001");
    wait_for_text(&browser, &format!("{row} .who .name"), markup);
    let member = find_member(&asterisk, "acme-6001", "1001").expect("a member");
    assert_eq!(member["Name"], markup);
    click_pause(&browser, &row);
    wait_for_text(&browser, "#dialog-title", &format!("Pause {markup}"));
    browser.fill("#dialog [name=other]", "<b onclick=alert(1)>Lunch</b>");
    browser.click("#dialog .primary");
    wait_for_text(
        &browser,
        &format!("{row} .reason"),
        "<b onclick=alert(1)>Lunch</b>",
    );
    wait_for_text(
        &browser,
        ".toast:last-child span",
        &format!("{markup} is paused in queue 6001: <b onclick=alert(1)>Lunch</b>."),
    );
    let script =
        "return [window.hacked ?? null, document.querySelectorAll('img, #app b[onclick]').length]";
    assert_eq!(browser.run_script(script, &[]), json!([null, 0]));
    assert!(browser_errors(&browser).is_empty());
    // Neither the persistent storage nor the URL contains credentials.
    let stored = browser.run_script(
        "return JSON.stringify([{...localStorage}, location.href])",
        &[],
    );
    assert!(!stored.to_string().contains("acme"), "{stored}");
    let log = bridge.log();
    assert!(!log.contains("acme-password"));
}

#[test]
fn logging_out_ends_the_session_asterisk_22() {
    let (_asterisk, bridge) = start(22);
    let browser = open_board(&bridge);
    // After a reload the user is still logged in.
    browser.run_script("location.reload()", &[]);
    browser.wait_until(super::LIVE);
    // After logging out, the browser stores nothing.
    browser.click("#logout");
    browser.wait_visible("#login-form");
    let stored = browser.run_script(
        "return JSON.stringify({...sessionStorage, ...localStorage})",
        &[],
    );
    assert_eq!(stored, "{}");
    browser.run_script("location.reload()", &[]);
    browser.wait_visible("#login-form");
}
