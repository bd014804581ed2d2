//! Sounds and vibrations of the agent's page.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::agent_page::{
    DANA, open_agent_page, reason_button, start_with_agents, tap, wait_until_settled,
};
use super::hands::ENTER;
use super::{LIVE, wait_for_text};
use crate::support::{Bridge, Browser, SIMULATED, eventually};

/// Counts the page's tones, and records its vibrations. A tap allows the page to play sounds.
fn record_signals(browser: &Browser) {
    let script = "window.tones = 0;
        window.vibrations = [];
        const start = OscillatorNode.prototype.start;
        OscillatorNode.prototype.start = function (...when) {
            window.tones += 1;
            start.apply(this, when);
        };
        navigator.vibrate = (pattern) => window.vibrations.push(pattern);";
    browser.run_script(script, &[]);
    browser.click("#name");
}

/// Returns the recorded tones and vibrations, and forgets them.
fn take_signals(browser: &Browser) -> Value {
    let script = "const signals = [window.tones, window.vibrations];
        window.tones = 0;
        window.vibrations = [];
        return signals;";
    browser.run_script(script, &[])
}

/// Sends a change as a supervisor, and waits until the page shows the message. Returns how long
/// this took.
fn change(bridge: &Bridge, browser: &Browser, query: &str, message: &str) -> Duration {
    let started = Instant::now();
    bridge.acme_ok(query);
    wait_for_text(browser, "#news", message);
    let elapsed = started.elapsed();
    println!("{query}: shown after {elapsed:?}");
    elapsed
}

const PAUSED: &str = "You were paused by someone else.";
const RESUMED: &str = "Your pause has ended. You get calls again.";

#[test]
fn changes_by_others_are_shown_within_a_second() {
    let (_asterisk, bridge) = start_with_agents(SIMULATED);
    let browser = open_agent_page(&bridge, DANA);
    wait_for_text(&browser, "#state", "Available");
    // Other tests run at the same time, so the fastest attempt counts.
    eventually("a pause and its end are shown within a second", || {
        let pause = "action=pause&agent=1001&reason=Training";
        let unpause = "action=unpause&agent=1001";
        let times = [
            change(&bridge, &browser, pause, PAUSED),
            change(&bridge, &browser, unpause, RESUMED),
        ];
        let is_fast = times.iter().all(|time| *time < Duration::from_secs(1));
        is_fast.then_some(())
    });
}

#[test]
fn changes_by_others_are_signaled_unless_the_agent_has_turned_that_off() {
    let (_asterisk, bridge) = start_with_agents(SIMULATED);
    let browser = open_agent_page(&bridge, DANA);
    record_signals(&browser);
    let pause = "action=pause&agent=1001&reason=Training";
    change(&bridge, &browser, pause, PAUSED);
    assert_eq!(take_signals(&browser), json!([2, [[400]]]));
    let unpause = "action=unpause&agent=1001";
    change(&bridge, &browser, unpause, RESUMED);
    assert_eq!(take_signals(&browser), json!([2, [[150, 100, 150]]]));

    // The agent's own changes cause no signal.
    tap(&browser, &reason_button("Lunch"));
    wait_for_text(&browser, "#state", "Paused");
    tap(&browser, "#resume");
    wait_for_text(&browser, "#state", "Available");
    assert_eq!(take_signals(&browser), json!([0, []]));

    browser.click("#sound");
    browser.click("#vibration");
    change(&bridge, &browser, pause, PAUSED);
    assert_eq!(take_signals(&browser), json!([0, []]));
    // The browser remembers it.
    browser.run_script("location.reload()", &[]);
    browser.wait_until(LIVE);
    let labels = [browser.text("#sound"), browser.text("#vibration")];
    assert_eq!(labels, ["Sound: off", "Vibration: off"]);
    wait_for_text(&browser, "#state", "Paused");
    record_signals(&browser);
    assert_eq!(browser.text("#news"), "", "a pause that exists is no news");
    browser.click("#vibration");
    change(&bridge, &browser, unpause, RESUMED);
    assert_eq!(take_signals(&browser), json!([0, [[150, 100, 150]]]));
}

/// Returns the label of the sound button and the message at the agent's state.
fn sound_texts(browser: &Browser) -> [String; 2] {
    [browser.text("#sound"), browser.text("#news")]
}

#[test]
fn page_says_that_it_is_silent_until_the_first_tap() {
    let (_asterisk, bridge) = start_with_agents(SIMULATED);
    let browser = open_agent_page(&bridge, DANA);
    // The login was typed, so the browser allows sounds.
    wait_for_text(&browser, "#sound", "Sound: on");
    assert_eq!(browser.text("#news"), "");
    let reload = || {
        browser.run_script("location.reload()", &[]);
        browser.wait_until(LIVE);
    };
    reload();
    let silent = [
        "Sound: silent until you tap",
        "Tap anywhere to turn the sound on.",
    ];
    assert_eq!(sound_texts(&browser), silent);
    browser.click("#name");
    wait_for_text(&browser, "#sound", "Sound: on");
    assert_eq!(browser.text("#news"), "");

    // A tap on the button itself, or a key, turns the sound on, and the next one turns it off.
    reload();
    browser.click("#sound");
    wait_for_text(&browser, "#sound", "Sound: on");
    reload();
    browser.run_script("document.getElementById('sound').focus()", &[]);
    browser.press(ENTER);
    wait_for_text(&browser, "#sound", "Sound: on");
    browser.press(ENTER);
    wait_for_text(&browser, "#sound", "Sound: off");
    reload();
    assert_eq!(sound_texts(&browser), ["Sound: off", ""]);
}

#[test]
fn page_warns_a_minute_before_a_limit() {
    let (_asterisk, bridge) = start_with_agents(SIMULATED);
    let browser = open_agent_page(&bridge, DANA);
    record_signals(&browser);
    // Its limit is 75 s. A slow page must see the pause more than a minute before the limit.
    tap(&browser, &reason_button("Coffee"));
    wait_for_text(&browser, "#news", "A minute is left of your pause.");
    browser.wait_visible("#own.near");
    assert_eq!(
        take_signals(&browser),
        json!([3, [[150, 100, 150, 100, 150]]])
    );
    tap(&browser, "#resume");
    wait_for_text(&browser, "#state", "Available");
    wait_until_settled(&browser);
    // A pause whose limit is shorter than a minute causes no warning.
    tap(&browser, &reason_button("Short break"));
    browser.wait_visible("#own.overdue");
    assert!(browser.text("#deadline").starts_with("over by 0:"));
    assert_eq!(take_signals(&browser), json!([0, []]));
}
