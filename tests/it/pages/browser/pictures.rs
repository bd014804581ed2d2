//! Screenshots for the documentation. The test writes them to the folder in
//! `AMI_BRIDGE_PICTURES`, such as `docs/panel`. If the variable is unset, the test discards
//! them.

use std::path::Path;

use super::{agent_selector, open_board, wait_for_text};
use crate::support::{Asterisk, Bridge, Browser, SIMULATED, configuration, eventually};

/// The queues of a small call center.
const QUEUES: &str = "
[general]
[all](!)
strategy = ringall
timeout = 600
servicelevel = 60
ringinuse = no
[acme-6001](all)
[acme-6002](all)
[acme-6003](all)
[acme-6004](all)
[acme-6005](all)
member => Local/1050@acme-agents,0,Static Sam
";

/// The number, name and queues of each agent. Some names are Hebrew or Arabic.
const AGENTS: [(&str, &str, &str); 14] = [
    ("1001", "Dana Levi", "6001,6005"),
    ("1002", "Omar Haddad", "6001"),
    ("1003", "Ruth Abrams", "6001"),
    ("1004", "Jonas Weber", "6001"),
    ("1005", "Pavel Novák", "6001"),
    ("1010", "Anna Kowalska", "6002"),
    ("1011", "Tom Becker", "6002"),
    ("1012", "Lucía Fernández", "6002"),
    ("1013", "Samir Khoury", "6002"),
    ("1021", "דנה לוי", "6003"),
    ("1022", "יוסי כהן", "6003"),
    ("1023", "מיכל אברהם", "6003"),
    ("1031", "ليلى حداد", "6004"),
    ("1032", "كريم منصور", "6004"),
];

const STATES: [(&str, &str); 7] = [
    ("1002", "INUSE"),
    ("1004", "RINGING"),
    ("1005", "UNAVAILABLE"),
    ("1010", "INUSE"),
    ("1011", "INUSE"),
    ("1013", "ONHOLD"),
    ("1023", "INUSE"),
];

const PAUSES: [(&str, &str); 4] = [
    ("1001", "Lunch"),
    ("1012", "Training"),
    ("1021", "הפסקת צהריים"),
    ("1032", "اجتماع"),
];

fn percent_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn start_call_center() -> (Asterisk, Bridge) {
    let asterisk = Asterisk::start_with(SIMULATED, &[("queues.conf", QUEUES)]);
    let text = configuration(asterisk.port).replacen(
        "queues = [\"6001\", \"6002\"]",
        "queues = [\"*\"]",
        1,
    );
    let bridge = Bridge::start(&text);
    for (number, name, queues) in AGENTS {
        let alias = percent_encoded(name);
        bridge.acme_ok(&format!(
            "action=add&agent={number}&queue={queues}&alias={alias}"
        ));
    }
    for (number, state) in STATES {
        asterisk.cli(&format!(
            "devstate change Local/{number}@acme-agents {state}"
        ));
    }
    for (number, reason) in PAUSES {
        let reason = percent_encoded(reason);
        bridge.acme_ok(&format!("action=pause&agent={number}&reason={reason}"));
    }
    // No agent in queue 6002 is available, so the callers wait.
    for _ in 0..3 {
        asterisk.add_caller("acme-6002");
    }
    (asterisk, bridge)
}

/// Takes a screenshot, and writes it if `AMI_BRIDGE_PICTURES` names a folder.
fn take_screenshot(browser: &Browser, name: &str) {
    let screenshot = browser.screenshot();
    assert!(screenshot.starts_with(b"\x89PNG"), "{name}");
    if let Some(folder) = std::env::var_os("AMI_BRIDGE_PICTURES") {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        std::fs::create_dir_all(&folder).expect("the folder");
        std::fs::write(folder.join(name), screenshot).expect("a writable file");
    }
}

#[test]
fn screenshots_of_the_page_can_be_taken() {
    let (_asterisk, bridge) = start_call_center();
    let browser = open_board(&bridge);
    browser.set_screen_size(1440, 900);
    let queue = ".card[data-queue=\"6002\"]";
    wait_for_text(&browser, &format!("{queue} .wait strong"), "3");
    wait_for_text(
        &browser,
        &format!("{} .state", agent_selector("6002", "1013")),
        "On hold",
    );
    // Waits until the screenshots show waiting times of several seconds.
    eventually("the callers have waited 7 s", || {
        let time = browser.text(&format!("{queue} .longest time"));
        (time.as_str() >= "0:07").then_some(())
    });
    take_screenshot(&browser, "desktop.png");
    browser.set_color_scheme("dark");
    take_screenshot(&browser, "dark.png");
    browser.set_color_scheme("light");
    browser.click(&format!("{} .pause", agent_selector("6001", "1003")));
    browser.wait_until("document.getElementById('dialog').open");
    take_screenshot(&browser, "pause.png");
    browser.press("\u{e00c}");
    browser.wait_until("!document.getElementById('dialog').open");
    browser.set_screen_size(1920, 1080);
    browser.click("#wall");
    take_screenshot(&browser, "wall.png");
    browser.click("#wall");
    browser.set_screen_size(390, 844);
    browser.run_script("scrollTo(0, 0)", &[]);
    take_screenshot(&browser, "telephone.png");
}
