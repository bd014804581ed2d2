//! Alarms of the wall screen: visible within a second, in any colors, and audible if the sound is on.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::wall::{LIVE_WALL, open_screen, open_wall, start_with_token, tile};
use super::{browser_errors, wait_for_match, wait_for_text};
use crate::support::{Browser, SIMULATED, eventually, on_every_pbx};

on_every_pbx!(alarms_are_seen_within_a_second);

/// Makes the page record the wait that a tile shows when its alarm for a late caller begins.
fn record_first_late_wait(browser: &Browser, tile: &str) {
    let script = "const tile = document.querySelector(arguments[0]);
        window.firstLateWait = null;
        const record = () => {
            if (tile.matches('.waits')) window.firstLateWait = tile.querySelector('.longest time').innerText;
            else requestAnimationFrame(record);
        };
        record();";
    browser.run_script(script, &[tile]);
}

fn alarms_are_seen_within_a_second(version: u32) {
    let (asterisk, bridge) = start_with_token(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001&alias=Dana&paused=1&reason=Lunch");
    let browser = open_wall(&bridge, "&late=3");
    let tile = tile("6001");
    wait_for_text(&browser, &format!("{tile} .count"), "0");
    browser.wait_visible(&format!("{tile}:not(.alarm)"));

    // Other tests run at the same time, so the fastest attempt counts.
    eventually("alarms are seen within a second", || {
        asterisk.cli("channel request hangup all");
        browser.wait_visible(&format!("{tile}:not(.nobody_free, .waits)"));
        record_first_late_wait(&browser, &tile);
        asterisk.add_caller("acme-6001");
        let started = Instant::now();
        browser.wait_visible(&format!("{tile}.nobody_free .sign"));
        let elapsed = started.elapsed();
        let wait = browser.wait_until("window.firstLateWait");
        println!("visible after {elapsed:?}, late after {wait}");
        assert!(wait.as_str() >= Some("0:03"), "too early: {wait}");
        (elapsed < Duration::from_secs(1) && wait == "0:03").then_some(())
    });
    let text = browser.text(&tile);
    assert!(text.contains("NOBODY FREE"), "{text}");
    wait_for_text(&browser, &format!("{tile} .count"), "1");
    wait_for_match(&browser, &format!("{tile} .longest"), "WAITS\\s+0:\\d\\d");

    // The limit is 2 s.
    bridge.acme_ok("action=pause&agent=1001&queue=6001&reason=Short%20break");
    browser.wait_visible(&format!("{tile}.paused_too_long"));
    let text = browser.text(&tile);
    assert!(text.contains("PAUSED TOO LONG"), "{text}");

    asterisk.cli("channel request hangup all");
    bridge.acme_ok("action=unpause&agent=1001&queue=6001");
    browser.wait_visible(&format!("{tile}:not(.alarm)"));
    wait_for_match(&browser, &format!("{tile} .free"), "[01] free");
    assert!(browser_errors(&browser).is_empty());
}

/// Returns the background of the tile, and that of the calm tile 6002.
fn backgrounds(browser: &Browser) -> [String; 2] {
    ["6001", "6002"].map(|queue| {
        let script =
            "return getComputedStyle(document.querySelector(arguments[0])).backgroundColor";
        browser.run_script(script, &[&tile(queue)]).to_string()
    })
}

#[test]
fn alarm_fills_its_tile_in_every_color_scheme() {
    let (asterisk, bridge) = start_with_token(SIMULATED);
    let browser = open_wall(&bridge, "");
    asterisk.add_caller("acme-6001");
    let sign = format!("{} .sign", tile("6001"));
    browser.wait_until(&format!(
        "getComputedStyle(document.querySelector({})).visibility === 'visible'",
        json!(sign)
    ));
    for scheme in ["light", "dark", "forced"] {
        if scheme == "forced" {
            browser.force_colors();
        } else {
            browser.set_color_scheme(scheme);
        }
        let [alarm, calm] = backgrounds(&browser);
        assert_ne!(alarm, calm, "{scheme}");
        assert!(!alarm.contains("rgba"), "{scheme}: {alarm}");
    }
    let calm_sign = format!(
        "return getComputedStyle(document.querySelector({})).visibility",
        json!(format!("{} .sign", tile("6002")))
    );
    assert_eq!(browser.run_script(&calm_sign, &[]), "hidden");
}

/// Counts the page's tones from now on.
fn count_tones(browser: &Browser) {
    let script = "window.tones = 0;
        const start = OscillatorNode.prototype.start;
        OscillatorNode.prototype.start = function (...when) {
            window.tones += 1;
            start.apply(this, when);
        };";
    browser.run_script(script, &[]);
}

fn tones(browser: &Browser) -> Value {
    browser.run_script("return window.tones", &[])
}

#[test]
fn new_alarm_sounds_if_sound_is_on_and_the_screen_was_touched() {
    let (asterisk, bridge) = start_with_token(SIMULATED);
    bridge.acme_ok("action=pause&agent=1050&queue=6002&reason=Lunch");
    let browser = open_wall(&bridge, "&sound=1");
    wait_for_text(&browser, "#sound", "Sound: tap once");
    count_tones(&browser);
    asterisk.add_caller("acme-6001");
    browser.wait_visible(&format!("{}.alarm", tile("6001")));
    assert_eq!(tones(&browser), 0);
    browser.click("#clock");
    wait_for_text(&browser, "#sound", "Sound: on");
    asterisk.add_caller("acme-6002");
    browser.wait_visible(&format!("{}.alarm", tile("6002")));
    assert_eq!(tones(&browser), 3);
    browser.click("#sound");
    wait_for_text(&browser, "#sound", "Sound: off");
    asterisk.cli("channel request hangup all");
    browser.wait_until("document.querySelector('.alarm') === null");
    asterisk.add_caller("acme-6001");
    browser.wait_visible(&format!("{}.alarm", tile("6001")));
    assert_eq!(tones(&browser), 3);
}

#[test]
fn sound_button_is_remembered_unless_the_address_says_otherwise() {
    let (_asterisk, bridge) = start_with_token(SIMULATED);
    let browser = open_wall(&bridge, "");
    wait_for_text(&browser, "#sound", "Sound: off");
    browser.click("#sound");
    wait_for_text(&browser, "#sound", "Sound: on");
    browser.run_script("location.reload()", &[]);
    browser.wait_until(LIVE_WALL);
    wait_for_match(&browser, "#sound", "Sound: (on|tap once)");
    open_screen(&browser, &bridge, "&sound=0");
    wait_for_text(&browser, "#sound", "Sound: off");
}
