//! The agent's page is accessible in each of its states.

use super::agent_page::{DANA, log_in_agent, reason_button, start_with_agents, tap};
use super::axe::{Scene, State, assert_accessible};
use super::hands::ESCAPE;
use super::{submit_login, wait_for_text};
use crate::support::{ACME, Asterisk, Bridge, Browser, SIMULATED};

struct AgentScene {
    asterisk: Option<Asterisk>,
    bridge: Bridge,
    browser: Browser,
}

impl Scene for AgentScene {
    fn browser(&self) -> &Browser {
        &self.browser
    }
}

const STATES: [State<AgentScene>; 14] = [
    ("login", |scene| {
        scene.browser.open_page(scene.bridge.address, "/agent");
        scene.browser.wait_visible("#login-form");
    }),
    ("refused login", |scene| {
        submit_login(&scene.browser, DANA.username, "wrong");
        scene.browser.wait_visible("#login-error");
    }),
    ("a user without an agent", |scene| {
        submit_login(
            &scene.browser,
            &ACME.username.replace("%40", "@"),
            ACME.password,
        );
        scene.browser.wait_visible("#not-agent");
    }),
    ("available", |scene| {
        scene.browser.click("#not-agent button");
        scene.browser.wait_visible("#login-form");
        log_in_agent(&scene.browser, &scene.bridge, DANA);
        scene.browser.wait_visible(&reason_button("Coffee"));
    }),
    ("silent", |scene| {
        scene.browser.run_script("location.reload()", &[]);
        scene.browser.wait_visible("#sound.silent");
        scene.browser.wait_visible(&reason_button("Coffee"));
    }),
    ("another reason", |scene| {
        tap(&scene.browser, "#other");
        scene
            .browser
            .wait_until("document.getElementById('dialog').open");
    }),
    ("refused change", |scene| {
        scene.browser.fill("#dialog [name=other]", "Doctor, again");
        scene.browser.click("#dialog .primary");
    }),
    ("partly paused", |scene| {
        scene.browser.press(ESCAPE);
        scene
            .browser
            .wait_until("!document.getElementById('dialog').open");
        scene
            .bridge
            .acme_ok("action=pause&agent=1001&queue=6001&reason=Training");
        scene.browser.wait_visible("#partly");
    }),
    ("paused with an end", |scene| {
        scene.bridge.acme_ok("action=unpause&agent=1001");
        scene.bridge.acme_ok("action=pause&agent=1001&reason=Lunch");
        wait_for_text(&scene.browser, "#reason", "Lunch");
    }),
    ("overdue", |scene| {
        scene
            .bridge
            .acme_ok("action=pause&agent=1001&reason=Short%20break");
        scene.browser.wait_visible("#own.overdue");
    }),
    ("missed call", |scene| {
        scene
            .bridge
            .acme_ok("action=pause&agent=1001&reason=Auto-Pause");
        wait_for_text(&scene.browser, "#resume", "I’m back");
    }),
    ("in a call", |scene| {
        scene.bridge.acme_ok("action=unpause&agent=1001");
        let asterisk = scene.asterisk.as_ref().expect("a PBX");
        asterisk.add_caller("acme-6001");
        asterisk.cli("devstate change Local/1001@acme-agents INUSE");
        wait_for_text(&scene.browser, "#state", "In call");
    }),
    ("in no queue", |scene| {
        scene
            .bridge
            .acme_ok("action=remove&agent=1001&queue=6001,6002");
        scene.browser.wait_visible("#no-queue");
    }),
    ("lost link", |scene| {
        scene
            .bridge
            .acme_ok("action=add&agent=1001&queue=6001,6002&alias=Dana");
        scene.browser.wait_visible(&reason_button("Coffee"));
        drop(scene.asterisk.take());
        scene.browser.wait_visible("#banner");
    }),
];

#[test]
fn axe_finds_no_violations_on_the_agents_page() {
    let (asterisk, bridge) = start_with_agents(SIMULATED);
    let asterisk = Some(asterisk);
    let browser = Browser::start();
    let mut scene = AgentScene {
        asterisk,
        bridge,
        browser,
    };
    assert_accessible(&mut scene, &STATES);
}
