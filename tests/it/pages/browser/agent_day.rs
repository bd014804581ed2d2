//! An agent's own day, on the agent's page.

use serde_json::{Value, json};

use super::agent_page::{DANA, agent_configuration, open_agent_page, reason_button, tap};
use super::{browser_errors, wait_for_text};
use crate::support::{Asterisk, Bridge, SIMULATED, eventually};

/// The day as the page shows it: the label and the text of each entry.
const DAY: &str = "return Object.fromEntries([...document.querySelectorAll('#my-day dl div')]
    .map((entry) => [...entry.children].map((part) => part.innerText.trim())))";

#[test]
fn agent_sees_the_own_day_only() {
    let asterisk = Asterisk::start(SIMULATED);
    let bridge = Bridge::start(&agent_configuration(asterisk.port));
    bridge.acme_ok("action=add&agent=1001,1002&queue=6001,6002");
    bridge.acme_ok("action=pause&agent=1002&reason=Training");
    asterisk.take_call("acme-6001", "Local/1001@acme-agents");
    let browser = open_agent_page(&bridge, DANA);
    tap(&browser, &reason_button("Lunch"));
    // The page reads the day again when the agent's state changes.
    let day = eventually("the call and the pause are shown", || {
        let day = browser.run_script(DAY, &[]);
        day["Lunch"].is_string().then_some(day)
    });
    assert!(day["Training"].is_null(), "{day}");
    assert_eq!(
        (&day["Calls"], &day["Missed calls"]),
        (&json!("1"), &json!("0"))
    );
    let lunch = day["Lunch"].as_str().expect("text");
    assert!(lunch.starts_with("1 pause 0:00:0"), "{day}");
    // Nobody is logged in any more, so that the report does not change.
    bridge.acme_ok("action=remove&agent=1001,1002&queue=*");
    wait_for_text(&browser, "#state", "Logged out");
    let is_same = || {
        let row = bridge.get_ok(DANA, "action=showreport")["rows"][0].take();
        let hours = |value: &Value| {
            let seconds = value.as_u64().expect("seconds");
            format!(
                "{}:{:02}:{:02}",
                seconds / 3600,
                seconds / 60 % 60,
                seconds % 60
            )
        };
        let expected = json!({
            "Logged in": hours(&row["logged_in_seconds"]),
            "Paused": format!("1 pause {}", hours(&row["paused_seconds"])),
            "Lunch": format!("1 pause {}", hours(&row["reasons"][0]["paused_seconds"])),
            "Calls": "1",
            "Missed calls": "0",
            "Talk": hours(&row["talk_seconds"]),
            "Wrap-up": hours(&row["wrap_up_seconds"]),
        });
        browser.run_script("document.dispatchEvent(new Event('visibilitychange'))", &[]);
        (browser.run_script(DAY, &[]) == expected).then_some(())
    };
    eventually("the page shows the report's numbers", is_same);
    // The bridge has just begun to record.
    let missing = browser.text("#my-day-missing");
    assert!(missing.starts_with("The record begins on"), "{missing}");
    assert!(browser_errors(&browser).is_empty());
}

#[test]
fn agent_without_the_right_sees_no_day() {
    let asterisk = Asterisk::start(SIMULATED);
    let user = "username = \"dana\"\n";
    let limited = format!("{user}actions = [\"events\", \"pause\", \"unpause\"]\n");
    let text = agent_configuration(asterisk.port).replacen(user, &limited, 1);
    let bridge = Bridge::start(&text);
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    let browser = open_agent_page(&bridge, DANA);
    browser.wait_visible("#pause");
    let is_shown = "return document.getElementById('my-day').checkVisibility()";
    assert_eq!(browser.run_script(is_shown, &[]), false);
}
