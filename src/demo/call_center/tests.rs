//! Tests of the scene: what happens in the call center, and when.

use super::*;
use crate::simulator::{Member, SimulatedPbx};

/// Runs the call center for 15 minutes in steps of one second. Returns the text of
/// every event.
fn run(seed: u64) -> (SimulatedPbx, Vec<String>) {
    let mut pbx = config(seed).build_pbx(Duration::from_secs(1_000));
    let mut events = Vec::new();
    for second in 0..900 {
        pbx.advance(Duration::from_secs(second));
        events.extend(pbx.take_events().into_iter().map(|event| event.text));
    }
    (pbx, events)
}

#[test]
fn same_seed_produces_the_same_events() {
    let (first, repeated, different) = (run(1).1, run(1).1, run(2).1);
    assert_eq!(first, repeated);
    assert_ne!(first, different);
}

#[test]
fn every_event_type_occurs() {
    let (_, events) = run(1);
    for name in [
        "QueueCallerJoin",
        "QueueCallerLeave",
        "QueueCallerAbandon",
        "AgentCalled",
        "AgentRingNoAnswer",
        "AgentConnect",
        "AgentComplete",
        "QueueMemberStatus",
        "QueueMemberPause",
    ] {
        let start = format!("Event: {name}\r\n");
        let events = events.iter().filter(|text| text.starts_with(&start));
        let count = events.count();
        assert!(count >= 5, "{name}: {count}");
    }
}

#[test]
fn queues_complete_calls_and_stay_short() {
    for queue in &run(1).0.queues {
        assert!(queue.statistics.completed >= 3, "{queue:?}");
        assert!(queue.callers.len() <= 16, "{queue:?}");
    }
}

#[test]
fn callers_members_and_devices_agree_on_active_calls() {
    let (pbx, _) = run(1);
    let waiting: usize = pbx.queues.iter().map(|queue| queue.callers.len()).sum();
    let devices = pbx.devices.values();
    let active: u32 = devices.map(|device| device.active_calls).sum();
    assert_eq!(pbx.calls.len(), waiting + active as usize);
    let members = pbx.queues.iter().flat_map(|queue| &queue.members);
    let in_call: Vec<_> = members.filter(|member| member.in_call).collect();
    assert_eq!(in_call.len(), active as usize);
    assert!(
        in_call
            .iter()
            .all(|member| member.status == device_state::IN_USE)
    );
}

/// Returns the interfaces of the members for whom `condition` holds.
fn members_with(pbx: &SimulatedPbx, condition: impl Fn(&Member, u64) -> bool) -> Vec<&str> {
    let now = pbx.unix_seconds();
    let members = pbx.queues.iter().flat_map(|queue| &queue.members);
    let matching = members.filter(|member| condition(member, now));
    matching.map(|member| member.interface.as_str()).collect()
}

#[test]
fn demo_starts_with_a_long_break_an_auto_pause_and_wrap_up() {
    for seed in 0..20 {
        let mut pbx = config(seed).build_pbx(Duration::from_secs(1_000));
        let mut last_wrap_up = 0;
        for second in 0..60 {
            pbx.advance(ELAPSED_TIME + Duration::from_secs(second));
            let auto_paused = members_with(&pbx, |member, _| member.reason == AUTO_PAUSE);
            assert!(auto_paused.contains(&"PJSIP/1020"), "{seed}, {second} s");
            let in_wrap_up = members_with(&pbx, |member, now| {
                let is_free = !member.paused && member.status == device_state::NOT_IN_USE;
                is_free && now < member.last_call + 15
            });
            if !in_wrap_up.is_empty() {
                last_wrap_up = second;
            }
            assert!(second - last_wrap_up < 10, "{seed}, {second} s");
            let on_long_break = members_with(&pbx, |member, now| {
                member.reason == SHORT_BREAK && now >= member.last_pause + 60
            });
            let is_overdue = on_long_break.contains(&"PJSIP/1012");
            assert_eq!(is_overdue, second >= 5, "{seed}, {second} s");
            let on_hebrew_break = members_with(&pbx, |member, now| {
                member.reason == HEBREW_BREAK && now >= member.last_pause + 60
            });
            assert!(
                on_hebrew_break.contains(&"PJSIP/1015"),
                "{seed}, {second} s"
            );
        }
    }
}

#[test]
fn auto_paused_agent_returns_and_misses_another_call() {
    let mut pbx = config(1).build_pbx(Duration::from_secs(1_000));
    let mut states = Vec::new();
    for second in 0..600 {
        pbx.advance(ELAPSED_TIME + Duration::from_secs(second));
        let auto_paused = members_with(&pbx, |member, _| member.reason == AUTO_PAUSE);
        states.push(auto_paused.contains(&"PJSIP/1020"));
    }
    states.dedup();
    assert_eq!(states, [true, false, true, false, true]);
}

/// Returns how long each waiting caller has waited, in seconds, by queue.
fn waits(pbx: &SimulatedPbx) -> Vec<Vec<u64>> {
    let wait = |caller| {
        pbx.now
            .saturating_sub(pbx.calls[caller].joined_at)
            .as_secs()
    };
    let queues = pbx.queues.iter();
    queues
        .map(|queue| queue.callers.iter().map(wait).collect())
        .collect()
}

/// Returns true if more callers wait in a queue than phones ring, and no other agent can get a
/// call.
fn is_nobody_free(pbx: &SimulatedPbx) -> bool {
    let now = pbx.unix_seconds();
    let is_free = |member: &&Member| {
        let is_ready = !member.paused && member.status == device_state::NOT_IN_USE;
        is_ready && now >= member.last_call + 15
    };
    let mut queues = pbx.queues.iter();
    queues.any(|queue| {
        let members = || queue.members.iter();
        let ringing = members().filter(|member| member.status == device_state::RINGING);
        queue.callers.len() > ringing.count() && !members().any(|member| is_free(&member))
    })
}

#[test]
fn demo_has_rushes_late_callers_and_queues_with_nobody_free() {
    for seed in 0..5 {
        let mut pbx = config(seed).build_pbx(Duration::from_secs(1_000));
        let (mut rushes, mut late, mut nobody_free) = (Vec::new(), 0, 0);
        for second in 0..600 {
            pbx.advance(ELAPSED_TIME + Duration::from_secs(second));
            let waits = waits(&pbx);
            let is_rush = waits
                .iter()
                .any(|waits| waits.iter().filter(|wait| **wait < 10).count() >= 8);
            rushes.extend(is_rush.then_some(second));
            late += u64::from(waits.iter().flatten().any(|wait| *wait > 60));
            nobody_free += u64::from(is_nobody_free(&pbx));
        }
        assert!(
            rushes.iter().any(|second| *second < 10),
            "{seed}: {rushes:?}"
        );
        assert!(
            rushes.iter().any(|second| *second > 400),
            "{seed}: {rushes:?}"
        );
        for seconds in [late, nobody_free] {
            assert!(
                (15..550).contains(&seconds),
                "{seed}: {late}, {nobody_free}"
            );
        }
    }
}
