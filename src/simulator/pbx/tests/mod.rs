//! Tests of changes and calls. The expected event order was observed on Asterisk 22.

mod calls;
mod changes;

use std::time::Duration;

use super::member::Member;
use super::membership::ChangeResult;
use super::state::SimulatedPbx;
use crate::simulator::behavior::Behavior;

const QUEUES_CONF: &str = "[general]\n[one]\nstrategy=ringall\nservicelevel=60\nringinuse=no\n\
    member => Local/1050@acme-agents,2,Sam\n\
    [two]\nstrategy=leastrecent\nmaxlen=1\nringinuse=no\n";
const DANA: &str = "Local/1001@acme-agents";
const GILA: &str = "PJSIP/1002";
const SAM: &str = "Local/1050@acme-agents";

fn new_pbx() -> SimulatedPbx {
    new_pbx_with(Behavior::sample_dialplan())
}

fn new_pbx_with(behavior: Behavior) -> SimulatedPbx {
    SimulatedPbx::new(QUEUES_CONF, behavior, 1, Duration::from_secs(1_000))
}

fn add(pbx: &mut SimulatedPbx, queue: &str, interface: &str) -> ChangeResult {
    let member = Member::new(interface, "", "", pbx.unix_seconds());
    pbx.add_member(queue, member, None)
}

/// Returns a summary of each new event: its name and the header values that the tests compare.
fn take_events(pbx: &mut SimulatedPbx) -> Vec<String> {
    const COMPARED_HEADERS: [&str; 15] = [
        "Event",
        "Queue",
        "Interface",
        "Status",
        "Penalty",
        "Paused",
        "PausedReason",
        "Position",
        "OriginalPosition",
        "Count",
        "HoldTime",
        "RingTime",
        "TalkTime",
        "Reason",
        "CallsTaken",
    ];
    let summary = |text: &str| {
        let headers = text.lines().filter_map(|line| line.split_once(": "));
        let compared =
            headers.filter(|(name, value)| COMPARED_HEADERS.contains(name) && !value.is_empty());
        compared
            .map(|(_, value)| value)
            .collect::<Vec<_>>()
            .join(" ")
    };
    let events = pbx.take_events();
    events.iter().map(|event| summary(&event.text)).collect()
}

/// Advances the clock and returns summaries of the new events.
fn events_until(pbx: &mut SimulatedPbx, seconds: u64) -> Vec<String> {
    pbx.advance(Duration::from_secs(seconds));
    take_events(pbx)
}
