//! A client that only follows the event stream sees the same state as `showqueue`.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use fastrand::Rng;
use serde_json::json;

use super::client::{EventClient, Item};
use super::panel::Panel;
use crate::mirror::churn::Churn;
use crate::mirror::expected::{ORGANIZATIONS, Organization};
use crate::mirror::{RESYNC, start_live};
use crate::support::{
    ACME, AmiMessage, Bridge, GLOBEX, SIMULATED, eventually, on_both_versions, start,
};

on_both_versions!(
    panel_built_from_events_equals_showqueue,
    stream_contains_only_the_requested_queues,
    new_caller_is_sent_immediately,
    pause_is_followed_by_new_statistics,
    idle_stream_sends_a_comment_every_fifteen_seconds,
);

/// A timeout that is long enough for changes without events, and for statistics that are a second
/// old.
const CATCH_UP_TIMEOUT: Duration = Duration::from_secs(6);

const EVENT_TIMEOUT: Duration = Duration::from_secs(5);

fn panel_built_from_events_equals_showqueue(version: u32) {
    let (asterisk, bridge) = start_live(version);
    let seed = fastrand::u64(..);
    println!("panel, Asterisk {version}: seed {seed}");
    let mut rng = Rng::with_seed(seed);
    let churn = Churn::new(&asterisk, &bridge, true);
    let filters: [(Organization, &str, &[&str]); 4] = [
        (ORGANIZATIONS[0], "", &[]),
        (ORGANIZATIONS[0], "&queue=6003", &["6003"]),
        (ORGANIZATIONS[0], "&queue=6001,6004", &["6001", "6004"]),
        (ORGANIZATIONS[1], "", &[]),
    ];
    let mut streams: Vec<_> = filters
        .iter()
        .map(|(organization, filter, only)| {
            let client = EventClient::open(bridge.address, organization.user, filter);
            (client, Panel::default(), *organization, *filter, *only)
        })
        .collect();
    let mut fields = 0;
    for round in 0..8 {
        churn.burst(&mut rng, Duration::from_millis(800));
        churn.settle_calls(&mut rng);
        for (client, panel, organization, filter, only) in &mut streams {
            fields += panel.catch_up(
                client,
                &bridge,
                *organization,
                only,
                RESYNC + CATCH_UP_TIMEOUT,
            );
            if round % 2 == 1 {
                // The connection breaks, and the client resumes after its last event.
                let last = panel.last_id.clone();
                let last = last.as_deref();
                *client = EventClient::resume(bridge.address, organization.user, filter, last);
            }
        }
    }
    for (_, panel, organization, filter, _) in &streams {
        println!(
            "panel, Asterisk {version}: {}{filter}: {:?}, all equal",
            organization.name, panel.counts
        );
    }
    println!(
        "panel, Asterisk {version}: {fields} fields compared; {}",
        churn.counts()
    );
}

fn stream_contains_only_the_requested_queues(version: u32) {
    let (asterisk, bridge) = start_live(version);
    let open = |user, query| EventClient::open(bridge.address, user, query);
    let mut all = open(ACME, "");
    let mut one = open(ACME, "&queue=6001");
    let mut two = open(ACME, "&queue=6002,6004");
    let mut other = open(GLOBEX, "");
    for queue in ["6001", "6002", "6003", "6004"] {
        bridge.acme_ok(&format!("action=add&agent=1001&queue={queue}"));
    }
    bridge.get_ok(GLOBEX, "action=add&agent=1001&queue=6002&alias=Gila");
    // The other organization's phone, in one of acme's queues, is a member without an agent
    // number.
    asterisk
        .ami()
        .send("Action: QueueAdd\r\nQueue: acme-6002\r\nInterface: Local/1002@globex-agents");
    let events_until = |client: &mut EventClient, marker: &str| {
        let mut queues = Vec::new();
        loop {
            let event = client.event(EVENT_TIMEOUT).expect("an event");
            if event.name == "snapshot" {
                for queue in event.data["queues"].as_array().expect("queues") {
                    queues.push(format!(
                        "snapshot {}",
                        queue["queue"].as_str().expect("text")
                    ));
                }
            } else if event.name == "member" {
                let queue = event.data["queue"].as_str().expect("text");
                queues.push(format!("{queue} {}", event.data["member"]["agent"]));
            }
            // A new member causes a second event when its device state becomes known.
            queues.dedup();
            if queues.last().is_some_and(|last| last == marker) {
                return queues;
            }
        }
    };
    assert_eq!(
        events_until(&mut one, "6001 \"1001\""),
        ["snapshot 6001", "6001 \"1001\""]
    );
    let expected = [
        "snapshot 6002",
        "snapshot 6004",
        "6002 \"1001\"",
        "6004 \"1001\"",
        "6002 null",
    ];
    assert_eq!(events_until(&mut two, "6002 null"), expected);
    let expected = [
        "snapshot 6001",
        "snapshot 6002",
        "snapshot 6003",
        "snapshot 6004",
        "6001 \"1001\"",
        "6002 \"1001\"",
        "6003 \"1001\"",
        "6004 \"1001\"",
        "6002 null",
    ];
    assert_eq!(events_until(&mut all, "6002 null"), expected);
    let expected = ["snapshot 6001", "snapshot 6002", "6002 \"1001\""];
    assert_eq!(events_until(&mut other, "6002 \"1001\""), expected);
}

