//! The page stays responsive with 500 queues of 100 agents each.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde_json::Value;

use super::open_board;
use crate::support::{Asterisk, Bridge, Browser, SIMULATED, SetOnDrop, configuration};

const QUEUES: usize = 500;
const MEMBERS: usize = 100;

/// A script that scrolls through the page for up to 3 s, by `PIXELS` pixels per frame, and
/// returns the duration of each frame in milliseconds.
const SCROLL_SCRIPT: &str = "
    const done = arguments[arguments.length - 1];
    const frames = [];
    const app = document.getElementById('app');
    const end = () => app.scrollHeight - app.clientHeight;
    const from = performance.now();
    let last = from;
    app.scrollTo(0, 0);
    requestAnimationFrame(function step(now) {
        frames.push(now - last);
        last = now;
        app.scrollBy(0, PIXELS);
        if (now - from < 3000 && app.scrollTop < end()) requestAnimationFrame(step);
        else done(frames.slice(2));
    });";

/// Returns a `queues.conf` with all queues and their static members.
fn queues_conf() -> String {
    let mut text = String::from("[general]\n");
    for queue in 0..QUEUES {
        let _ = writeln!(text, "[acme-{}]\nstrategy = ringall", 6000 + queue);
        for member in 0..MEMBERS {
            let number = 100_000 + queue * MEMBERS + member;
            let _ = writeln!(
                text,
                "member => Local/{number}@acme-agents,0,Agent {number}"
            );
        }
    }
    text
}

/// Asserts that scrolling is smooth in one of three attempts. Other tests run at the same time, so
/// the best attempt counts. A page that freezes or is slow throughout fails each time.
fn assert_scrolls_smoothly(browser: &Browser, name: &str, pixels: u32) {
    let is_smooth = (0..3).any(|_| {
        let (median, longest) = measure_frames(browser, name, pixels);
        median <= 200.0 && longest < 3000.0
    });
    assert!(is_smooth, "{name}");
}

/// Scrolls through the page, and returns the median and the longest frame duration in milliseconds.
fn measure_frames(browser: &Browser, name: &str, pixels: u32) -> (f64, f64) {
    let frames = browser.run_async_script(&SCROLL_SCRIPT.replace("PIXELS", &pixels.to_string()));
    let frames = frames.as_array().expect("frames").iter();
    let mut frames: Vec<f64> = frames.filter_map(Value::as_f64).collect();
    frames.sort_by(f64::total_cmp);
    let percentile = |share: f64| frames[((frames.len() - 1) as f64 * share) as usize];
    println!(
        "{name}: {} frames, median {:.0} ms, 95 % {:.0} ms, 99 % {:.0} ms, longest {:.0} ms",
        frames.len(),
        percentile(0.5),
        percentile(0.95),
        percentile(0.99),
        percentile(1.0)
    );
    (percentile(0.5), percentile(1.0))
}

#[test]
fn page_scrolls_smoothly_with_500_queues_of_100_agents() {
    let asterisk = Asterisk::start_with(SIMULATED, &[("queues.conf", &queues_conf())]);
    let configuration = configuration(asterisk.port)
        .replace("info,ami_bridge=trace", "info")
        .replacen("queues = [\"6001\", \"6002\"]", "queues = [\"*\"]", 1)
        .replacen("agents = [\"1001-1099\"]", "agents = [\"*\"]", 1);
    let bridge = Bridge::start(&configuration);
    let started = Instant::now();
    let browser = open_board(&bridge);
    browser.wait_until(&format!(
        "document.querySelectorAll('.card').length === {QUEUES}"
    ));
    println!(
        "from the browser's start to the complete board: {:?}",
        started.elapsed()
    );
    browser.wait_until("document.getElementById('shown').innerText === '500 queues'");

    assert_scrolls_smoothly(&browser, "closed", 60);
    browser.click("#expand");
    browser.wait_visible(".agent");
    assert_scrolls_smoothly(&browser, "all open", 60);
    assert_scrolls_smoothly(&browser, "all open, ten times as fast", 600);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _stop_changes = SetOnDrop(&done);
        let changer = scope.spawn(|| change(&bridge, &done));
        assert_scrolls_smoothly(
            &browser,
            "all open, while agents are paused and unpaused",
            60,
        );
        done.store(true, Ordering::Relaxed);
        println!(
            "changes while scrolling: {}",
            changer.join().expect("no panic in change")
        );
    });
    // The page does not draw agents that are far outside the viewport.
    let drawn_rows = browser.run_script("return document.querySelectorAll('.agent').length", &[]);
    assert!(
        drawn_rows.as_u64().expect("a number") < 2_000,
        "{drawn_rows}"
    );

    // The search finds one agent among 50,000 while the user types.
    let search_script = "
        const done = arguments[arguments.length - 1];
        const field = document.getElementById('search');
        const from = performance.now();
        field.value = 'agent 149999';
        field.dispatchEvent(new Event('input'));
        requestAnimationFrame(() => requestAnimationFrame(() => {
            const rows = [...document.querySelectorAll('.card:not([hidden]) .agent .who')];
            done([performance.now() - from, rows.map((row) => row.innerText)]);
        }));";
    browser.run_script("document.getElementById('app').scrollTo(0, 0)", &[]);
    let first_search = browser.run_async_script(search_script);
    println!(
        "the first search among 50,000 agents: {:.0} ms",
        first_search[0].as_f64().expect("a duration")
    );
    super::wait_for_text(&browser, ".card:not([hidden]) .agent .name", "Agent 149999");
    super::wait_for_text(&browser, "#shown", "1 of 500 queues");
}

/// Pauses and unpauses agents in all queues in turn until `done` is set. Returns the number of
/// changes.
fn change(bridge: &Bridge, done: &AtomicBool) -> usize {
    let mut changes = 0;
    while !done.load(Ordering::Relaxed) {
        let number = 100_000 + (changes / 2 * 7) % (QUEUES * MEMBERS);
        let action = ["pause", "unpause"][changes % 2];
        bridge.acme_ok(&format!("action={action}&agent={number}"));
        changes += 1;
    }
    changes
}
