//! From the rows of a `QueueStatus` to queues.
//!
//! Every field is optional: older versions lack some (`LastPause` before 14,
//! `LoginTime` before 16.23, `Wrapuptime` before 16.3).

use std::str::FromStr;

use super::model::{Caller, DeviceState, Member, Membership, Queue};
use crate::ami::Message;

/// Builds the queues that are wanted, by name, from rows in Asterisk's order: a
/// queue's parameters, then its members, then its callers. Several organizations'
/// questions may share the rows of a whole PBX, so the rest costs next to nothing.
pub(super) fn queues(rows: &[Message], wanted: impl Fn(&str) -> bool) -> Vec<Queue> {
    let mut queues: Vec<Queue> = Vec::new();
    let mut keeps = false;
    for row in rows {
        if row.event() == Some(b"QueueParams") {
            keeps = row.text("Queue").is_some_and(|name| wanted(&name));
            if keeps {
                queues.push(queue(row));
            }
            continue;
        }
        let Some(queue) = queues.last_mut().filter(|_| keeps) else {
            continue;
        };
        match row.event() {
            Some(b"QueueMember") => queue.members.push(member(row)),
            Some(b"QueueEntry") => queue.callers.push(caller(row)),
            _ => {}
        }
    }
    queues
}

fn queue(row: &Message) -> Queue {
    Queue {
        name: text(row, "Queue"),
        strategy: text(row, "Strategy"),
        max_callers: number(row, "Max"),
        weight: number(row, "Weight"),
        hold_seconds: number(row, "Holdtime"),
        talk_seconds: number(row, "TalkTime"),
        completed: number(row, "Completed"),
        abandoned: number(row, "Abandoned"),
        service_level_seconds: number(row, "ServiceLevel"),
        service_level_percent: number(row, "ServicelevelPerf"),
        service_level_answered_percent: optional(row, "ServicelevelPerf2"),
        members: Vec::new(),
        callers: Vec::new(),
    }
}

fn member(row: &Message) -> Member {
    Member {
        name: text(row, "Name"),
        interface: text(row, "Location"),
        state_interface: text(row, "StateInterface"),
        membership: match row.get("Membership") {
            Some(b"dynamic") => Membership::Dynamic,
            _ => Membership::Static,
        },
        penalty: number(row, "Penalty"),
        calls_taken: number(row, "CallsTaken"),
        last_call: number(row, "LastCall"),
        last_pause: number(row, "LastPause"),
        login_time: number(row, "LoginTime"),
        in_call: flag(row, "InCall"),
        device_state: DeviceState::from_code(number(row, "Status")),
        paused: flag(row, "Paused"),
        paused_reason: text(row, "PausedReason"),
        wrapup_seconds: number(row, "Wrapuptime"),
    }
}

fn caller(row: &Message) -> Caller {
    Caller {
        position: number(row, "Position"),
        channel: text(row, "Channel"),
        unique_id: text(row, "Uniqueid"),
        number: text(row, "CallerIDNum"),
        name: text(row, "CallerIDName"),
        wait_seconds: number(row, "Wait"),
        priority: number(row, "Priority"),
    }
}

fn text(row: &Message, name: &str) -> String {
    row.text(name).unwrap_or_default().into_owned()
}

fn optional<T: FromStr>(row: &Message, name: &str) -> Option<T> {
    std::str::from_utf8(row.get(name)?).ok()?.parse().ok()
}

fn number<T: FromStr + Default>(row: &Message, name: &str) -> T {
    optional(row, name).unwrap_or_default()
}

fn flag(row: &Message, name: &str) -> bool {
    row.get(name) == Some(b"1")
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
