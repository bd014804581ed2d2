//! From messages to queues: the rows of a `QueueStatus`, and the events of
//! members.
//!
//! Every field is optional: older versions lack some (`LastPause` before 14,
//! `LoginTime` before 16.23, `Wrapuptime` before 16.3).

use std::str::FromStr;
use std::sync::Arc;

use super::model::{Caller, DeviceState, Member, Membership, Queue};
use super::name::QueueName;
use super::time::PbxTime;
use crate::ami::value::is_trimmed_line;
use crate::ami::{Message, Reply};

/// What a `QueueStatus` has listed.
#[derive(Debug, Default)]
pub(super) struct Listed {
    /// The queues, in Asterisk's order.
    pub(super) queues: Vec<Queue>,
    /// Names of queues that no action can name.
    pub(super) unusable_names: Vec<String>,
    /// Whether all rows have arrived, each with its key fields. If not, what is
    /// missing here may still exist.
    pub(super) is_complete: bool,
}

/// Builds the queues of an answer: its rows are a queue's parameters, then its
/// members, then its callers.
pub(super) fn listed(answer: &Reply) -> Listed {
    let mut listed = Listed {
        is_complete: answer.is_complete,
        ..Listed::default()
    };
    let mut members = Vec::new();
    let mut callers = Vec::new();
    // Backwards, so that a queue's members and callers are decoded before it.
    for row in answer.rows.iter().rev() {
        match row.event() {
            Some(b"QueueMember") => match member(row, &LISTED) {
                Some(member) => members.push(Arc::new(member)),
                None => listed.is_complete = false,
            },
            Some(b"QueueEntry") => match caller(row) {
                Some(caller) => callers.push(caller),
                None => listed.is_complete = false,
            },
            Some(b"QueueParams") => {
                members.reverse();
                callers.reverse();
                let queue = Queue {
                    members: Arc::new(std::mem::take(&mut members)),
                    callers: Arc::new(std::mem::take(&mut callers)),
                    ..queue(row)
                };
                if can_be_named(row) {
                    listed.queues.push(queue);
                } else {
                    listed.unusable_names.push(text(row, "Queue"));
                }
            }
            _ => {}
        }
    }
    listed.queues.reverse();
    listed.unusable_names.reverse();
    listed
}

/// Whether an action can name the queue of that row. `[support ]` in `queues.conf`
/// is a queue whose name ends with a blank, and Asterisk would look for another.
fn can_be_named(row: &Message) -> bool {
    let name = row.get("Queue").unwrap_or_default();
    std::str::from_utf8(name).is_ok_and(is_trimmed_line)
}

/// The member that an event of Asterisk carries whole; `None` where the event lacks
/// key fields, as one does whose rest is still to come.
pub(super) fn event_member(event: &Message) -> Option<Member> {
    member(event, &REPORTED)
}

fn queue(row: &Message) -> Queue {
    Queue {
        name: QueueName::listed(&text::<String>(row, "Queue")),
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

const REPORTED: Names = Names {
    name: "MemberName",
    interface: "Interface",
};

/// The member of a row or an event; `None` without its key fields.
///
/// Line feeds in a name or a reason can bring what looks like headers. The true interface
/// is followed by the state interface, and what comes first after it is true.
fn member(row: &Message, names: &Names) -> Option<Member> {
    let row = row.tail_from_pair(names.interface, "StateInterface")?;
    let interface = row.text(names.interface)?;
    let interface: Arc<str> = (!interface.is_empty()).then(|| interface.into())?;
    let state_interface = row.text("StateInterface").unwrap_or_default();
    let paused = row.get("Paused")? == b"1";
    Some(Member {
        name: text(row.message, names.name),
        // Mostly the same: stored once.
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
        penalty: row.number("Penalty"),
        calls_taken: row.number("CallsTaken"),
        last_call: PbxTime::reported(row.number("LastCall")),
        last_pause: PbxTime::reported(row.number("LastPause")),
        login_time: PbxTime::reported(row.number("LoginTime")),
        in_call: row.get("InCall") == Some(b"1"),
        device_state: DeviceState::from_code(parsed(row.get("Status")?).unwrap_or_default()),
        paused,
        // The event of an unpause carries the reason that was given for it, and
        // no list ever does.
        paused_reason: if paused {
            row.text("PausedReason").unwrap_or_default().into()
        } else {
            Arc::default()
        },
        wrapup_seconds: row.number("Wrapuptime"),
    })
}

/// `None` without key fields. Position, channel and number stand before the name,
/// which can hold line feeds, the wait and the priority after it.
fn caller(row: &Message) -> Option<Caller> {
    Some(Caller {
        position: optional(row, "Position")?,
        channel: row.text("Channel")?.into_owned(),
        unique_id: text(row, "Uniqueid"),
        number: text(row, "CallerIDNum"),
        name: text(row, "CallerIDName"),
        wait_seconds: last_number(row, "Wait"),
        priority: last_number(row, "Priority"),
    })
}

fn text<T: From<String>>(row: &Message, name: &str) -> T {
    row.text(name).unwrap_or_default().into_owned().into()
}

fn optional<T: FromStr>(row: &Message, name: &str) -> Option<T> {
    parsed(row.get(name)?)
}

fn parsed<T: FromStr>(value: &[u8]) -> Option<T> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

fn last_number<T: FromStr + Default>(row: &Message, name: &str) -> T {
    row.get_last(name).and_then(parsed).unwrap_or_default()
}

fn number<T: FromStr + Default>(row: &Message, name: &str) -> T {
    optional(row, name).unwrap_or_default()
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
