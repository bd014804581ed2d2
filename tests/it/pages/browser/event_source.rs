//! The documented example for tickets, in a real browser.

use std::path::Path;

use crate::support::{Browser, SIMULATED, configuration, start};

/// Returns the JavaScript example in docs/API.md.
fn example() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/API.md");
    let document = std::fs::read_to_string(path).expect("a document");
    let example = document.split("```js\n").nth(1).expect("an example");
    example.split("```").next().expect("its end").to_owned()
}

#[test]
fn documented_event_source_example_follows_changes_and_reconnects() {
    let (asterisk, bridge) = start(SIMULATED);
    let browser = Browser::start();
    browser.open(bridge.address);
    let page = "const authorization = 'Basic ' + btoa('acme@example.com:acme-password');
        window.shown = [];
        const show = (name, data) => window.shown.push(`${name} ${data.change}`);";
    browser.run_script(&format!("{page}\n{}\nfollow();", example()), &[]);
    browser.wait_until("shown.includes('snapshot undefined')");
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    browser.wait_until("shown.includes('member added')");
    browser.run_script("shown.length = 0;", &[]);
    // The changed entry ends the stream. The page has to request another ticket.
    let password = "password = \"acme-password\"";
    let networks = format!("{password}\nallow_from = [\"127.0.0.0/8\"]");
    bridge.reconfigure(&configuration(asterisk.port).replace(password, &networks));
    browser.wait_until("shown.includes('snapshot undefined')");
    bridge.acme_ok("action=pause&agent=1001&queue=6001");
    browser.wait_until("shown.includes('member paused')");
}
