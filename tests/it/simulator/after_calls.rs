//! When Asterisk rings an agent again after a call or a missed call. The bridge reports wrap-up
//! by these rules, and the simulated PBX must follow them.
//!
//! Observed on Asterisk 16.28 and 22.10:
//! - A queue rings a member from the second `LastCall` + wrap-up time on, and not earlier. All
//!   times are whole seconds of Asterisk's clock. A waiting caller makes an attempt every second.
//! - A member's own wrap-up time, if it is above 0, replaces the queue's, longer or shorter.
//! - With `shared_lastcall`, a call counts in all queues of its agent: `LastCall` and
//!   `CallsTaken` are the same in all of them. The wrap-up time is then that of the queue of the
//!   last call. The agent's own wrap-up time in that queue does not matter in the other queues.
//! - While no other member of a queue is free, the queue's own wrap-up time also has to be over.
//!   So an agent who is alone in a queue waits for the longer of the two.
//! - Without `shared_lastcall`, a call does not count in other queues.
//! - After a missed call, a queue with `autopause` pauses the member once AgentRingNoAnswer is
//!   sent, while the device still rings, but not within `autopausedelay` of `LastCall`.

use crate::support::{
    ABSENT_AGENT, Ami, AmiMessage, Asterisk, eventually, on_every_pbx, sample_config,
    wait_for_start_of_second,
};

on_every_pbx!(
    member_is_rung_when_its_wrap_up_ends,
    shared_last_call_applies_the_wrap_up_of_its_queue,
    own_wrap_up_replaces_that_of_a_shared_last_call,
    lone_member_waits_for_its_own_queue_too,
    unanswered_call_pauses_the_member,
    autopause_all_pauses_the_member_in_every_queue,
);

const DANA: &str = "Local/1001@acme-agents";

/// A queue with a wrap-up time of 3 seconds, one with 6 seconds and one without.
const WRAPUP_3: &str = "timed-7001";
const WRAPUP_6: &str = "timed-7002";
const NO_WRAPUP: &str = "acme-6001";

fn log_in(asterisk: &Asterisk) -> Ami {
    Ami::login_with_events(asterisk.port, "tester", "tester-secret", "agent")
}

/// Makes Dana a member of exactly these queues, with a wrap-up time of her own in each.
fn set_queues(ami: &mut Ami, queues: &[(&str, u32)]) {
    for queue in [WRAPUP_3, WRAPUP_6, NO_WRAPUP] {
        ami.send(&format!(
            "Action: QueueRemove\r\nQueue: {queue}\r\nInterface: {DANA}"
        ));
    }
    for (queue, wrapup) in queues {
        let added = ami.reply_text(&format!(
            "QueueAdd\r\nQueue: {queue}\r\nInterface: {DANA}\r\nWrapuptime: {wrapup}"
        ));
        assert_eq!(added, "Success: Added interface to queue");
    }
}

/// Waits for the next call of `interface`. Returns the second in which Asterisk began to ring,
/// by its own clock.
fn next_ring(ami: &mut Ami, interface: &str) -> u64 {
    loop {
        let event: AmiMessage = ami.next_event().into_iter().collect();
        if event["Event"] == "AgentCalled" && event["Interface"] == interface {
            // A channel's ID begins with the second in which it was created.
            let second = event["DestUniqueid"].split('.').next();
            return second.and_then(|s| s.parse().ok()).expect("a Unix time");
        }
    }
}

/// Lets Dana take a call from `last_queue`, and adds a caller to `queue`. Returns the number of
/// seconds after `LastCall` at which Asterisk rings her for that caller.
fn seconds_until_ring(asterisk: &Asterisk, last_queue: &str, queue: &str) -> u64 {
    asterisk.answer_call(last_queue, DANA);
    wait_for_start_of_second();
    let last_call = asterisk.end_calls(last_queue, DANA);
    // During wrap-up, the device is free like that of any other member.
    wait_for_free_device(asterisk, last_queue);
    let mut ami = log_in(asterisk);
    wait_for_start_of_second();
    asterisk.add_caller(queue);
    let ring = next_ring(&mut ami, DANA);
    asterisk.cli("channel request hangup all");
    wait_for_free_device(asterisk, queue);
    ring - last_call
}

