//! From messages to queues: the rows of a `QueueStatus`, and the events of
//! members.
//!
//! Every field is optional: older versions lack some (`LastPause` before 14,
//! `LoginTime` before 16.23, `Wrapuptime` before 16.3).

use std::str::FromStr;
use std::sync::Arc;

use super::model::{Caller, DeviceState, Member, Membership, Queue};
use crate::ami::Message;
use crate::ami::value::is_clean;

/// Builds the queues of rows in Asterisk's order: a queue's parameters, then its
/// members, then its callers. Those that no action can name are left out.
pub(super) fn queues(rows: &[Message]) -> Vec<Queue> {
    let mut queues: Vec<Queue> = Vec::new();
    let mut members = Vec::new();
    let mut callers = Vec::new();
    // Backwards, so that what belongs to a queue is there when the queue is.
    for row in rows.iter().rev() {
        match row.event() {
            Some(b"QueueMember") => members.push(Arc::new(member(row, &LISTED))),
            Some(b"QueueEntry") => callers.push(caller(row)),
            Some(b"QueueParams") => {
                members.reverse();
                callers.reverse();
                let queue = Queue {
                    members: Arc::new(std::mem::take(&mut members)),
                    callers: Arc::new(std::mem::take(&mut callers)),
                    ..queue(row)
                };
                if can_be_named(row) {
                    queues.push(queue);
                }
            }
            _ => {}
        }
    }
    queues.reverse();
    queues
}

/// The names of the queues that are left out.
pub(super) fn left_out(rows: &[Message]) -> Vec<String> {
    let queues = rows
        .iter()
        .filter(|row| row.event() == Some(b"QueueParams"));
    let left_out = queues.filter(|row| !can_be_named(row));
    left_out.map(|row| text(row, "Queue")).collect()
}

/// Whether an action can name the queue of that row. `[support ]` in `queues.conf`
/// is a queue whose name ends with a blank, and Asterisk would look for another.
fn can_be_named(row: &Message) -> bool {
    let name = row.get("Queue").unwrap_or_default();
    std::str::from_utf8(name).is_ok_and(is_clean)
}

/// The member that an event of Asterisk carries whole.
pub(super) fn event_member(event: &Message) -> Member {
    member(event, &TOLD)
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
        service_level_percent: optional(row, "ServicelevelPerf2"),
        service_level_answered_percent: number(row, "ServicelevelPerf"),
        members: Arc::default(),
        callers: Arc::default(),
    }
}

/// Names of two headers, which differ between the row of a list and an event.
struct Names {
    name: &'static str,
    interface: &'static str,
}

const LISTED: Names = Names {
    name: "Name",
    interface: "Location",
};

const TOLD: Names = Names {
    name: "MemberName",
    interface: "Interface",
};

fn member(row: &Message, names: &Names) -> Member {
    let interface: Arc<str> = text::<Arc<str>>(row, names.interface);
    let state_interface = row.text("StateInterface").unwrap_or_default();
    let paused = flag(row, "Paused");
    Member {
        name: text(row, names.name),
        // Mostly the same: kept once.
        state_interface: if *state_interface == *interface {
            Arc::clone(&interface)
        } else {
            state_interface.into()
        },
        interface,
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
        paused,
        // The event of an unpause carries the reason that was given for it, and
        // no list ever does.
        paused_reason: if paused {
            text(row, "PausedReason")
        } else {
            Arc::default()
        },
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

fn text<T: From<String>>(row: &Message, name: &str) -> T {
    row.text(name).unwrap_or_default().into_owned().into()
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
