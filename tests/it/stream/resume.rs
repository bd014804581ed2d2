//! Clients that reconnect or read slowly miss no change, and do not delay other clients.

use std::ops::Range;
use std::time::Duration;

use super::client::EventClient;
use super::panel::Panel;
use crate::mirror::expected::{ORGANIZATIONS, Organization};
use crate::mirror::{live_configuration, log_at_info, queues_conf, start_live};
use crate::support::{
    ACME, Asterisk, Bridge, GLOBEX, eventually, on_both_versions, with_state_directory,
};

on_both_versions!(
    reconnecting_client_replays_missed_changes_or_gets_a_snapshot,
    unusable_event_id_causes_a_snapshot,
    slow_reader_gets_a_snapshot_and_catches_up,
);

const ACME_ORGANIZATION: Organization = ORGANIZATIONS[0];

/// A timeout that is long enough for statistics that are a second old.
const CATCH_UP_TIMEOUT: Duration = Duration::from_secs(6);

const EVENT_TIMEOUT: Duration = Duration::from_secs(5);

fn reconnecting_client_replays_missed_changes_or_gets_a_snapshot(version: u32) {
    let (asterisk, bridge) = start_live(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    let mut panel = Panel::default();
    let mut client = EventClient::open(bridge.address, ACME, "");
    panel.drain(&mut client);
    assert_eq!(panel.count("snapshot"), 1);
    drop(client);
    pause_repeatedly(&asterisk, &bridge, 0..3000);
    let last = panel.last_id.clone();
    let mut client = EventClient::resume(bridge.address, ACME, "", last.as_deref());
    panel.catch_up(
        &mut client,
        &bridge,
        ACME_ORGANIZATION,
        &[],
        CATCH_UP_TIMEOUT,
    );
    // The client gets every change, and no new snapshot.
    assert_eq!(panel.count("snapshot"), 1, "{:?}", panel.counts);
    // If a list overtakes an event, the bridge sends the change twice.
    assert!(panel.count("member") >= 3000, "{:?}", panel.counts);
    drop(client);
    // Makes more changes than the bridge stores.
    pause_repeatedly(&asterisk, &bridge, 0..5000);
    let last = panel.last_id.clone();
    let mut client = EventClient::resume(bridge.address, ACME, "", last.as_deref());
    panel.catch_up(
        &mut client,
        &bridge,
        ACME_ORGANIZATION,
        &[],
        CATCH_UP_TIMEOUT,
    );
    assert_eq!(panel.count("snapshot"), 2, "{:?}", panel.counts);
}

/// Pauses agent 1001 once for each number, with a reason that contains the number. Returns once the
/// bridge shows the last reason.
fn pause_repeatedly(asterisk: &Asterisk, bridge: &Bridge, numbers: Range<usize>) {
    let mut ami = asterisk.ami();
    let reason = |number: usize| format!("{number} {:-<60}", "");
    for number in numbers.clone() {
        let response = ami.send(&format!(
            "Action: QueuePause\r\nQueue: acme-6001\r\nInterface: Local/1001@acme-agents\r\n\
             Paused: true\r\nReason: {}",
            reason(number)
        ));
        assert_eq!(response["Response"], "Success", "{response:?}");
    }
    eventually("the last pause is shown", || {
        let state = bridge.acme_ok("action=showstate&agent=1001");
        (state["reason"] == *reason(numbers.end - 1)).then_some(())
    });
}

fn unusable_event_id_causes_a_snapshot(version: u32) {
    let (_asterisk, bridge) = start_live(version);
    let first_event = |user, query, last: Option<&str>| {
        let mut client = EventClient::resume(bridge.address, user, query, last);
        client.event(EVENT_TIMEOUT)
    };
    let id = |user, query| first_event(user, query, None).expect("a snapshot").id;
    let acme_id = id(ACME, "");
    let (prefix, number) = acme_id.rsplit_once('-').expect("an id");
    let future = format!("{prefix}-{}", u64::MAX);
    let other_prefix = format!("0{prefix}-{number}");
    let filtered = id(ACME, "&queue=6001");
    let globex_id = id(GLOBEX, "");
    for last in [
        "",
        "0",
        "1",
        "garbage",
        "-",
        "-1",
        number,
        &future,
        &other_prefix,
        &filtered,
        &globex_id,
        &format!("{acme_id}0000000000000000000000"),
    ] {
        let event = first_event(ACME, "", Some(last)).expect("a snapshot");
        assert_eq!(event.name, "snapshot", "{last:?}");
    }
    let event = first_event(ACME, "&queue=6001", Some(&acme_id)).expect("a snapshot");
    assert_eq!(event.name, "snapshot");
    // With a usable id, the stream continues with the changes after that event.
    bridge.acme_ok("action=add&agent=1009&queue=6001");
    let event = first_event(ACME, "", Some(&acme_id)).expect("a change");
    assert_eq!(event.name, "member", "{event:?}");
}

fn slow_reader_gets_a_snapshot_and_catches_up(version: u32) {
    let asterisk = Asterisk::start_with(version, &[("queues.conf", &queues_conf(0))]);
    // Without a folder, the day's work would be stored in the memory that is measured here.
    let state = tempfile::tempdir().expect("a folder");
    let configuration = with_state_directory(&live_configuration(asterisk.port), state.path());
    let bridge = Bridge::start(&log_at_info(&configuration));
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    let before = bridge.usage().resident_kilobytes;
    let mut slow: Vec<_> = (0..4)
        .map(|_| EventClient::slow(bridge.address, ACME, ""))
        .collect();
    let mut client = EventClient::open(bridge.address, ACME, "");
    let mut fast = Panel::default();
    fast.catch_up(
        &mut client,
        &bridge,
        ACME_ORGANIZATION,
        &[],
        CATCH_UP_TIMEOUT,
    );
    let count = 16_000;
    let mut slowest = Duration::ZERO;
    for first in (0..count).step_by(1000) {
        // A panel that has not received the latest events yet shows another reason.
        pause_repeatedly(&asterisk, &bridge, first..first + 1000);
        let started = std::time::Instant::now();
        fast.catch_up(
            &mut client,
            &bridge,
            ACME_ORGANIZATION,
            &[],
            CATCH_UP_TIMEOUT,
        );
        slowest = slowest.max(started.elapsed());
    }
    let after = bridge.usage().resident_kilobytes;
    assert_eq!(fast.count("snapshot"), 1);
    assert!(fast.count("member") >= count, "{:?}", fast.counts);
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
        "slow readers, Asterisk {version}: {count} changes, snapshots per reader {snapshots:?}, the \
        fast reader caught up within {} ms; memory {before} kB, then {after} kB",
        slowest.as_millis()
    );
    assert!(snapshots.iter().all(|count| *count == 2), "{snapshots:?}");
    // The log of 4096 member changes, the connections' buffers and the work that is not stored yet fit
    // within this limit.
    assert!(after < before + 20_480, "{before} kB, then {after} kB");
}
