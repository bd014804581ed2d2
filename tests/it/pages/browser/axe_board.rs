//! The board is accessible in each of its states.

use super::axe::{Scene, State, assert_accessible};
use super::hands::ESCAPE;
use super::today::show_today;
use super::{
    LIVE, advance_clocks, agent_selector, log_in, start_with_reasons, stop_clocks,
    wait_until_settled,
};
use crate::support::{Asterisk, Bridge, Browser, SIMULATED};

struct BoardScene {
    asterisk: Option<Asterisk>,
    bridge: Bridge,
    browser: Browser,
}

impl Scene for BoardScene {
    fn browser(&self) -> &Browser {
        &self.browser
    }
}

impl BoardScene {
    fn open_dialog(&self, button: &str) {
        self.browser.click(button);
        self.browser
            .wait_until("document.getElementById('dialog').open");
    }

    fn close_dialog(&self) {
        self.browser.press(ESCAPE);
        self.browser
            .wait_until("!document.getElementById('dialog').open");
    }

    fn search(&self, text: &str) {
        self.browser.fill("#search", text);
    }
}

/// Returns the selector of a person's row.
fn person(number: &str) -> String {
    format!(".person[data-agent=\"{number}\"]")
}

const STATES: [State<BoardScene>; 21] = [
    ("refused login", |scene| {
        log_in(&scene.browser, &scene.bridge, "wrong");
        scene.browser.wait_visible("#login-error");
    }),
    ("queues", |scene| {
        log_in(&scene.browser, &scene.bridge, "acme-password");
        scene.browser.wait_until(LIVE);
        scene.browser.wait_visible(".caller");
        let overdue = format!("{}.overdue", agent_selector("6002", "1004"));
        scene.browser.wait_visible(&overdue);
        let missed = format!("{} .bring-back", agent_selector("6002", "1003"));
        scene.browser.wait_visible(&missed);
    }),
    ("collapsed queues", |scene| {
        scene.browser.click("#expand");
        scene
            .browser
            .wait_until("document.querySelector('.toggle[aria-expanded=true]') === null");
    }),
    ("people", |scene| {
        scene.browser.click("#expand");
        scene.browser.click("#view label:has([value=people])");
        scene.browser.wait_visible(&person("1001"));
        scene
            .browser
            .wait_visible(&format!("{}.overdue", person("1004")));
    }),
    ("paused people", |scene| {
        scene.browser.click("#people-totals [data-state=paused]");
        let pressed = "#people-totals [data-state=paused][aria-pressed=true]";
        scene.browser.wait_visible(pressed);
    }),
    ("nobody found", |scene| {
        scene.search("nobody of this name");
        scene.browser.wait_visible("#nothing");
    }),
    ("chosen people", |scene| {
        scene.search("");
        scene.browser.click("#people-totals [data-state=paused]");
        for number in ["1001", "1002"] {
            let choose = format!("{} .choose", person(number));
            scene.browser.click(&choose);
        }
        scene.browser.wait_visible("#bulk");
    }),
    ("today", |scene| {
        show_today(&scene.browser);
        let incomplete = "#report-notice strong:not(:empty)";
        scene.browser.wait_visible(incomplete);
    }),
    ("today by queue", |scene| {
        scene.browser.click("#report-by label:has([value=queue])");
        scene.browser.wait_visible("[data-column=callers]");
        scene.browser.click("#report-table thead button");
    }),
    ("other days", |scene| {
        scene.browser.click("#report-days label:has([value=other])");
        scene.browser.wait_visible("#report-from");
        // Nothing was recorded yesterday.
        scene.browser.wait_visible("#nothing");
    }),
    ("pause of several people", |scene| {
        scene.browser.click("#view label:has([value=people])");
        scene.open_dialog("#bulk [data-action=pause]");
    }),
    ("removal of several people", |scene| {
        scene.close_dialog();
        scene.open_dialog("#bulk [data-action=remove]");
    }),
    ("pause", |scene| {
        scene.close_dialog();
        scene.browser.click("#bulk .quiet");
        scene.browser.click("#view label:has([value=queues])");
        scene.open_dialog(&format!("{} .pause", agent_selector("6002", "1002")));
    }),
    ("a change with an undo", |scene| {
        // The offer to undo stays, however long the checks take.
        stop_clocks(&scene.browser);
        scene.browser.click("#dialog [data-reason=Training]");
        scene.browser.wait_visible("#toasts .undo");
    }),
    ("resume", |scene| {
        advance_clocks(&scene.browser, 10_000);
        let row = agent_selector("6002", "1002");
        wait_until_settled(&scene.browser, &row);
        scene.open_dialog(&format!("{row} .pause[data-action=unpause]"));
    }),
    ("removal", |scene| {
        scene.close_dialog();
        scene.open_dialog(&format!("{} .remove", agent_selector("6001", "1002")));
    }),
    ("new agent", |scene| {
        scene.close_dialog();
        scene.open_dialog("#add");
    }),
    ("settings", |scene| {
        scene.close_dialog();
        scene.open_dialog("#settings");
    }),
    ("keys", |scene| {
        scene.close_dialog();
        scene.open_dialog("#help");
    }),
    ("lost link", |scene| {
        scene.close_dialog();
        drop(scene.asterisk.take());
        scene.browser.wait_visible("#banner");
    }),
    ("lost link, people", |scene| {
        scene.browser.click("#view label:has([value=people])");
        scene.browser.wait_visible(".stale .person");
    }),
];

#[test]
fn axe_finds_no_violations_on_the_board() {
    let (asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001&queue=6001,6002&alias=Dana");
    bridge.acme_ok("action=add&agent=1002&queue=6001,6002&alias=%D7%93%D7%A0%D7%94");
    // Asterisk gives this reason to an agent who has missed a call.
    bridge.acme_ok("action=add&agent=1003&queue=6002&alias=Noa&paused=1&reason=Auto-Pause");
    bridge.acme_ok("action=add&agent=1004&queue=6002&alias=Omar&paused=1&reason=Short%20break");
    bridge.acme_ok("action=pause&agent=1001&reason=Lunch");
    bridge.acme_ok("action=pause&agent=1002&queue=6001&reason=Training");
    // No agent in the queue is available, so the callers wait.
    asterisk.add_caller("acme-6001");
    asterisk.add_caller("acme-6001");
    asterisk.cli("devstate change Local/1001@acme-agents INUSE");
    let asterisk = Some(asterisk);
    let browser = Browser::start();
    let mut scene = BoardScene {
        asterisk,
        bridge,
        browser,
    };
    assert_accessible(&mut scene, &STATES);
}
