//! Renders a queue with its settings, members and callers, for `showqueue` and snapshots.

use serde::Serialize;

use super::members::MemberJsonCache;
use super::pieces::JsonPieces;
use crate::api::tenant::OwnQueue;
use crate::organizations::Account;
use crate::queues::{Caller, Queue};

/// The fields of a queue that precede `members`.
#[derive(Serialize)]
struct QueueHead<'a> {
    queue: &'a str,
    name: &'a str,
    strategy: &'a str,
    max_callers: u64,
    weight: i64,
    members_hidden: usize,
}

#[derive(Serialize)]
pub(super) struct CallerView<'a> {
    position: u64,
    caller_id_number: Option<&'a str>,
    caller_id_name: Option<&'a str>,
    channel: Option<&'a str>,
    unique_id: &'a str,
    wait_seconds: u64,
    priority: i64,
}

/// Writes queues with their members and callers as a JSON array. `now` is in Unix milliseconds.
pub(in crate::api) fn write_queues(
    json: &mut JsonPieces,
    queues: &[OwnQueue],
    account: &Account,
    member_json: &MemberJsonCache,
    now: i64,
) {
    json.raw("[");
    for (index, own) in queues.iter().enumerate() {
        let (members, members_hidden) = member_json.members(&own.queue, account, now);
        json.raw(if index == 0 { "{" } else { ",{" });
        json.fields(&QueueHead::of(own, members_hidden));
        json.raw(",\"members\":");
        json.part(&members);
        json.raw(",\"callers\":");
        json.value(&callers(&own.queue, account));
        json.raw("}");
    }
    json.raw("]");
}

/// Returns the waiting callers, ordered by position. Leaves out their identities if the account
/// may not see them.
pub(super) fn callers<'a>(queue: &'a Queue, account: &Account) -> Vec<CallerView<'a>> {
    let is_anonymous = account.limits.hides_others();
    let callers = queue.callers.iter();
    callers
        .map(|caller| CallerView::of(caller, is_anonymous))
        .collect()
}

impl<'a> QueueHead<'a> {
    fn of(own: &'a OwnQueue, members_hidden: usize) -> Self {
        let queue = &own.queue;
        Self {
            queue: &own.number,
            name: &queue.name,
            strategy: &queue.strategy,
            max_callers: queue.max_callers,
            weight: queue.weight,
            members_hidden,
        }
    }
}

impl<'a> CallerView<'a> {
    fn of(caller: &'a Caller, is_anonymous: bool) -> Self {
        let identity = |text: &'a str| (!is_anonymous).then_some(text);
        Self {
            position: caller.position,
            caller_id_number: identity(&caller.number),
            caller_id_name: identity(&caller.name),
            channel: identity(&caller.channel),
            unique_id: &caller.unique_id,
            wait_seconds: caller.wait_seconds,
            priority: caller.priority,
        }
    }
}