fn wait_for_free_device(asterisk: &Asterisk, queue: &str) {
    let mut ami = asterisk.ami();
    eventually("Dana's device is free", || {
        let row = ami.member(queue, DANA)?;
        (row["Status"] == "1").then_some(())
    });
}

/// Asserts that Asterisk rings Dana `expected` seconds after a call from `last_queue`, and not
/// earlier. A caller's attempts on the edge of two seconds can miss a second, so the test tries
/// several times.
fn assert_rung_after(asterisk: &Asterisk, last_queue: &str, queue: &str, expected: u64) {
    let mut attempts = (0..4).map(|_| seconds_until_ring(asterisk, last_queue, queue));
    let is_on_time = attempts.any(|seconds| {
        let case = format!("after a call from {last_queue}, in {queue}: {seconds} s");
        assert!((expected..=expected + 1).contains(&seconds), "{case}");
        seconds == expected
    });
    assert!(is_on_time, "after a call from {last_queue}, in {queue}");
}

fn member_is_rung_when_its_wrap_up_ends(version: u32) {
    let asterisk = Asterisk::start(version);
    let mut ami = asterisk.ami();
    for (own, expected) in [(0, 3), (2, 2), (5, 5)] {
        set_queues(&mut ami, &[(WRAPUP_3, own), (WRAPUP_6, 0)]);
        assert_rung_after(&asterisk, WRAPUP_3, WRAPUP_3, expected);
    }
    set_queues(&mut ami, &[(WRAPUP_3, 0), (WRAPUP_6, 0)]);
    let seconds = seconds_until_ring(&asterisk, WRAPUP_3, WRAPUP_6);
    assert!(seconds < 3, "a call counts in another queue: {seconds}");
    let other = asterisk.ami().member(WRAPUP_6, DANA).expect("a member");
    assert_eq!((&*other["LastCall"], &*other["CallsTaken"]), ("0", "0"));
}

fn shared_last_call_applies_the_wrap_up_of_its_queue(version: u32) {
    let asterisk = Asterisk::start_with_shared_last_call(version);
    let mut ami = asterisk.ami();
    for (last, queue, expected) in [
        ((WRAPUP_3, 0), NO_WRAPUP, 3),
        ((WRAPUP_6, 0), WRAPUP_3, 6),
        // The wrap-up time of the membership that took the call does not count.
        ((WRAPUP_3, 5), NO_WRAPUP, 3),
    ] {
        set_queues(&mut ami, &[last, (queue, 0)]);
        assert_rung_after(&asterisk, last.0, queue, expected);
        let [first, other] =
            [last.0, queue].map(|queue| asterisk.ami().member(queue, DANA).expect("a member"));
        for header in ["LastCall", "CallsTaken"] {
            assert_eq!(first[header], other[header], "{header}");
        }
    }
}

fn own_wrap_up_replaces_that_of_a_shared_last_call(version: u32) {
    let asterisk = Asterisk::start_with_shared_last_call(version);
    let mut ami = asterisk.ami();
    for (last, queue, own) in [
        (WRAPUP_3, NO_WRAPUP, 2),
        (WRAPUP_6, WRAPUP_3, 2),
        (NO_WRAPUP, WRAPUP_3, 4),
        (WRAPUP_3, WRAPUP_6, 4),
    ] {
        set_queues(&mut ami, &[(last, 0), (queue, own)]);
        assert_rung_after(&asterisk, last, queue, u64::from(own));
    }
}

