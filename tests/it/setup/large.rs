//! A PBX with many queues of several organizations.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::{Site, layouts};
use crate::support::on_both_versions;

on_both_versions!(five_hundred_queues_of_three_organizations_are_divided);

fn five_hundred_queues_of_three_organizations_are_divided(version: u32) {
    let mut queues = String::from("[general]\npersistentmembers = no\n");
    for number in 0..500 {
        let name = ["acme", "globex", "initech"][number % 3];
        let _ = write!(queues, "\n[{name}-{}]\n", 6000 + number / 3);
        for member in 0..4 {
            // The organizations' phones have the same numbers, in different contexts.
            let phone = 1000 + (number + member * 7) % 90;
            let _ = writeln!(
                queues,
                "member => Local/{phone}@{name}-agents,0,Agent {phone}"
            );
        }
    }
    let site = Site::start(version, &layouts::debian().with("queues.conf", &queues));
    let refused = site.setup(&["--yes"]);
    refused.assert(
        2,
        &[
            "--organization acme,globex,initech",
            "--queue-name '{queue}'",
        ],
    );
    let refused = site.setup(&["--yes", "--organization", "umbrella"]);
    refused.assert(2, &["no queue's name begins with umbrella"]);
    let names = ["--yes", "--organization", "acme,globex,initech"];
    let refused = site.setup(&[&names[..], &["--agents", "1*"]].concat());
    refused.assert(2, &["--agents applies to one organization"]);

    let started = Instant::now();
    let outcome = site.setup(&names);
    let elapsed = started.elapsed();
    println!("setup of 500 queues: {elapsed:?}");
    assert!(elapsed < Duration::from_secs(20), "{elapsed:?}");
    outcome.assert(
        0,
        &[
            "Queues on the PBX: 500. Members: 2000.",
            "organization acme: reaches 167 of the PBX's 500 queues",
            "organization globex: reaches 167 of the PBX's 500 queues",
            "organization initech: reaches 166 of the PBX's 500 queues",
        ],
    );
    let password = outcome.password_of("globex");
    let bridge = site.start_bridge();
    let query = format!("username=globex&password={password}&action=pause&agent=1001");
    let response = bridge.get(&query);
    assert_eq!(response.status, 200, "{response:?}");
    let shown = site.asterisk.cli("queue show");
    let paused = shown.lines().filter(|line| line.contains("(paused"));
    let paused: Vec<&str> = paused.collect();
    assert!(!paused.is_empty());
    assert!(
        paused
            .iter()
            .all(|line| line.contains("Local/1001@globex-agents")),
        "{paused:?}"
    );
}
