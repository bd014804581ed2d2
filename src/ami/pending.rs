//! The state machine of unanswered actions. Does no IO and never reads the clock.
//!
//! An action is queued, then sent, then removed. A sent action stays until Asterisk
//! answers or the session ends, even if every caller has timed out, so a late reply is
//! never matched to another action.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::Instant;

use super::action::Action;
use super::error::Failure;
use super::message::Message;
use super::reply::{Answered, Reply, ReplyResult, Waiter};

/// Memory limit for the rows of one event list, in bytes. 50,000 memberships take 15 MB.
const MAX_LIST_BYTES: usize = 128 << 20;

/// A caller's request to send an action.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) action: Action,
    pub(crate) deadline: Instant,
    pub(crate) reply_sender: oneshot::Sender<ReplyResult>,
    /// Id of the API request, for the log. Empty for actions that the session itself sends.
    pub(crate) request_id: Arc<str>,
    /// Released when the action is removed, so that an unanswered action counts against
    /// `max_pending`. `None` for actions that the bridge itself sends.
    pub(crate) permit: Option<Arc<OwnedSemaphorePermit>>,
}

/// The role of a received message.
#[derive(Debug)]
pub(crate) enum Received {
    /// Part of a reply that is still incomplete.
    Part,
    /// The last message of a reply.
    Answered(Answered),
    /// An event that is not part of a reply.
    Event(Message),
    /// Part of a reply to an action that is not pending.
    Unmatched(Message),
}

/// The error for an event list that exceeds [`MAX_LIST_BYTES`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ListTooLarge;

/// A session's queued and sent actions.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    /// Keyed by ActionID.
    actions: HashMap<u64, PendingAction>,
    /// ActionIDs of the queued actions, in sending order.
    queue: VecDeque<u64>,
    /// ActionIDs of the reads that an identical read may join.
    joinable_reads: HashMap<Action, u64>,
    last_id: u64,
    /// Number of sent actions.
    in_flight: usize,
    /// Number of sent reads.
    reads_in_flight: usize,
    /// ActionID of the list that Asterisk is sending.
    open_list: Option<u64>,
}

#[derive(Debug)]
struct PendingAction {
    action: Action,
    request_id: Arc<str>,
    waiters: Vec<Waiter>,
    /// `None` while the action is queued.
    sent: Option<Sent>,
    response: Option<Message>,
    rows: Vec<Message>,
    row_bytes: usize,
    /// Includes rows that were dropped because every caller had timed out.
    rows_received: usize,
}

#[derive(Debug, Clone, Copy)]
struct Sent {
    at: Instant,
    /// Offset of the action's end in the outgoing byte stream.
    end_offset: u64,
}

impl Pending {
    /// Creates an empty table whose ActionIDs begin after `last_id`, so that two sessions of
    /// a link never use the same ActionID.
    pub(crate) fn starting_after(last_id: u64) -> Self {
        Self {
            last_id,
            ..Self::default()
        }
    }

    pub(crate) fn last_id(&self) -> u64 {
        self.last_id
    }

    /// Queues the request's action, or lets the request join an identical read.
    ///
    /// A request may join a read that was sent earlier but is still unanswered. Asterisk
    /// answers in order, so any change that the caller has seen acknowledged was executed
    /// before that read.
    pub(crate) fn push(&mut self, request: Request) {
        let waiter = Waiter::new(request.reply_sender, request.deadline, request.permit);
        if let Some(read) = self
            .joinable_reads
            .get(&request.action)
            .and_then(|id| self.actions.get_mut(id))
        {
            read.waiters.push(waiter);
            return;
        }
        self.last_id += 1;
        let id = self.last_id;
        if request.action.is_read() {
            self.joinable_reads.insert(request.action.clone(), id);
        }
        self.actions.insert(
            id,
            PendingAction {
                action: request.action,
                request_id: request.request_id,
                waiters: vec![waiter],
                sent: None,
                response: None,
                rows: Vec::new(),
                row_bytes: 0,
                rows_received: 0,
            },
        );
        self.queue.push_back(id);
    }

    /// Passes the next queued action to `encode`, which returns the offset of the action's
    /// end in the outgoing byte stream. Returns false if no action is queued.
    pub(crate) fn send_next(
        &mut self,
        now: Instant,
        encode: impl FnOnce(u64, &Action, &str) -> u64,
    ) -> bool {
        while let Some(id) = self.queue.pop_front() {
            let Some(pending) = self.actions.get_mut(&id) else {
                continue;
            };
            // If every caller has timed out, the action must not be encoded, because
            // `Overloaded` means "not sent".
            if pending.waiters.iter().all(|waiter| waiter.deadline <= now) {
                self.fail(id, Failure::Overloaded);
                continue;
            }
            let end_offset = encode(id, &pending.action, &pending.request_id);
            pending.sent = Some(Sent {
                at: now,
                end_offset,
            });
            self.in_flight += 1;
            self.reads_in_flight += usize::from(pending.action.is_read());
            return true;
        }
        false
    }

