//! Renders a queue with its settings, members and callers, for `showqueue` and snapshots.

use std::sync::Arc;

use serde::Serialize;

use super::members::MemberJsonCache;
use super::pieces::JsonPieces;
use crate::api::tenant::OwnQueue;
use crate::organizations::Organization;
use crate::queues::{Caller, Queue};

/// The fields of a queue that precede `members`.
#[derive(Serialize)]
struct QueueHead<'a> {
    queue: &'a str,
    name: &'a str,
    strategy: &'a str,
    max_callers: u64,
    weight: i64,
}

#[derive(Serialize)]
pub(super) struct CallerView<'a> {
    position: u64,
    caller_id_number: &'a str,
    caller_id_name: &'a str,
    channel: &'a str,
    unique_id: &'a str,
    wait_seconds: u64,
    priority: i64,
}

/// Writes queues with their members and callers as a JSON array. `now` is in Unix milliseconds.
pub(in crate::api) fn write_queues(
    json: &mut JsonPieces,
    queues: &[OwnQueue],
    organization: &Arc<Organization>,
    member_json: &MemberJsonCache,
    now: i64,
) {
    json.raw("[");
    for (index, own) in queues.iter().enumerate() {
        json.raw(if index == 0 { "{" } else { ",{" });
        json.fields(&QueueHead::of(own));
        json.raw(",\"members\":");
        json.part(&member_json.members(&own.queue, organization, now));
        json.raw(",\"callers\":");
        json.value(&callers(&own.queue));
        json.raw("}");
    }
    json.raw("]");
}

/// Returns the waiting callers, ordered by position.
pub(super) fn callers(queue: &Queue) -> Vec<CallerView<'_>> {
    queue.callers.iter().map(CallerView::of).collect()
}

impl<'a> QueueHead<'a> {
    fn of(own: &'a OwnQueue) -> Self {
        let queue = &own.queue;
        Self {
            queue: &own.number,
            name: &queue.name,
            strategy: &queue.strategy,
            max_callers: queue.max_callers,
            weight: queue.weight,
        }
    }
}

impl<'a> CallerView<'a> {
    fn of(caller: &'a Caller) -> Self {
        Self {
            position: caller.position,
            caller_id_number: &caller.number,
            caller_id_name: &caller.name,
            channel: &caller.channel,
            unique_id: &caller.unique_id,
            wait_seconds: caller.wait_seconds,
            priority: caller.priority,
        }
    }
}