fn lone_member_waits_for_its_own_queue_too(version: u32) {
    let asterisk = Asterisk::start_with_shared_last_call(version);
    let mut ami = asterisk.ami();
    for (last, queue, expected) in [(WRAPUP_3, WRAPUP_6, 6), (NO_WRAPUP, WRAPUP_3, 3)] {
        set_queues(&mut ami, &[(last, 0), (queue, 0)]);
        assert_rung_after(&asterisk, last, queue, expected);
    }
    // Once another member is free, only the wrap-up time of the last call's queue counts.
    set_queues(&mut ami, &[(WRAPUP_3, 0), (WRAPUP_6, 0)]);
    let last_call = asterisk.take_call(WRAPUP_3, DANA);
    let mut events = log_in(&asterisk);
    wait_for_start_of_second();
    asterisk.add_caller(WRAPUP_6);
    eventually("the wrap-up time of 3 seconds is over", || {
        (wait_for_start_of_second() >= last_call + 3).then_some(())
    });
    ami.send(&format!(
        "Action: QueueAdd\r\nQueue: {WRAPUP_6}\r\nInterface: {ABSENT_AGENT}"
    ));
    let seconds = next_ring(&mut events, DANA) - last_call;
    assert!((3..6).contains(&seconds), "rung after {seconds} s");
}

/// Starts an Asterisk on which an absent agent is a member of two queues, and misses a call from
/// the queue with `autopause`. Waits until the agent has been paused `pauses` times. Returns the
/// rows of the agent's events from `AgentCalled` on, and the lines of `queue_log`. Omits device
/// states, because another thread of Asterisk reports them.
fn miss_a_call(version: u32, autopause: &str, pauses: usize) -> (Vec<String>, Vec<String>) {
    let queues = sample_config("queues.conf");
    let queues = queues.replace("autopause = yes", autopause);
    let asterisk = Asterisk::start_with(version, &[("queues.conf", &queues)]);
    let mut ami = asterisk.ami();
    for queue in ["timed-7003", NO_WRAPUP] {
        ami.send(&format!(
            "Action: QueueAdd\r\nQueue: {queue}\r\nInterface: {ABSENT_AGENT}\r\nMemberName: Ido"
        ));
    }
    let mut events = log_in(&asterisk);
    asterisk.take_queue_log();
    asterisk.miss_call("timed-7003", ABSENT_AGENT);
    let mut rows = Vec::new();
    let mut seen_pauses = 0;
    while seen_pauses < pauses {
        let event: AmiMessage = events.next_event().into_iter().collect();
        let value = |header| event.get(header).map_or("", String::as_str);
        let name = value("Event");
        seen_pauses += usize::from(name == "QueueMemberPause");
        if name.starts_with("Agent") || name == "QueueMemberPause" {
            let row = ["Event", "Queue", "Paused", "PausedReason"].map(value);
            rows.push(row.join(" ").trim_end().to_owned());
        }
    }
    let log = asterisk.take_queue_log();
    let fields = log.lines().map(|line| line.splitn(3, '|').last());
    let fields = fields.map(|fields| fields.expect("fields").to_owned());
    let is_about_agent = |line: &String| line.contains("|Ido|");
    (rows, fields.filter(is_about_agent).collect())
}

fn unanswered_call_pauses_the_member(version: u32) {
    let (events, log) = miss_a_call(version, "autopause = yes", 1);
    assert_eq!(
        events,
        [
            "AgentCalled timed-7003",
            "AgentRingNoAnswer timed-7003",
            "QueueMemberPause timed-7003 1 Auto-Pause",
        ]
    );
    assert_eq!(
        log,
        [
            "timed-7003|Ido|RINGNOANSWER|2000",
            "timed-7003|Ido|PAUSE|Auto-Pause",
        ]
    );
}

fn autopause_all_pauses_the_member_in_every_queue(version: u32) {
    let (events, log) = miss_a_call(version, "autopause = all", 2);
    assert_eq!(
        events,
        [
            "AgentCalled timed-7003",
            "AgentRingNoAnswer timed-7003",
            "QueueMemberPause acme-6001 1 Auto-Pause",
            "QueueMemberPause timed-7003 1 Auto-Pause",
        ]
    );
    assert_eq!(
        log,
        [
            "timed-7003|Ido|RINGNOANSWER|2000",
            "NONE|Ido|PAUSEALL|Auto-Pause",
            "acme-6001|Ido|PAUSE|Auto-Pause",
            "timed-7003|Ido|PAUSE|Auto-Pause",
        ]
    );
}
