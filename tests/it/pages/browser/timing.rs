//! Times on the page: how long a state has lasted, pauses over their limit, wrap-up, and pauses
//! for missed calls.

use serde_json::{Value, json};

use super::{
    LIVE, agent_selector, browser_errors, log_in, open_board, start_with_reasons, wait_for_match,
    wait_for_text,
};
use crate::support::{
    ACME, Asterisk, Bridge, Browser, SIMULATED, configuration_with, eventually, on_every_pbx,
    organization,
};

on_every_pbx!(
    agent_is_brought_back_after_a_missed_call_with_one_click,
    page_shows_the_wrap_up_time_after_a_call,
);

/// Starts an Asterisk, and a bridge whose organization acme has the queues 7001, with a wrap-up
/// time of 8 s, and 7003, with autopause.
fn start_timed(version: u32) -> (Asterisk, Bridge) {
    let asterisk = Asterisk::start(version);
    let acme = organization("acme", r#""7001", "7003""#, "timed-{queue}", ACME);
    let header = "[organization.acme]\n";
    let acme = acme.replacen(
        header,
        &format!("{header}wrapup = {{ \"7001\" = \"8s\" }}\n"),
        1,
    );
    let bridge = Bridge::start(&configuration_with(asterisk.port, &[acme]));
    (asterisk, bridge)
}

/// Returns a duration such as `1:02:03` in seconds.
fn seconds(duration: &str) -> u64 {
    let parts = duration.split(':').map(|part| part.parse::<u64>());
    parts.fold(0, |sum, part| sum * 60 + part.expect("a number"))
}

fn member(bridge: &Bridge, queue: &str) -> Value {
    bridge.acme_ok(&format!("action=showqueue&queue={queue}"))["queues"][0]["members"][0].take()
}

#[test]
fn overdue_pause_is_marked_in_words_and_counted() {
    let (_asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001&queue=6001,6002&alias=Dana");
    let browser = open_board(&bridge);
    wait_for_text(&browser, "[data-total=overdue]", "0");
    bridge.acme_ok("action=pause&agent=1001&reason=Short%20break");
    let dana = agent_selector("6001", "1001");
    let deadline = format!("{dana} .deadline");
    wait_for_match(&browser, &deadline, "over by 0:\\d\\d");
    browser.wait_visible(&format!("{dana}.overdue"));
    // The agent is over the limit in both queues, but is one person.
    wait_for_text(&browser, "[data-total=overdue]", "1");
    let count = ".card[data-queue=\"6002\"] .states [data-state=overdue] b";
    wait_for_text(&browser, count, "1");
    bridge.acme_ok("action=unpause&agent=1001");
    wait_for_text(&browser, &deadline, "");
    wait_for_text(&browser, "[data-total=overdue]", "0");
    assert!(browser_errors(&browser).is_empty());
}

#[test]
fn timers_survive_a_reload_and_a_wrong_clock() {
    let (asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001&queue=6001&alias=Dana");
    bridge.acme_ok("action=add&agent=1002&queue=6001&alias=Noa");
    // The bridge has not seen this state begin.
    let unknown = agent_selector("6002", "1050");
    asterisk.cli("devstate change Local/1001@acme-agents INUSE");
    bridge.acme_ok("action=pause&agent=1002&reason=Lunch");
    let browser = Browser::start();
    browser.set_clock_offset(600_000);
    log_in(&browser, &bridge, "acme-password");
    browser.wait_until(LIVE);
    let timers = ["1001", "1002"].map(|number| format!("{} time", agent_selector("6001", number)));
    for timer in &timers {
        eventually("the timer has advanced", || {
            let time = browser.text(timer);
            (!time.is_empty() && seconds(&time) >= 3).then_some(())
        });
    }
    browser.run_script("location.reload()", &[]);
    browser.wait_until(LIVE);
    for timer in &timers {
        let time = eventually("the timer is shown", || {
            Some(browser.text(timer)).filter(|time| !time.is_empty())
        });
        let time = seconds(&time);
        assert!((3..120).contains(&time), "{timer}: {time} s");
    }
    assert_eq!(browser.text(&format!("{unknown} .state")), "Available");
    assert_eq!(browser.text(&format!("{unknown} time")), "");
}

#[test]
fn timers_are_right_within_a_second_after_a_reload() {
    let (asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001&queue=6001&alias=Dana");
    bridge.acme_ok("action=add&agent=1002&queue=6001&alias=Noa&paused=1&reason=Lunch");
    asterisk.cli("devstate change Local/1001@acme-agents INUSE");
    let browser = open_board(&bridge);
    for view in ["queues", "people"] {
        browser.click(&format!("#view [value={view}]"));
        browser.run_script("location.reload()", &[]);
        browser.wait_until(LIVE);
        for number in ["1001", "1002"] {
            let members =
                bridge.acme_ok("action=showqueue&queue=6001")["queues"][0]["members"].take();
            let mut members = members.as_array().expect("members").iter();
            let member = members
                .find(|member| member["agent"] == *number)
                .expect("a member");
            let since = member["state_since"].as_str().expect("a time");
            let row = match view {
                "people" => super::person_selector(number),
                _ => agent_selector("6001", number),
            };
            let timer = format!("{row} time");
            wait_for_match(&browser, &timer, "\\d:\\d\\d");
            // Reads the timer and the clock at the same moment.
            let script = "const [timer, since] = arguments;
                const shown = document.querySelector(timer).innerText.split(':').map(Number);
                const right = Math.floor((Date.now() - Date.parse(since)) / 1000);
                return shown[0] * 60 + shown[1] - right";
            eventually("the timer is right within a second", || {
                let error = browser.run_script(script, &[&timer, since]);
                let error = error.as_i64().expect("seconds");
                println!("{view}, {number}: {error} s");
                (error.abs() <= 1).then_some(())
            });
        }
    }
}

fn agent_is_brought_back_after_a_missed_call_with_one_click(version: u32) {
    let (asterisk, bridge) = start_timed(version);
    // Agent 1090 never answers.
    bridge.acme_ok("action=add&agent=1090&queue=7001&alias=Dana&paused=1&reason=Lunch");
    bridge.acme_ok("action=add&agent=1090&queue=7003&alias=Dana");
    let browser = open_board(&bridge);
    let (lunch, missed) = (
        agent_selector("7001", "1090"),
        agent_selector("7003", "1090"),
    );
    asterisk.add_caller("timed-7003");
    let state = format!("{missed} .state");
    wait_for_text(&browser, &state, "Paused for a missed call");
    asterisk.cli("channel request hangup all");
    browser.wait_until(&format!(
        "document.querySelector({}) === null",
        json!(".caller")
    ));
    assert_eq!(member(&bridge, "7003")["auto_paused"], true);
    let button = format!("{missed} .bring-back");
    browser.wait_visible(&button);
    asterisk.take_queue_log();
    // Impatience sends nothing twice.
    let click_script = "const button = document.querySelector(arguments[0]);
        button.focus();
        for (let click = 0; click < 3; click += 1) button.click();";
    browser.run_script(click_script, &[&button]);
    wait_for_text(&browser, &state, "Available");
    browser.wait_until(&format!(
        "!document.querySelector({}).checkVisibility()",
        json!(button)
    ));
    wait_for_text(
        &browser,
        ".toast:last-child span",
        "Dana takes calls again in queue 7003.",
    );
    // The keyboard keeps its place in the list.
    browser.wait_until(&format!(
        "document.activeElement.matches({})",
        json!(missed)
    ));
    // The other pause stays.
    assert_eq!(browser.text(&format!("{lunch} .reason")), "Lunch");
    let lunch = member(&bridge, "7001");
    assert_eq!(
        (&lunch["paused"], &lunch["paused_reason"]),
        (&json!(true), &json!("Lunch"))
    );
    let log = asterisk.queue_log();
    let unpauses = log.lines().filter(|line| line.contains("|UNPAUSE|"));
    assert_eq!(unpauses.count(), 1, "{log}");
    assert!(browser_errors(&browser).is_empty());
}

fn page_shows_the_wrap_up_time_after_a_call(version: u32) {
    let (asterisk, bridge) = start_timed(version);
    bridge.acme_ok("action=add&agent=1001&queue=7001&alias=Dana");
    let browser = open_board(&bridge);
    let dana = agent_selector("7001", "1001");
    wait_for_text(&browser, &format!("{dana} .state"), "Available");
    // Records every state, with its deadline and the total, as the page draws it.
    let record_script = "const row = document.querySelector(arguments[0]);
        const text = (selector, root = row) => root.querySelector(selector).innerText;
        window.seen = [];
        const record = () => {
            const states = [text('.state'), text('.deadline'),
                text('[data-total=wrap_up]', document)];
            if (JSON.stringify(window.seen.at(-1)) !== JSON.stringify(states)) {
                window.seen.push(states);
            }
            requestAnimationFrame(record);
        };
        record();";
    browser.run_script(record_script, &[&dana]);
    asterisk.add_caller("timed-7001");
    // The agent's device is in use before the agent answers.
    eventually("the agent answers", || {
        (member(&bridge, "7001")["in_call"] == true).then_some(())
    });
    asterisk.cli("channel request hangup all");
    browser.wait_until("window.seen.some(([state]) => state === 'Wrap-up')");
    browser.wait_until("window.seen.at(-1)[0] === 'Available'");
    let seen = browser.run_script("return window.seen", &[]);
    let seen = seen.as_array().expect("an array");
    let expected: Vec<Value> = (1..=8)
        .map(|rest| json!(["Wrap-up", format!("ends in 0:0{rest}"), "1"]))
        .collect();
    assert!(
        seen.iter().any(|states| expected.contains(states)),
        "{seen:#?}"
    );
    let last = seen.last().expect("a state");
    assert_eq!(*last, json!(["Available", "", "0"]));
}
