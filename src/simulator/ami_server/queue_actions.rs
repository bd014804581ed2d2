//! The app_queue actions, with Asterisk 22's texts and header order.

use super::request::ActionRequest;
use super::response::{list_response, message_response};
use crate::simulator::conf_file::{is_false, is_true};
use crate::simulator::pbx::{ChangeResult, Member, SimulatedPbx};

/// Runs an app_queue action and returns the response.
pub(crate) fn run_queue_action(
    pbx: &mut SimulatedPbx,
    action: &str,
    request: &ActionRequest,
) -> String {
    match action {
        "QueueStatus" => queue_status(pbx, request),
        "QueueSummary" => queue_summary(pbx, request),
        _ => message_response(run_change(pbx, action, request), request.action_id()),
    }
}

fn run_change(pbx: &mut SimulatedPbx, action: &str, request: &ActionRequest) -> ChangeResult {
    let (queue, interface) = (request.get("Queue"), request.get("Interface"));
    match action {
        "QueueAdd" => queue_add(pbx, request),
        "QueueRemove" => {
            let parameters = queue.zip(interface);
            let (queue, interface) =
                parameters.ok_or("Need 'Queue' and 'Interface' parameters.")?;
            pbx.remove_member(queue, interface)
        }
        "QueuePause" => {
            let parameters = interface.zip(request.get("Paused"));
            let (interface, paused) =
                parameters.ok_or("Need 'Interface' and 'Paused' parameters.")?;
            let reason = request.get("Reason").unwrap_or_default();
            pbx.pause(queue, interface, is_true(paused), reason)
        }
        "QueuePenalty" => {
            let parameters = interface.zip(request.get("Penalty"));
            let (interface, penalty) =
                parameters.ok_or("Need 'Interface' and 'Penalty' parameters.")?;
            pbx.set_penalty(queue, interface, parse_unsigned(penalty))
        }
        "QueueMemberRingInUse" => {
            let parameters = interface.zip(request.get("RingInUse"));
            let (interface, value) =
                parameters.ok_or("Need 'Interface' and 'RingInUse' parameters.")?;
            if !is_true(value) && !is_false(value) {
                return Err(
                    "'RingInUse' parameter must be a truth value (yes/no, on/off, 0/1, etc)",
                );
            }
            pbx.set_ring_in_use(queue, interface, is_true(value))
        }
        "QueueReset" => {
            pbx.reset_statistics(queue);
            Ok("Queue stats reset successfully")
        }
        // QueueReload. The configuration has not changed, so a reload has no effect.
        _ => Ok("Queue reloaded successfully"),
    }
}

fn queue_add(pbx: &mut SimulatedPbx, request: &ActionRequest) -> ChangeResult {
    let queue = request.get("Queue").ok_or("'Queue' not specified.")?;
    let interface = request
        .get("Interface")
        .ok_or("'Interface' not specified.")?;
    let name = request.get("MemberName").unwrap_or_default();
    let state_interface = request.get("StateInterface").unwrap_or_default();
    let number = |header| request.get(header).and_then(parse_unsigned).unwrap_or(0);
    let mut member = Member::new(interface, name, state_interface, pbx.unix_seconds());
    member.penalty = number("Penalty");
    member.paused = request.get("Paused").is_some_and(is_true);
    member.wrapup = number("Wrapuptime");
    pbx.add_member(queue, member, request.get("Reason"))
}

/// Parses a number like C's `atoi`, which returns 0 for text that is not a number. Returns
/// `None` for a negative number.
fn parse_unsigned(text: &str) -> Option<u32> {
    let text = text.trim_start();
    let (is_negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number = text[..digits].parse().unwrap_or(0);
    (!is_negative || number == 0).then_some(number)
}

fn queue_status(pbx: &SimulatedPbx, request: &ActionRequest) -> String {
    let id = request.action_id();
    let member_filter = request.get("Member");
    let queues = pbx.queues.iter();
    let mut items = Vec::new();
    for queue in queues.filter(|queue| is_requested(&queue.name, request)) {
        items.push(queue.queue_params(id));
        // Unlike the queue filter, Asterisk's member filter is case-sensitive.
        let members = queue.members.iter().filter(|member| {
            member_filter.is_none_or(|filter| member.interface == filter || member.name == filter)
        });
        items.extend(members.map(|member| member.queue_member(&queue.name, id)));
        for (index, call_id) in queue.callers.iter().enumerate() {
            let call = pbx.calls.get(call_id);
            items.extend(call.map(|call| call.queue_entry(index + 1, pbx.now, id)));
        }
    }
    list_response(id, "Queue status", "QueueStatusComplete", &items)
}

fn queue_summary(pbx: &SimulatedPbx, request: &ActionRequest) -> String {
    let id = request.action_id();
    let queues = pbx.queues.iter();
    let items: Vec<String> = queues
        .filter(|queue| is_requested(&queue.name, request))
        .map(|queue| {
            let calls = queue.callers.iter().filter_map(|id| pbx.calls.get(id));
            let hold_times = calls.map(|call| pbx.now.saturating_sub(call.joined_at).as_secs());
            queue.queue_summary(hold_times.max().unwrap_or(0), id)
        })
        .collect();
    list_response(id, "Queue summary", "QueueSummaryComplete", &items)
}

/// Returns true if the request names this queue or no queue.
fn is_requested(queue: &str, request: &ActionRequest) -> bool {
    let requested = request.get("Queue");
    requested.is_none_or(|requested| requested.eq_ignore_ascii_case(queue))
}
