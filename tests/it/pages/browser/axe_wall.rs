//! The wall screen is accessible in each of its states.

use super::axe::{Scene, State, assert_accessible};
use super::wait_for_text;
use super::wall::{open_screen, start_with_token, tile};
use crate::support::{Asterisk, Bridge, Browser, SIMULATED};

struct WallScene {
    asterisk: Option<Asterisk>,
    bridge: Bridge,
    browser: Browser,
}

impl Scene for WallScene {
    fn browser(&self) -> &Browser {
        &self.browser
    }
}

const STATES: [State<WallScene>; 6] = [
    ("login", |scene| {
        scene.browser.open_page(scene.bridge.address, "/wall");
        scene.browser.wait_visible("#login-form");
    }),
    ("refused token", |scene| {
        let page = "/wall#token=amib_other";
        scene.browser.open_page(scene.bridge.address, page);
        let title = "This screen has no access.";
        wait_for_text(&scene.browser, "#cover strong", title);
    }),
    ("calm", |scene| {
        open_screen(&scene.browser, &scene.bridge, "&late=1&sound=1");
        scene.browser.wait_visible(&tile("6002"));
    }),
    ("alarms", |scene| {
        let pause = "action=add&agent=1002&queue=6001&paused=1&reason=Short%20break";
        scene.bridge.acme_ok(pause);
        let asterisk = scene.asterisk.as_ref().expect("a PBX");
        asterisk.add_caller("acme-6001");
        let alarms = format!("{}.waits.paused_too_long", tile("6001"));
        scene.browser.wait_visible(&alarms);
    }),
    ("lost PBX", |scene| {
        drop(scene.asterisk.take());
        let title = "The phone system is not connected.";
        wait_for_text(&scene.browser, "#cover strong", title);
    }),
    ("lost link", |scene| {
        scene.bridge.terminate();
        wait_for_text(&scene.browser, "#cover strong", "Connection lost.");
    }),
];

#[test]
fn axe_finds_no_violations_on_the_wall() {
    let (asterisk, bridge) = start_with_token(SIMULATED);
    bridge.acme_ok("action=add&agent=1001&queue=6002&alias=Dana");
    let asterisk = Some(asterisk);
    let browser = Browser::start();
    let mut scene = WallScene {
        asterisk,
        bridge,
        browser,
    };
    assert_accessible(&mut scene, &STATES);
}
