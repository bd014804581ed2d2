//! The wall screen's memory stays flat. It has to run for weeks.

use std::time::{Duration, Instant};

use serde_json::json;

use super::wall::{agent, configuration_with_queues, numbers, open_wall, queues_conf};
use super::{browser_errors, wait_for_text};
use crate::support::{API_PATH, Asterisk, Bridge, Browser, KeepAliveConnection, SIMULATED};

/// The number of changes each minute.
const CHANGES_PER_MINUTE: u32 = 1000;

/// The number of queues.
const QUEUES: usize = 16;

/// The duration without `AMI_BRIDGE_WALL_MINUTES`.
const DEFAULT_MINUTES: f64 = 0.5;

/// The part of the page's heap that may remain, in kilobytes: a garbage collection keeps some
/// memory for later, and the browser compiles the scripts again when they run often.
const HEAP_TOLERANCE: i64 = 512;

/// The nodes that may be in the last frame's changes.
const NODE_TOLERANCE: i64 = 100;

/// What the page uses after a garbage collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Usage {
    heap_kilobytes: i64,
    nodes: i64,
    listeners: i64,
    documents: i64,
}

impl Usage {
    fn measure(browser: &Browser) -> Self {
        for _ in 0..3 {
            browser.devtools("HeapProfiler.collectGarbage", &json!({}));
        }
        let metrics = browser.devtools("Performance.getMetrics", &json!({}));
        let value = |name: &str| {
            let metrics = metrics["metrics"].as_array().expect("metrics").iter();
            let metric = metrics.clone().find(|metric| metric["name"] == name);
            let value = metric.and_then(|metric| metric["value"].as_f64());
            value.unwrap_or_else(|| panic!("no {name}: {metrics:?}")) as i64
        };
        Self {
            heap_kilobytes: value("JSHeapUsedSize") / 1024,
            nodes: value("Nodes"),
            listeners: value("JSEventListeners"),
            documents: value("Documents"),
        }
    }
}

/// Pauses and resumes the members of all queues in turn, with a caller now and then. At the end, as
/// at the beginning, all members are available and nobody waits.
struct Changes {
    connection: KeepAliveConnection,
    count: u32,
}

impl Changes {
    fn make(&mut self, asterisk: &Asterisk, duration: Duration) {
        let interval = Duration::from_secs(60) / CHANGES_PER_MINUTE;
        let started = Instant::now();
        let mut round = 0;
        while started.elapsed() < duration || round % 2 == 1 {
            let queue = 6001 + round as usize / 2 % QUEUES;
            let action = ["pause", "unpause"][round as usize % 2];
            let target = format!(
                "{API_PATH}?username=acme%40example.com&password=acme-password\
                 &action={action}&agent={}&queue={queue}&reason=Lunch",
                agent(queue)
            );
            let response = self.connection.get(&target).expect("a response");
            assert_eq!(response.status, 200, "{response:?}");
            match round % 300 {
                100 => asterisk.add_caller(&format!("acme-{queue}")),
                299 => drop(asterisk.cli("channel request hangup all")),
                _ => {}
            }
            round += 1;
            // The pace is a part of the load.
            std::thread::sleep((interval * round).saturating_sub(started.elapsed()));
        }
        asterisk.cli("channel request hangup all");
        self.count += round;
    }
}

/// Makes changes for some time, waits until the screen shows the last one, and returns the page's
/// usage.
fn run(browser: &Browser, asterisk: &Asterisk, changes: &mut Changes, time: Duration) -> Usage {
    changes.make(asterisk, time);
    browser.wait_until(&format!(
        "[...document.querySelectorAll('.tile .free')]
            .filter((free) => free.innerText === '1 free').length === {QUEUES}"
    ));
    wait_for_text(browser, "[data-total=waiting] dd", "0");
    let usage = Usage::measure(browser);
    println!("after {} changes: {usage:?}", changes.count);
    usage
}

#[test]
fn memory_of_the_wall_screen_stays_flat() {
    let minutes = std::env::var("AMI_BRIDGE_WALL_MINUTES").ok();
    let minutes = minutes.map_or(DEFAULT_MINUTES, |text| text.parse().expect("minutes"));
    let duration = Duration::from_secs_f64(minutes * 60.0);
    let asterisk = Asterisk::start_with(SIMULATED, &[("queues.conf", &queues_conf(QUEUES))]);
    let queues: Vec<_> = numbers(QUEUES).map(|number| number.to_string()).collect();
    let configuration =
        configuration_with_queues(asterisk.port, &queues).replace("info,ami_bridge=trace", "info");
    let bridge = Bridge::start(&configuration);
    let browser = open_wall(&bridge, "&late=5");
    browser.devtools("Performance.enable", &json!({}));
    let mut changes = Changes {
        connection: KeepAliveConnection::new(bridge.address),
        count: 0,
    };
    // In the first part, the browser compiles the scripts and fills its caches.
    let parts = 10;
    let before = run(&browser, &asterisk, &mut changes, duration / parts);
    let mut after = before;
    for _ in 1..parts {
        after = run(&browser, &asterisk, &mut changes, duration / parts);
    }
    assert!(
        after.heap_kilobytes <= before.heap_kilobytes + HEAP_TOLERANCE,
        "{before:?}, then {after:?}"
    );
    assert!(
        after.nodes <= before.nodes + NODE_TOLERANCE,
        "{before:?}, then {after:?}"
    );
    assert_eq!(after.listeners, before.listeners);
    assert_eq!(after.documents, before.documents);
    assert_eq!(browser_errors(&browser), Vec::<String>::new());
}
