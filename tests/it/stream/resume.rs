//! Event streams that break and come back, and those that are read slowly: nothing
//! is missed, and nobody else waits.

use std::time::Duration;

use super::client::EventClient;
use super::panel::Panel;
use crate::mirror::expected::{ORGANIZATIONS, Organization};
use crate::mirror::start_live;
use crate::support::{ACME, Asterisk, Bridge, GLOBEX, eventually, on_both_versions};

on_both_versions!(
    who_comes_back_misses_nothing,
    an_id_that_says_nothing_begins_anew,
    a_slow_reader_is_brought_up_to_date,
);

const ACME_ORGANIZATION: Organization = ORGANIZATIONS[0];

/// Long enough for figures that are a second old.
const CAUGHT_UP: Duration = Duration::from_secs(6);

const SOON: Duration = Duration::from_secs(5);

fn who_comes_back_misses_nothing(version: u32) {
    let (asterisk, bridge) = start_live(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    let mut panel = Panel::default();
    let mut client = EventClient::open(bridge.address, ACME, "");
    panel.drain(&mut client);
    assert_eq!(panel.count("snapshot"), 1);
    drop(client);
    pauses(&asterisk, &bridge, 3000);
    let last = panel.last_id.clone();
    let mut client = EventClient::resume(bridge.address, ACME, "", last.as_deref());
    panel.catch_up(&mut client, &bridge, ACME_ORGANIZATION, &[], CAUGHT_UP);
    // Every one of them, and nothing anew.
    assert_eq!(panel.count("snapshot"), 1, "{:?}", panel.counts);
    // A list that overtakes an event shows a change early, and so twice.
    assert!(panel.count("member") >= 3000, "{:?}", panel.counts);
    drop(client);
    // More than is kept.
    pauses(&asterisk, &bridge, 5000);
    let last = panel.last_id.clone();
    let mut client = EventClient::resume(bridge.address, ACME, "", last.as_deref());
    panel.catch_up(&mut client, &bridge, ACME_ORGANIZATION, &[], CAUGHT_UP);
    assert_eq!(panel.count("snapshot"), 2, "{:?}", panel.counts);
}

/// So many changes of agent 1001, each with a reason of its own. Returns when the
/// bridge shows the last.
fn pauses(asterisk: &Asterisk, bridge: &Bridge, count: usize) {
    let mut ami = asterisk.ami();
    let reason = |number: usize| format!("{number} {:-<60}", "");
    for number in 0..count {
        let answer = ami.send(&format!(
            "Action: QueuePause\r\nQueue: acme-6001\r\nInterface: Local/1001@acme-agents\r\n\
             Paused: true\r\nReason: {}",
            reason(number)
        ));
        assert_eq!(answer["Response"], "Success", "{answer:?}");
    }
    eventually("the last pause is shown", || {
        let shown = bridge.acme_ok("action=showstate&agent=1001");
        (shown["reason"] == *reason(count - 1)).then_some(())
    });
}

fn an_id_that_says_nothing_begins_anew(version: u32) {
    let (_asterisk, bridge) = start_live(version);
    let first = |user, query, last: Option<&str>| {
        let mut client = EventClient::resume(bridge.address, user, query, last);
        client.event(SOON)
    };
    let id = |user, query| first(user, query, None).expect("a snapshot").id;
    let own = id(ACME, "");
    let (place, number) = own.rsplit_once('-').expect("an id");
    let future = format!("{place}-{}", u64::MAX);
    let other_place = format!("0{place}-{number}");
    let filtered = id(ACME, "&queue=6001");
    let others = id(GLOBEX, "");
    for last in [
        "",
        "0",
        "1",
        "garbage",
        "-",
        "-1",
        number,
        &future,
        &other_place,
        &filtered,
        &others,
        &format!("{own}0000000000000000000000"),
    ] {
        let event = first(ACME, "", Some(last)).expect("a snapshot");
        assert_eq!(event.name, "snapshot", "{last:?}");
    }
    let event = first(ACME, "&queue=6001", Some(&own)).expect("a snapshot");
    assert_eq!(event.name, "snapshot");
    // One that does says that there is nothing to tell but what has come since.
    bridge.acme_ok("action=add&agent=1009&queue=6001");
    let event = first(ACME, "", Some(&own)).expect("what has come since");
    assert_eq!(event.name, "member", "{event:?}");
}

fn a_slow_reader_is_brought_up_to_date(version: u32) {
    let (asterisk, bridge) = start_live(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    let before = bridge.usage().resident_kilobytes;
    let mut slow: Vec<_> = (0..4)
        .map(|_| EventClient::slow(bridge.address, ACME, ""))
        .collect();
    let mut client = EventClient::open(bridge.address, ACME, "");
    let mut quick = Panel::default();
    quick.catch_up(&mut client, &bridge, ACME_ORGANIZATION, &[], CAUGHT_UP);
    let count = 16_000;
    let mut slowest = Duration::ZERO;
    for _ in 0..count / 1000 {
        pauses(&asterisk, &bridge, 1000);
        let begun = std::time::Instant::now();
        quick.catch_up(&mut client, &bridge, ACME_ORGANIZATION, &[], CAUGHT_UP);
        slowest = slowest.max(begun.elapsed());
    }
    let after = bridge.usage().resident_kilobytes;
    assert_eq!(quick.count("snapshot"), 1);
    assert!(quick.count("member") >= count, "{:?}", quick.counts);
    let mut snapshots = Vec::new();
    for client in &mut slow {
        let mut panel = Panel::default();
        panel.catch_up(
            client,
            &bridge,
            ACME_ORGANIZATION,
            &[],
            Duration::from_secs(20),
        );
        snapshots.push(panel.count("snapshot"));
        assert!(panel.count("member") < count, "{:?}", panel.counts);
    }
    println!(
        "slow readers, Asterisk {version}: {count} changes, snapshots of each {snapshots:?}, the \
         quick one after at most {} ms; memory {before} kB, then {after} kB",
        slowest.as_millis()
    );
    assert!(snapshots.iter().all(|count| *count == 2), "{snapshots:?}");
    // The journal of 4096 members, and what each connection may hold.
    assert!(after < before + 16_384, "{before} kB, then {after} kB");
}
