//! The actions of app_queue, with the texts and the order of headers of
//! Asterisk 22.

use super::conf::{is_false, is_true};
use super::event::Lines;
use super::member::Member;
use super::membership::Answer;
use super::pbx::Pbx;
use super::request::Request;

/// The class that an action needs, as a bit; 0 is none.
const AGENT: u32 = 1 << 5;

/// The actions, what they need, and how ListCommands describes them.
pub(super) const ACTIONS: [(&str, u32, &str); 15] = [
    ("Challenge", 0, "Generate Challenge for MD5 Auth."),
    ("Events", 0, "Control Event Flow."),
    ("ListCommands", 0, "List available manager commands."),
    ("Login", 0, "Login Manager."),
    ("Logoff", 0, "Logoff Manager."),
    ("Ping", 0, "Keepalive command."),
    ("QueueAdd", AGENT, "Add interface to queue."),
    (
        "QueueMemberRingInUse",
        AGENT,
        "Set the ringinuse value for a queue member.",
    ),
    (
        "QueuePause",
        AGENT,
        "Makes a queue member temporarily unavailable.",
    ),
    ("QueuePenalty", AGENT, "Set the penalty for a queue member."),
    (
        "QueueReload",
        0,
        "Reload a queue, queues, or any sub-section of a queue or queues.",
    ),
    ("QueueRemove", AGENT, "Remove interface from queue."),
    ("QueueReset", 0, "Reset queue statistics."),
    ("QueueStatus", 0, "Show queue status."),
    ("QueueSummary", 0, "Show queue summary."),
];

/// Answers an action about queues.
pub(super) fn answer(pbx: &mut Pbx, action: &str, request: &Request) -> String {
    let id = request.get("ActionID");
    match action {
        "QueueStatus" => status(pbx, request, id),
        "QueueSummary" => summary(pbx, request, id),
        _ => message(change(pbx, action, request), id),
    }
}

fn change(pbx: &mut Pbx, action: &str, request: &Request) -> Answer {
    let (queue, interface) = (request.get("Queue"), request.get("Interface"));
    match action {
        "QueueAdd" => {
            let queue = queue.ok_or("'Queue' not specified.")?;
            let interface = interface.ok_or("'Interface' not specified.")?;
            let name = request.get("MemberName").unwrap_or_default();
            let state_interface = request.get("StateInterface").unwrap_or_default();
            let mut member = Member::new(interface, name, state_interface, pbx.unix());
            member.penalty = request.get("Penalty").and_then(integer).unwrap_or(0);
            member.paused = request.get("Paused").is_some_and(is_true);
            let wrapup = request.get("Wrapuptime").and_then(integer);
            member.wrapup = wrapup.unwrap_or(0);
            pbx.add(queue, member, request.get("Reason"))
        }
        "QueueRemove" => {
            let both = queue.zip(interface);
            let (queue, interface) = both.ok_or("Need 'Queue' and 'Interface' parameters.")?;
            pbx.remove(queue, interface)
        }
        "QueuePause" => {
            let both = interface.zip(request.get("Paused"));
            let (interface, paused) = both.ok_or("Need 'Interface' and 'Paused' parameters.")?;
            let reason = request.get("Reason").unwrap_or_default();
            pbx.pause(queue, interface, is_true(paused), reason)
        }
        "QueuePenalty" => {
            let both = interface.zip(request.get("Penalty"));
            let (interface, penalty) = both.ok_or("Need 'Interface' and 'Penalty' parameters.")?;
            pbx.set_penalty(queue, interface, integer(penalty))
        }
        "QueueMemberRingInUse" => {
            let both = interface.zip(request.get("RingInUse"));
            let (interface, word) = both.ok_or("Need 'Interface' and 'RingInUse' parameters.")?;
            if !is_true(word) && !is_false(word) {
                return Err(
                    "'RingInUse' parameter must be a truth value (yes/no, on/off, 0/1, etc)",
                );
            }
            pbx.set_ring_in_use(queue, interface, is_true(word))
        }
        "QueueReset" => {
            pbx.reset(queue);
            Ok("Queue stats reset successfully")
        }
        // The configuration is what it was.
        _ => Ok("Queue reloaded successfully"),
    }
}

/// C's atoi, which takes what is no number for 0; a negative one is none.
fn integer(text: &str) -> Option<u32> {
    let text = text.trim_start();
    let (is_negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number = text[..digits].parse().unwrap_or(0);
    (!is_negative || number == 0).then_some(number)
}

/// An answer of one message.
pub(super) fn message(answer: Answer, id: Option<&str>) -> String {
    let (response, text) = match answer {
        Ok(text) => ("Success", text),
        Err(text) => ("Error", text),
    };
    let lines = Lines::default()
        .put("Response", response)
        .put_some("ActionID", id);
    lines.put("Message", text).end()
}

fn list(id: Option<&str>, what: &str, event: &str, rows: &[String]) -> String {
    let start = Lines::default()
        .put("Response", "Success")
        .put_some("ActionID", id)
        .put("EventList", "start")
        .put("Message", format!("{what} will follow"));
    let complete = Lines::default()
        .put("Event", event)
        .put_some("ActionID", id)
        .put("EventList", "Complete")
        .put("ListItems", rows.len());
    format!("{}{}{}", start.end(), rows.concat(), complete.end())
}

fn status(pbx: &Pbx, request: &Request, id: Option<&str>) -> String {
    let member = request.get("Member");
    let mut rows = Vec::new();
    for queue in pbx
        .queues
        .iter()
        .filter(|queue| is_meant(&queue.name, request))
    {
        rows.push(queue.row(id));
        // This filter minds the case.
        let members = queue
            .members
            .iter()
            .filter(|m| member.is_none_or(|meant| m.interface == meant || m.name == meant));
        rows.extend(members.map(|member| member.row(&queue.name, id)));
        for (place, call) in queue.callers.iter().enumerate() {
            let call = pbx.calls.get(call);
            rows.extend(call.map(|call| call.row(place + 1, pbx.now, id)));
        }
    }
    list(id, "Queue status", "QueueStatusComplete", &rows)
}

fn summary(pbx: &Pbx, request: &Request, id: Option<&str>) -> String {
    let queues = pbx
        .queues
        .iter()
        .filter(|queue| is_meant(&queue.name, request));
    let rows: Vec<String> = queues
        .map(|queue| {
            let calls = queue.callers.iter().filter_map(|call| pbx.calls.get(call));
            let waits = calls.map(|call| pbx.now.saturating_sub(call.joined).as_secs());
            queue.summary(waits.max().unwrap_or(0), id)
        })
        .collect();
    list(id, "Queue summary", "QueueSummaryComplete", &rows)
}

fn is_meant(queue: &str, request: &Request) -> bool {
    let meant = request.get("Queue");
    meant.is_none_or(|meant| meant.eq_ignore_ascii_case(queue))
}
