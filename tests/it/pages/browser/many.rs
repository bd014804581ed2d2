//! The page stays responsive with 500 queues of 100 agents.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde_json::Value;

use super::open_board;
use crate::support::{Asterisk, Bridge, Browser, SIMULATED, SetOnDrop, configuration};

const QUEUES: usize = 500;
const MEMBERS: usize = 100;

/// Scrolls through the page for up to 8 s, by `PIXELS` pixels per frame. Returns the
/// duration of each frame in milliseconds.
const SCROLL: &str = "
    const done = arguments[arguments.length - 1];
    const frames = [];
    const end = () => document.documentElement.scrollHeight - innerHeight;
    const from = performance.now();
    let last = from;
    scrollTo(0, 0);
    requestAnimationFrame(function step(now) {
        frames.push(now - last);
        last = now;
        scrollBy(0, PIXELS);
        if (now - from < 8000 && scrollY < end()) requestAnimationFrame(step);
        else done(frames.slice(2));
    });";

/// A `queues.conf` with all queues and their static members.
fn queues() -> String {
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

/// Scrolls through the page, and returns the sorted durations of the frames in
/// milliseconds.
fn frames(browser: &Browser, what: &str, pixels: u32) -> Vec<f64> {
    let frames = browser.run_async_script(&SCROLL.replace("PIXELS", &pixels.to_string()));
    let frames = frames.as_array().expect("frames").iter();
    let mut frames: Vec<f64> = frames.filter_map(Value::as_f64).collect();
    frames.sort_by(f64::total_cmp);
    let at = |share: f64| frames[((frames.len() - 1) as f64 * share) as usize];
    println!(
        "{what}: {} frames, median {:.0} ms, 95 % {:.0} ms, 99 % {:.0} ms, longest {:.0} ms",
        frames.len(),
        at(0.5),
        at(0.95),
        at(0.99),
        at(1.0)
    );
    frames
}

#[test]
fn page_scrolls_smoothly_with_500_queues_of_100_agents() {
    let asterisk = Asterisk::start_with(SIMULATED, &[("queues.conf", &queues())]);
    let configuration = configuration(asterisk.port)
        .replace("info,ami_bridge=trace", "info")
        .replacen("queues = [\"6001\", \"6002\"]", "queues = [\"*\"]", 1)
        .replacen("agents = [\"1001-1099\"]", "agents = [\"*\"]", 1);
    let bridge = Bridge::start(&configuration);
    let began = Instant::now();
    let browser = open_board(&bridge);
    browser.wait_until(&format!(
        "document.querySelectorAll('.card').length === {QUEUES}"
    ));
    println!(
        "from the start of the browser to the board: {:?}",
        began.elapsed()
    );
    browser.wait_until("document.getElementById('shown').innerText === '500 queues'");

    let mut all = vec![("closed", frames(&browser, "closed", 60))];
    browser.click("#expand");
    browser.wait_visible(".agent");
    all.push(("open", frames(&browser, "all open", 60)));
    all.push(("fast", frames(&browser, "all open, ten times as fast", 600)));
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _end = SetOnDrop(&done);
        let changing = scope.spawn(|| change(&bridge, &done));
        all.push((
            "changing",
            frames(&browser, "all open, while agents come and go", 60),
        ));
        done.store(true, Ordering::Relaxed);
        println!("changes meanwhile: {}", changing.join().expect("changes"));
    });
    // The page does not draw agents that are far from the visible part.
    let drawn = browser.run_script("return document.querySelectorAll('.agent').length", &[]);
    assert!(drawn.as_u64().expect("a number") < 2_000, "{drawn}");

    // The search finds one of 50,000 agents while the user types.
    let search = "
        const done = arguments[arguments.length - 1];
        const field = document.getElementById('search');
        const from = performance.now();
        field.value = 'agent 149999';
        field.dispatchEvent(new Event('input'));
        requestAnimationFrame(() => requestAnimationFrame(() => {
            const rows = [...document.querySelectorAll('.card:not([hidden]) .agent .who')];
            done([performance.now() - from, rows.map((row) => row.innerText)]);
        }));";
    browser.run_script("scrollTo(0, 0)", &[]);
    let first = browser.run_async_script(search);
    println!(
        "the first search among 50,000 agents: {:.0} ms",
        first[0].as_f64().expect("time")
    );
    super::wait_for_text(&browser, ".card:not([hidden]) .agent .name", "Agent 149999");
    super::wait_for_text(&browser, "#shown", "1 of 500 queues");

    // Single frames may be late because other tests run in parallel. A page that freezes or
    // is slow throughout exceeds these limits.
    for (what, frames) in all {
        let median = frames[frames.len() / 2];
        assert!(median <= 200.0, "{what}: {median} ms");
        let longest = frames.last().expect("frames");
        assert!(*longest < 3000.0, "{what}: {longest} ms");
    }
}

/// Pauses and unpauses agents of all queues in turn until `done` is set. Returns the number
/// of changes.
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
