//! The wall screen on screens of all sizes.

use serde_json::json;

use super::wall::{
    agent, assert_fits, configuration_with_queues, font_size, numbers, open_screen, open_wall,
    queues_conf, start_with_token, tile,
};
use super::{wait_for_match, wait_for_text};
use crate::support::{Asterisk, Bridge, Browser, SIMULATED};

const SCREENS: [(u32, u32); 6] = [
    (1920, 1080),
    (1080, 1920),
    (1280, 720),
    (3840, 2160),
    (390, 844),
    (320, 568),
];

/// Starts a PBX and a bridge with this many queues.
fn start_with_queues(count: usize) -> (Asterisk, Bridge) {
    let asterisk = Asterisk::start_with(SIMULATED, &[("queues.conf", &queues_conf(count))]);
    let queues: Vec<_> = numbers(count).map(|number| number.to_string()).collect();
    let bridge = Bridge::start(&configuration_with_queues(asterisk.port, &queues));
    (asterisk, bridge)
}

/// Makes all alarms of a queue: a late caller, no free agent, and a pause over its limit.
fn cause_all_alarms(asterisk: &Asterisk, bridge: &Bridge, browser: &Browser, queue: usize) {
    let agent = agent(queue);
    bridge.acme_ok(&format!("action=pause&agent={agent}&reason=Short%20break"));
    asterisk.add_caller(&format!("acme-{queue}"));
    let tile = tile(&queue.to_string());
    browser.wait_visible(&format!("{tile}.waits.nobody_free.paused_too_long"));
}

#[test]
fn all_queues_fit_the_screen_without_scrolling() {
    for count in [4, 8, 16, 24, 32] {
        let (asterisk, bridge) = start_with_queues(count);
        let browser = open_wall(&bridge, "&late=1");
        browser.wait_until(&format!(
            "document.querySelectorAll('.tile').length === {count}"
        ));
        for state in ["calm", "alarm"] {
            if state == "alarm" {
                cause_all_alarms(&asterisk, &bridge, &browser, 6002);
                bridge.acme_ok("action=pause&agent=1003&reason=Short%20break");
                bridge.acme_ok("action=pause&agent=1004&reason=Lunch");
                asterisk.add_caller("acme-6004");
                browser.wait_visible(&format!("{}.waits.nobody_free", tile("6004")));
                browser.wait_visible(&format!("{}.paused_too_long", tile("6003")));
            }
            for (width, height) in SCREENS {
                browser.set_screen_size(width, height);
                browser.wait_until(&format!("innerWidth === {width}"));
                assert_fits(&browser, &format!("{count} queues, {state}, {width}"));
            }
        }
        browser.set_screen_size(1920, 1080);
        browser.wait_until("innerWidth === 1920");
        if count == 16 {
            browser.wait_until(
                "parseFloat(getComputedStyle(document.querySelector('.count')).fontSize) >= 96",
            );
            assert!(font_size(&browser, ".number") >= 40.0);
            assert!(font_size(&browser, ".title") >= 40.0);
        }
    }
}

#[test]
fn long_and_right_to_left_names_fit_their_tiles() {
    let long = "customer-care-for-the-northern-region-and-overseas";
    let conf = format!("[general]\n[acme-6001]\n[acme-6002]\n[acme-{long}]\n");
    let asterisk = Asterisk::start_with(SIMULATED, &[("queues.conf", &conf)]);
    let queues = ["6001", "6002", long].map(str::to_owned);
    let bridge = Bridge::start(&configuration_with_queues(asterisk.port, &queues));
    let browser = Browser::start();
    // Asterisk's names of queues are ASCII here, so the page receives another name.
    let source = "const send = window.fetch;
        window.fetch = async (...request) => {
            const response = await send(...request);
            if (request[0] !== 'events') return response;
            const text = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(new TransformStream({
                transform(chunk, controller) {
                    controller.enqueue(chunk.replaceAll('acme-6002', 'תמיכה טכנית (אזור 2)'));
                },
            }));
            return new Response(text.pipeThrough(new TextEncoderStream()), {headers: response.headers});
        };";
    browser.devtools(
        "Page.addScriptToEvaluateOnNewDocument",
        &json!({"source": source}),
    );
    browser.set_screen_size(1920, 1080);
    open_screen(&browser, &bridge, "");
    let hebrew = format!("{} .title", tile("6002"));
    wait_for_text(&browser, &hebrew, "תמיכה טכנית (אזור 2)");
    for (width, height) in SCREENS {
        browser.set_screen_size(width, height);
        browser.wait_until(&format!("innerWidth === {width}"));
        assert_fits(&browser, &format!("long names, {width}"));
    }
    // The number stays on the left, and every character of the long name is there.
    let script = "const [number, title] = ['.number', '.title']
            .map((name) => document.querySelector(arguments[0]).querySelector(name).getBoundingClientRect());
        return number.right <= title.left";
    assert_eq!(browser.run_script(script, &[&tile("6002")]), true);
    wait_for_text(&browser, &format!("{} .number", tile(long)), long);
}

#[test]
fn queues_in_alarm_come_first_when_there_are_more_than_fit() {
    let (asterisk, bridge) = start_with_queues(40);
    let browser = open_wall(&bridge, "&late=1");
    browser.wait_until("document.querySelectorAll('.tile').length === 33");
    wait_for_text(&browser, ".more", "+8 calm");
    assert_fits(&browser, "40 queues");
    cause_all_alarms(&asterisk, &bridge, &browser, 6039);
    let first = format!(
        ".tile:first-child{}",
        tile("6039").trim_start_matches(".tile")
    );
    browser.wait_visible(&first);
    browser.wait_visible(".tile:nth-child(2)[data-queue=\"6001\"]");
    wait_for_text(&browser, ".more", "+8 calm");
    assert_fits(&browser, "40 queues, one in alarm");
}

#[test]
fn head_line_adds_up_all_queues() {
    let (asterisk, bridge) = start_with_token(SIMULATED);
    // The static member of the sample configuration.
    bridge.acme_ok("action=pause&agent=1050&queue=6002&reason=Lunch");
    bridge.acme_ok("action=add&agent=1001&queue=6001,6002&alias=Dana");
    bridge.acme_ok("action=add&agent=1002&queue=6002&paused=1&reason=Short%20break");
    bridge.acme_ok("action=add&agent=1003&queue=6002&paused=1&reason=Lunch");
    let browser = open_wall(&bridge, "");
    let total = |name: &str| format!("[data-total=\"{name}\"] dd");
    wait_for_text(&browser, &total("available"), "1");
    wait_for_text(&browser, &total("overdue"), "1");
    wait_for_text(&browser, &total("waiting"), "0");
    wait_for_text(&browser, &total("longest"), "–");
    bridge.acme_ok("action=pause&agent=1001&reason=Lunch");
    asterisk.add_caller("acme-6001");
    asterisk.add_caller("acme-6002");
    wait_for_text(&browser, &total("waiting"), "2");
    wait_for_match(&browser, &total("longest"), "0:\\d\\d");
    wait_for_match(&browser, "#clock", "\\d?\\d:\\d\\d.*");
    // The screen names nobody.
    let text = browser.text("body");
    assert!(!text.contains("Dana") && !text.contains("1001"), "{text}");
}