fn new_caller_is_sent_immediately(version: u32) {
    let (asterisk, bridge) = start_live(version);
    let mut client = EventClient::open(bridge.address, ACME, "");
    client.until("snapshot", EVENT_TIMEOUT);
    let mut ami = asterisk.ami();
    let mut slowest = Duration::ZERO;
    for waiting in 1..=5 {
        asterisk.add_caller("acme-6001");
        // Asterisk first answers the channel, which takes half a second.
        let is_caller = |row: &AmiMessage| row["Event"] == "QueueEntry";
        eventually("the caller waits", || {
            let rows = ami.queue_status("acme-6001").into_iter();
            (rows.filter(is_caller).count() == waiting).then_some(())
        });
        let started = std::time::Instant::now();
        loop {
            let events = client.until("queue", EVENT_TIMEOUT);
            let event = &events.last().expect("a queue event").data;
            if event["callers"].as_array().map(Vec::len) == Some(waiting) {
                assert_eq!(event["queue"], "6001");
                assert_eq!(event["callers_waiting"], json!(waiting));
                break;
            }
        }
        slowest = slowest.max(started.elapsed());
    }
    println!(
        "Asterisk {version}: a new caller is sent after at most {} ms",
        slowest.as_millis()
    );
    // An update through the next resync, after three seconds, would be too late.
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
}

fn pause_is_followed_by_new_statistics(version: u32) {
    let (_asterisk, bridge) = start_live(version);
    bridge.acme_ok("action=add&agent=1001&queue=6001");
    let mut client = EventClient::open(bridge.address, ACME, "&queue=6001");
    client.until("snapshot", EVENT_TIMEOUT);
    bridge.acme_ok("action=pause&agent=1001&queue=6001&reason=Lunch");
    let paused = |client: &mut EventClient| {
        let statistics = client
            .until("queue", EVENT_TIMEOUT)
            .pop()
            .expect("an event");
        (statistics.data["agents"]["paused"] == 1).then_some(statistics)
    };
    let member = eventually("a pause event", || {
        let member = client.until("member", EVENT_TIMEOUT).pop()?;
        (member.data["change"] == "paused").then_some(member)
    });
    let statistics = eventually("the paused agent is counted", || paused(&mut client));
    let expected = bridge.acme_ok("action=showqueuestat&queue=6001");
    assert_eq!(statistics.data["agents"], expected["queues"][0]["agents"]);
    let number = |id: &str| {
        id.rsplit_once('-')
            .and_then(|(_, id)| id.parse::<u64>().ok())
    };
    assert!(
        number(&member.id) < number(&statistics.id),
        "{member:?}, {statistics:?}"
    );
    // A client that disconnects between the two events gets only the second event after it
    // reconnects.
    let mut client = EventClient::resume(bridge.address, ACME, "&queue=6001", Some(&member.id));
    let event = client.event(EVENT_TIMEOUT).expect("an event");
    assert_eq!((&*event.name, &event.id), ("queue", &statistics.id));
}

fn idle_stream_sends_a_comment_every_fifteen_seconds(version: u32) {
    let (_asterisk, bridge) = start_live(version);
    // In a queue without callers nothing changes after the first refreshes.
    let mut client = EventClient::open(bridge.address, ACME, "&queue=6001");
    client.until("snapshot", EVENT_TIMEOUT);
    let mut quiet_since = std::time::Instant::now();
    let comment_after = eventually("a comment", || {
        match client.next(Duration::from_secs(18))? {
            Item::Comment => Some(quiet_since.elapsed()),
            Item::Event(_) => {
                quiet_since = std::time::Instant::now();
                None
            }
            Item::End => panic!("the stream has ended"),
        }
    });
    assert!(
        (14.8..16.5).contains(&comment_after.as_secs_f64()),
        "{comment_after:?}"
    );
}

/// Returns the text of a stream up to the event that follows the first snapshot.
fn text_through_first_change(bridge: &Bridge, version: &str) -> String {
    let mut stream = TcpStream::connect(bridge.address).expect("the bridge listens");
    stream
        .set_read_timeout(Some(EVENT_TIMEOUT))
        .expect("a timeout");
    let (username, password) = (ACME.username, ACME.password);
    let target = format!("/events?username={username}&password={password}");
    let head = format!("GET {target} HTTP/{version}\r\nHost: bridge\r\n\r\n");
    stream.write_all(head.as_bytes()).expect("a request");
    let mut text = String::new();
    let mut reader = BufReader::new(stream);
    let mut until = |pattern: &str| {
        while !text.ends_with(pattern) {
            let count = reader.read_line(&mut text).expect("more text");
            assert!(count > 0, "the stream ended after {} bytes", text.len());
        }
    };
    until("event: snapshot\n");
    until("\n\n");
    bridge.acme_ok("action=pause&agent=1001&reason=Lunch");
    until("event: member\n");
    text
}

#[test]
fn large_snapshot_is_followed_by_events_in_both_versions_of_http() {
    let (_asterisk, bridge) = start(SIMULATED);
    // Each queue's JSON is too large to be copied into one piece with the others.
    for (queue, last) in [(6001, 1045), (6002, 1090)] {
        let agents: Vec<_> = (1001..=last).map(|agent| agent.to_string()).collect();
        bridge.acme_ok(&format!(
            "action=add&agent={}&queue={queue}",
            agents.join(",")
        ));
    }
    for version in ["1.0", "1.1"] {
        let text = text_through_first_change(&bridge, version);
        assert!(text.len() > 24 * 1024, "{}", text.len());
        bridge.acme_ok("action=unpause&agent=1001");
    }
}
