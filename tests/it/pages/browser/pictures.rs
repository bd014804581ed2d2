//! Screenshots for the documentation. The test writes them to the folder in
//! `AMI_BRIDGE_PICTURES`, such as `docs/panel`. If the variable is unset, the test discards
//! them.

use std::path::Path;

use super::agent_page::{DANA, open_agent_page, reason_button, tap};
use super::{LIVE, agent_selector, open_board, wait_for_text};
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

/// Asterisk gives the reason `Auto-Pause` to an agent who has missed a call.
const PAUSES: [(&str, &str); 5] = [
    ("1001", "Lunch"),
    ("1012", "Coffee"),
    ("1021", "הפסקת צהריים"),
    ("1022", "Auto-Pause"),
    ("1032", "اجتماع"),
];

/// Returns the bridge's configuration with a wrap-up time and with pause reasons.
fn call_center_configuration(ami_port: u16, coffee_limit: &str) -> String {
    let header = "[organization.acme]\nqueues = [\"6001\", \"6002\"]\n";
    let acme = "[organization.acme]\nqueues = [\"*\"]\nwrapup = \"60s\"\n";
    let configuration = configuration(ami_port).replacen(header, acme, 1);
    let reasons = [
        ("Lunch", "limit = \"45m\"\nends = true"),
        ("Coffee", &format!("limit = \"{coffee_limit}\"")),
        ("Training", ""),
        ("הפסקת צהריים", "limit = \"30m\"\nends = true"),
    ];
    let reasons = reasons.map(|(name, limit)| {
        format!("\n[[organization.acme.reason]]\nname = \"{name}\"\n{limit}\n")
    });
    configuration + &reasons.concat()
}

fn percent_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

fn start_call_center() -> (Asterisk, Bridge) {
    let asterisk = Asterisk::start_with(SIMULATED, &[("queues.conf", QUEUES)]);
    let bridge = Bridge::start(&call_center_configuration(asterisk.port, "15m"));
    for (number, name, queues) in AGENTS {
        let alias = percent_encoded(name);
        bridge.acme_ok(&format!(
            "action=add&agent={number}&queue={queues}&alias={alias}"
        ));
    }
    complete_a_call(&asterisk, &bridge);
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

/// Lets an agent of queue 6001 answer a call that then ends.
fn complete_a_call(asterisk: &Asterisk, bridge: &Bridge) {
    asterisk.add_caller("acme-6001");
    let count = |field: &str| {
        let response = bridge.acme_ok("action=showqueuestat&queue=6001");
        response["queues"][0]["agents"][field].as_u64()
    };
    eventually("an agent answers the call", || {
        (count("in_call") == Some(1)).then_some(())
    });
    asterisk.cli("channel request hangup all");
    eventually("an agent is in wrap-up", || {
        (count("wrap_up") == Some(1)).then_some(())
    });
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
    let (asterisk, bridge) = start_call_center();
    let browser = open_board(&bridge);
    browser.set_screen_size(1440, 900);
    browser.click(&format!("{} .pause", agent_selector("6001", "1003")));
    browser.wait_until("document.getElementById('dialog').open");
    take_screenshot(&browser, "pause.png");
    browser.press("\u{e00c}");
    browser.wait_until("!document.getElementById('dialog').open");
    browser.run_script("document.activeElement.blur()", &[]);
    // With a shorter limit, an agent is already over it.
    let reload = bridge.reconfigure(&call_center_configuration(asterisk.port, "4s"));
    assert_eq!(reload["message"], "configuration reloaded", "{reload}");
    browser.wait_visible(".agent.overdue");
    browser.wait_until(LIVE);
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
    browser.set_screen_size(390, 844);
    browser.run_script("document.getElementById('app').scrollTo(0, 0)", &[]);
    take_screenshot(&browser, "telephone.png");
    // The session continues on the wall screen.
    browser.click("#wall");
    browser.set_screen_size(1920, 1080);
    wait_for_text(&browser, ".tile[data-queue=\"6002\"] .count", "3");
    browser.wait_until("document.getElementById('cover').hidden");
    take_screenshot(&browser, "wall.png");
}

#[test]
fn screenshots_of_the_agents_page_can_be_taken() {
    let (asterisk, bridge) = start_call_center();
    let user = "\n[[organization.acme.user]]\nusername = \"dana\"\n\
                password = \"dana-password\"\nagents = [\"1001\"]\n";
    let reload = bridge.reconfigure(&(call_center_configuration(asterisk.port, "15m") + user));
    assert_eq!(reload["message"], "configuration reloaded", "{reload}");
    let browser = open_agent_page(&bridge, DANA);
    browser.wait_visible("#resume");
    // Waits until the screenshot shows a pause of several seconds.
    browser.wait_until("document.getElementById('timer').innerText >= '0:07'");
    take_screenshot(&browser, "agent-paused.png");
    tap(&browser, "#resume");
    browser.wait_visible(&reason_button("Coffee"));
    wait_for_text(&browser, "#state", "Available");
    take_screenshot(&browser, "agent.png");
    bridge.acme_ok("action=pause&agent=1001&queue=6005&reason=Training");
    browser.wait_visible("#partly");
    browser.set_color_scheme("dark");
    take_screenshot(&browser, "agent-dark.png");
}
