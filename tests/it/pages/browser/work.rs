//! What is done at the page happens on the PBX, and what happens there is seen.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::{agent, complaints, log_in, on_the_board, until_text};
use crate::support::{Asterisk, Browser, eventually, on_both_versions, start};

on_both_versions!(
    a_pause_made_elsewhere_is_seen_at_once,
    what_is_done_at_the_page_is_done_on_the_pbx,
    refusals_are_said_in_words,
    names_from_outside_are_text,
);

fn a_pause_made_elsewhere_is_seen_at_once(version: u32) {
    let (_asterisk, bridge) = start(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001&alias=Dana");
    let browser = on_the_board(&bridge);
    let dana = agent("6001", "1001");
    until_text(&browser, &format!("{dana} .state"), "Available");
    let mut times = Vec::new();
    for round in 0..10 {
        let (action, shown) = match round % 2 {
            0 => ("pause&reason=Lunch", "paused"),
            _ => ("unpause", "available"),
        };
        // The page itself notes when it is drawn.
        let watch = "const [selector, state] = arguments; window.seenAt = null;
            const row = document.querySelector(selector);
            new MutationObserver((_, observer) => {
                if (row.dataset.state !== state) return;
                observer.disconnect();
                requestAnimationFrame(() => { window.seenAt = Date.now(); });
            }).observe(row, {attributes: true});";
        browser.run_script(watch, &[&dana, shown]);
        let sent = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("a time");
        bridge.acme_ok(&format!("action={action}&agent=1001&queue=6001"));
        let seen = browser.wait_until("window.seenAt");
        times.push(seen.as_f64().expect("a time") - sent.as_secs_f64() * 1000.0);
    }
    println!("asterisk {version}: from the request to the drawn page, ms: {times:.0?}");
    // Told by the stream, and not found by looking now and then.
    assert!(times.iter().all(|time| *time < 2000.0), "{times:?}");
    assert!(complaints(&browser).is_empty());
}

fn member_of(asterisk: &Asterisk, queue: &str, number: &str) -> Option<crate::support::AmiMessage> {
    let interface = format!("Local/{number}@acme-agents");
    asterisk.ami().member(queue, &interface)
}

fn what_is_done_at_the_page_is_done_on_the_pbx(version: u32) {
    let (asterisk, bridge) = start(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001,6002&alias=Dana");
    let browser = on_the_board(&bridge);
    let (first, second) = (agent("6001", "1001"), agent("6002", "1001"));

    // In every queue, with a usual reason.
    browser.click(&format!("{first} .pause"));
    browser.click("#dialog input[value=Training]");
    browser.click("#dialog .primary");
    until_text(&browser, &format!("{first} .reason"), "Training");
    until_text(&browser, &format!("{second} .state"), "Paused");
    for queue in ["acme-6001", "acme-6002"] {
        let row = member_of(&asterisk, queue, "1001").expect("a member");
        assert_eq!((&*row["Paused"], &*row["PausedReason"]), ("1", "Training"));
    }
    until_text(
        &browser,
        ".toast span:first-child",
        "Dana is paused in 2 queues: Training.",
    );

    // In one only.
    browser.click(&format!("{second} .pause"));
    browser.click("#dialog input[value=one]");
    browser.click("#dialog .primary");
    until_text(&browser, &format!("{second} .state"), "Available");
    let row = member_of(&asterisk, "acme-6002", "1001").expect("a member");
    assert_eq!(row["Paused"], "0");
    let row = member_of(&asterisk, "acme-6001", "1001").expect("a member");
    assert_eq!(row["Paused"], "1");

    // With a reason of one's own.
    browser.click(&format!("{second} .pause"));
    browser.fill("#dialog [name=other]", "הפסקת צהריים");
    browser.click("#dialog input[value=one]");
    browser.click("#dialog .primary");
    until_text(&browser, &format!("{second} .reason"), "הפסקת צהריים");
    let row = member_of(&asterisk, "acme-6002", "1001").expect("a member");
    assert_eq!(row["PausedReason"], "הפסקת צהריים");

    // Another agent comes and goes.
    browser.click(".card[data-queue=\"6001\"] .add");
    browser.fill("#dialog [name=agent]", "1002");
    browser.fill("#dialog [name=alias]", "Noa");
    browser.click("#dialog .primary");
    let noa = agent("6001", "1002");
    until_text(&browser, &format!("{noa} .who .name"), "Noa");
    let row = member_of(&asterisk, "acme-6001", "1002").expect("a member");
    assert_eq!(row["Name"], "Noa");
    browser.click(&format!("{noa} .remove"));
    browser.click("#dialog .primary");
    browser.wait_until(&format!("document.querySelector({}) === null", json!(noa)));
    assert!(member_of(&asterisk, "acme-6001", "1002").is_none());

    // A caller, whose time runs by itself.
    asterisk.add_caller("acme-6002");
    let caller = ".card[data-queue=\"6002\"] .caller";
    until_text(&browser, &format!("{caller} .number"), "0501234567");
    let time = format!("{caller} time");
    let before = browser.text(&time);
    eventually("the waiting time runs", || {
        (browser.text(&time) != before).then_some(())
    });
    assert!(complaints(&browser).is_empty());
}

fn refusals_are_said_in_words(version: u32) {
    let (_asterisk, bridge) = start(version);
    let browser = Browser::start();
    log_in(&browser, &bridge, "wrong");
    let wrong = "Wrong user name or password.";
    until_text(&browser, "#login-error", wrong);
    log_in(&browser, &bridge, "acme-password");
    browser.wait_until(super::LIVE);
    for (number, queue, words) in [
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
        assert!(text.contains(words), "{text}");
        browser.press("\u{e00c}");
        browser.wait_until("!document.getElementById('dialog').open");
    }
    // What Asterisk can't keep is said before it is sent.
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
    // The static member has no button that could only fail.
    let remove = json!(format!("{} .remove", agent("6002", "1050")));
    let hidden = browser.run_script(
        &format!("return document.querySelector({remove}).hidden"),
        &[],
    );
    assert_eq!(hidden, true);
    assert!(complaints(&browser).is_empty());
}

fn names_from_outside_are_text(version: u32) {
    let (asterisk, bridge) = start(version);
    let browser = on_the_board(&bridge);
    let markup = "<img src=x onerror=\"window.hacked=1\">";
    browser.click(".card[data-queue=\"6001\"] .add");
    browser.fill("#dialog [name=agent]", "1001");
    browser.fill("#dialog [name=alias]", markup);
    browser.click("#dialog .primary");
    let row = agent("6001", "1001");
    until_text(&browser, &format!("{row} .who .name"), markup);
    let member = member_of(&asterisk, "acme-6001", "1001").expect("a member");
    assert_eq!(member["Name"], markup);
    browser.click(&format!("{row} .pause"));
    until_text(&browser, "#dialog-title", &format!("Pause {markup}"));
    browser.fill("#dialog [name=other]", "<b onclick=alert(1)>Lunch</b>");
    browser.click("#dialog .primary");
    until_text(
        &browser,
        &format!("{row} .reason"),
        "<b onclick=alert(1)>Lunch</b>",
    );
    until_text(
        &browser,
        ".toast:last-child span",
        &format!("{markup} is paused in queue 6001: <b onclick=alert(1)>Lunch</b>."),
    );
    let found =
        "return [window.hacked ?? null, document.querySelectorAll('img, #app b[onclick]').length]";
    assert_eq!(browser.run_script(found, &[]), json!([null, 0]));
    assert!(complaints(&browser).is_empty());
    // No credential is in what the browser keeps beyond the tab, or in an address.
    let kept = browser.run_script(
        "return JSON.stringify([{...localStorage}, location.href])",
        &[],
    );
    assert!(!kept.to_string().contains("acme"), "{kept}");
    let log = bridge.log();
    assert!(!log.contains("acme-password"));
}

#[test]
fn the_session_ends_with_the_log_out_asterisk_22() {
    let (_asterisk, bridge) = start(22);
    let browser = on_the_board(&bridge);
    // A reload does not ask again …
    browser.run_script("location.reload()", &[]);
    browser.wait_until(super::LIVE);
    // … and after the log-out nothing is left.
    browser.click("#logout");
    browser.wait_visible("#login-form");
    let left = browser.run_script(
        "return JSON.stringify({...sessionStorage, ...localStorage})",
        &[],
    );
    assert_eq!(left, "{}");
    browser.run_script("location.reload()", &[]);
    browser.wait_visible("#login-form");
}