    /// Processes a message from Asterisk, and returns its role.
    pub(crate) fn receive(&mut self, message: Message) -> Result<Received, ListTooLarge> {
        let id = message.action_id().filter(|_| !message.is_unsolicited());
        let Some((id, pending)) = id.and_then(|id| Some((id, self.actions.get_mut(&id)?))) else {
            return Ok(if message.event().is_some() && id.is_none() {
                Received::Event(message)
            } else {
                Received::Unmatched(message)
            });
        };
        if pending.sent.is_none() {
            return Ok(Received::Unmatched(message));
        }
        let list = message.get("EventList");
        let starts_list = list.is_some_and(|value| value.eq_ignore_ascii_case(b"start"));
        match (&pending.response, message.is_response()) {
            (None, true) => {
                pending.response = Some(message);
                if !starts_list {
                    return Ok(self.complete(id, true));
                }
                self.open_list = Some(id);
            }
            // `EventList: Complete` or `EventList: cancelled`.
            (Some(_), false) if message.ends_list() => {
                let rows_sent = message.list_items();
                let is_complete = rows_sent.is_none_or(|sent| sent == pending.rows_received);
                return Ok(self.complete(id, is_complete));
            }
            (Some(_), false) => {
                pending.rows_received += 1;
                if pending.waiters.iter().any(Waiter::is_waiting) {
                    pending.row_bytes += message.size();
                    pending.rows.push(message);
                }
                if pending.row_bytes > MAX_LIST_BYTES {
                    return Err(ListTooLarge);
                }
            }
            // A second response, or a row before the response.
            (Some(_), true) | (None, false) => return Ok(Received::Unmatched(message)),
        }
        Ok(Received::Part)
    }

    /// Returns the ActionID of the list that Asterisk is sending.
    pub(crate) fn open_list(&self) -> Option<u64> {
        self.open_list
    }

    fn complete(&mut self, id: u64, is_complete: bool) -> Received {
        let Some(pending) = self.remove(id) else {
            return Received::Part;
        };
        let (Some(response), Some(sent)) = (pending.response, pending.sent) else {
            return Received::Part;
        };
        Received::Answered(Answered {
            action: pending.action,
            reply: Arc::new(Reply {
                response,
                rows: pending.rows,
                is_complete,
                sent_at: sent.at,
            }),
            has_all_rows: pending.waiters.iter().any(Waiter::is_waiting),
            waiters: pending.waiters,
        })
    }

    /// Fails every caller whose deadline has passed. Removes a queued action if no caller is
    /// waiting for it any more.
    pub(crate) fn expire(&mut self, now: Instant) {
        let mut abandoned = Vec::new();
        let mut change_is_uncertain = false;
        for (id, pending) in &mut self.actions {
            let failure = match pending.sent {
                Some(_) => Failure::Unknown,
                None => Failure::Overloaded,
            };
            for waiter in &mut pending.waiters {
                if waiter.deadline <= now && waiter.is_waiting() {
                    change_is_uncertain |= failure == Failure::Unknown && !pending.action.is_read();
                    waiter.finish(Err(failure));
                }
            }
            if !pending.waiters.iter().any(Waiter::is_waiting) {
                // The rows are dropped, so no further request may join this read.
                pending.rows = Vec::new();
                if self.joinable_reads.get(&pending.action) == Some(id) {
                    self.joinable_reads.remove(&pending.action);
                }
                if pending.sent.is_none() {
                    abandoned.push(*id);
                }
            }
        }
        for id in abandoned {
            self.remove(id);
        }
        self.queue.retain(|id| self.actions.contains_key(id));
        if change_is_uncertain {
            // A caller that checks whether the change was executed must not join a read
            // that was sent before the change.
            self.joinable_reads.clear();
        }
    }

    /// Returns the number of sent actions without a complete reply.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Returns the number of sent reads without a complete reply.
    pub(crate) fn reads_in_flight(&self) -> usize {
        self.reads_in_flight
    }

    /// Returns whether any action is queued.
    pub(crate) fn has_queued(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Returns the time at which the oldest unanswered action was sent.
    pub(crate) fn oldest_sent(&self) -> Option<Instant> {
        self.actions
            .values()
            .filter_map(|pending| pending.sent.map(|sent| sent.at))
            .min()
    }

    /// Fails every queued action.
    pub(crate) fn fail_queued(&mut self, failure: Failure) {
        for id in std::mem::take(&mut self.queue) {
            self.fail(id, failure);
        }
    }

    /// Fails every action, because the session has ended after writing `written` bytes.
    /// Asterisk may have executed an action only if the action's last byte was written; all
    /// other actions fail with `not_sent`.
    pub(crate) fn close(mut self, written: u64, not_sent: Failure) {
        let ids: Vec<u64> = self.actions.keys().copied().collect();
        for id in ids {
            let sent = self.actions[&id].sent;
            let may_have_executed = sent.is_some_and(|sent| sent.end_offset <= written);
            self.fail(
                id,
                if may_have_executed {
                    Failure::Unknown
                } else {
                    not_sent
                },
            );
        }
    }

    fn fail(&mut self, id: u64, failure: Failure) {
        if let Some(mut pending) = self.remove(id) {
            for waiter in &mut pending.waiters {
                waiter.finish(Err(failure));
            }
        }
    }

    fn remove(&mut self, id: u64) -> Option<PendingAction> {
        let pending = self.actions.remove(&id)?;
        self.open_list.take_if(|open| *open == id);
        if pending.sent.is_some() {
            self.in_flight -= 1;
            self.reads_in_flight -= usize::from(pending.action.is_read());
        }
        if self.joinable_reads.get(&pending.action) == Some(&id) {
            self.joinable_reads.remove(&pending.action);
        }
        Some(pending)
    }
}

#[cfg(test)]
mod tests;
