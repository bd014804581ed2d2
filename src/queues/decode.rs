//! Decodes queues from `QueueStatus` rows, and members from events.
//!
//! Key fields (a member's interface, status and pause; a caller's position and channel) are
//! required. All other fields are optional, because older versions of Asterisk lack some:
//! `LastPause` before 14, `LoginTime` before 16.23, `Wrapuptime` before 16.3.

use std::str::FromStr;
use std::sync::Arc;

use super::model::{Caller, DeviceState, Member, Membership, Queue};
use super::name::QueueName;
use super::observed::Observed;
use super::time::PbxTime;
use crate::ami::value::is_trimmed_line;
use crate::ami::{Message, Reply};

/// A decoded reply to `QueueStatus`.
#[derive(Debug, Default)]
pub(super) struct QueueList {
    /// The queues, in Asterisk's order.
    pub(super) queues: Vec<Queue>,
    /// Queue names that AMI actions can't carry.
    pub(super) unusable_names: Vec<String>,
    /// Whether all rows have arrived, each with its key fields. If not, a queue, member or
    /// caller that is not in the list may still exist.
    pub(super) is_complete: bool,
}

/// Decodes a reply to `QueueStatus`. The reply's rows are a queue's parameters, then the
/// queue's members, then the queue's callers, then the next queue's parameters.
pub(super) fn queue_list(reply: &Reply) -> QueueList {
    let mut list = QueueList {
        is_complete: reply.is_complete,
        ..QueueList::default()
    };
    let mut members = Vec::new();
    let mut callers = Vec::new();
    // Iterate in reverse, so that a queue's members and callers are decoded before the queue.
    for row in reply.rows.iter().rev() {
        match row.event() {
            Some(b"QueueMember") => match decode_member(row, &ROW_HEADERS) {
                Some(member) => members.push(Arc::new(member)),
                None => list.is_complete = false,
            },
            Some(b"QueueEntry") => match decode_caller(row) {
                Some(caller) => callers.push(caller),
                None => list.is_complete = false,
            },
            Some(b"QueueParams") => {
                members.reverse();
                callers.reverse();
                let queue = Queue {
                    members: Arc::new(std::mem::take(&mut members)),
                    callers: Arc::new(std::mem::take(&mut callers)),
                    ..decode_params(row)
                };
                if has_usable_name(row) {
                    list.queues.push(queue);
                } else {
                    list.unusable_names.push(text_or_empty(row, "Queue"));
                }
            }
            _ => {}
        }
    }
    list.queues.reverse();
    list.unusable_names.reverse();
    list
}

/// Returns whether an AMI action can carry the queue's name. For example, `[support ]` in
/// `queues.conf` defines a queue whose name ends with a space. If an action named that queue,
/// Asterisk would look for a different one.
fn has_usable_name(row: &Message) -> bool {
    let name = row.get("Queue").unwrap_or_default();
    std::str::from_utf8(name).is_ok_and(is_trimmed_line)
}

/// Decodes the member in an event. Returns `None` if a key field is missing, for example
/// because the rest of the event has not arrived yet.
pub(super) fn member_from_event(event: &Message) -> Option<Member> {
    decode_member(event, &EVENT_HEADERS)
}

fn decode_params(row: &Message) -> Queue {
    Queue {
        name: QueueName::from_list(&text_or_empty::<String>(row, "Queue")),
        strategy: text_or_empty(row, "Strategy"),
        max_callers: number_or_zero(row, "Max"),
        weight: number_or_zero(row, "Weight"),
        average_hold_seconds: number_or_zero(row, "Holdtime"),
        average_talk_seconds: number_or_zero(row, "TalkTime"),
        completed: number_or_zero(row, "Completed"),
        abandoned: number_or_zero(row, "Abandoned"),
        service_level_seconds: number_or_zero(row, "ServiceLevel"),
        service_level_percent: number(row, "ServicelevelPerf2"),
        service_level_answered_percent: number_or_zero(row, "ServicelevelPerf"),
        members: Arc::default(),
        callers: Arc::default(),
    }
}

/// The header names that differ between list rows and events.
struct HeaderNames {
    name: &'static str,
    interface: &'static str,
}

const ROW_HEADERS: HeaderNames = HeaderNames {
    name: "Name",
    interface: "Location",
};

const EVENT_HEADERS: HeaderNames = HeaderNames {
    name: "MemberName",
    interface: "Interface",
};

/// Decodes the member in a list row or an event. Returns `None` if a key field is missing.
///
/// A name or a pause reason can contain line feeds, and the text after a line feed can look
/// like a header. The real interface header is the last one that is directly followed by
/// `StateInterface`. Among the headers after it, the first header of each name is the real
/// one, because Asterisk writes the key fields before the reason.
fn decode_member(row: &Message, names: &HeaderNames) -> Option<Member> {
    let row = row.tail_from_pair(names.interface, "StateInterface")?;
    let interface = row.text(names.interface)?;
    let interface: Arc<str> = (!interface.is_empty()).then(|| interface.into())?;
    let state_interface = row.text("StateInterface").unwrap_or_default();
    let paused = row.get("Paused")? == b"1";
    Some(Member {
        name: text_or_empty(row.message, names.name),
        // The two interfaces are usually equal. Share their memory if they are.
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
        device_state: DeviceState::from_code(parse(row.get("Status")?).unwrap_or_default()),
        paused,
        // An unpause event carries the reason for the unpause, but a list never does.
        paused_reason: if paused {
            row.text("PausedReason").unwrap_or_default().into()
        } else {
            Arc::default()
        },
        wrapup_seconds: row.number("Wrapuptime"),
        observed: Observed::default(),
    })
}

/// Decodes a waiting caller. Returns `None` if a key field is missing.
///
/// The caller's name can also contain line feeds. Asterisk writes the position, the channel
/// and the number before the name, so the first header of each is the real one. Asterisk
/// writes the wait and the priority after the name, so the last header of each is the real one.
fn decode_caller(row: &Message) -> Option<Caller> {
    Some(Caller {
        position: number(row, "Position")?,
        channel: row.text("Channel")?.into_owned(),
        unique_id: text_or_empty(row, "Uniqueid"),
        number: text_or_empty(row, "CallerIDNum"),
        name: text_or_empty(row, "CallerIDName"),
        wait_seconds: last_number_or_zero(row, "Wait"),
        priority: last_number_or_zero(row, "Priority"),
    })
}

fn text_or_empty<T: From<String>>(row: &Message, name: &str) -> T {
    row.text(name).unwrap_or_default().into_owned().into()
}

fn number<T: FromStr>(row: &Message, name: &str) -> Option<T> {
    parse(row.get(name)?)
}

fn parse<T: FromStr>(value: &[u8]) -> Option<T> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

fn last_number_or_zero<T: FromStr + Default>(row: &Message, name: &str) -> T {
    row.get_last(name).and_then(parse).unwrap_or_default()
}

fn number_or_zero<T: FromStr + Default>(row: &Message, name: &str) -> T {
    number(row, name).unwrap_or_default()
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
