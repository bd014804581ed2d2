//! The actions that wait for an answer: a state machine without IO or clock.
//!
//! An entry is unsent, then sent, then gone. Once sent it stays until Asterisk
//! has answered or the session ends, even when everyone who asked has given up:
//! a late answer is absorbed, and can never be taken for another's.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::Instant;

use super::action::Action;
use super::error::Failure;
use super::message::Message;
use super::reply::{Complete, Reply, ReplyResult, Waiter};

/// Memory that the rows of one event list may take. 50,000 memberships are 15 MB.
const MAX_LIST_BYTES: usize = 128 << 20;

/// An action to be sent.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) action: Action,
    pub(crate) deadline: Instant,
    pub(crate) reply: oneshot::Sender<ReplyResult>,
    /// Id of the request that the action is part of, for the log; empty for the
    /// session's own actions.
    pub(crate) request_id: Arc<str>,
    /// Held until the entry is gone, so that what Asterisk has not answered
    /// yet counts against `max_pending`. None for the session's own actions.
    pub(crate) permit: Option<Arc<OwnedSemaphorePermit>>,
}

/// What a message was.
#[derive(Debug)]
pub(crate) enum Received {
    /// A part of an answer.
    Part,
    /// The last part of one.
    Complete(Complete),
    /// An event of Asterisk's own.
    Event(Message),
    /// An answer to nothing that is waiting.
    Stray(Message),
}

/// An event list has passed the memory that it may take.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct EndlessList;

/// The table.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    entries: HashMap<u64, Entry>,
    unsent: VecDeque<u64>,
    /// Reads that are under way, by what they ask.
    shared: HashMap<Action, u64>,
    last_id: u64,
    /// How many entries are sent, and how many of these are reads.
    in_flight: usize,
    reads_in_flight: usize,
    /// The list whose rows are being received.
    open_list: Option<u64>,
}

#[derive(Debug)]
struct Entry {
    action: Action,
    request_id: Arc<str>,
    waiters: Vec<Waiter>,
    sent: Option<Sent>,
    response: Option<Message>,
    rows: Vec<Message>,
    row_bytes: usize,
    /// Rows that have come, also those that nobody waits for any more.
    received: usize,
}

#[derive(Debug, Clone, Copy)]
struct Sent {
    at: Instant,
    /// Position in the stream of written bytes behind the action's last byte.
    end: u64,
}

impl Pending {
    /// A table whose ActionIDs follow `last_id`, so that no two sessions of a
    /// link use the same one.
    pub(crate) fn starting_after(last_id: u64) -> Self {
        Self {
            last_id,
            ..Self::default()
        }
    }

    pub(crate) fn last_id(&self) -> u64 {
        self.last_id
    }

    /// Takes a request: to be sent, or to share the answer of an equal read.
    ///
    /// A read may join one that was sent before it was asked for: answers come
    /// in the order of the actions, so whatever the asker has seen acknowledged
    /// was either executed before that read, or answered after it.
    pub(crate) fn push(&mut self, request: Request) {
        let waiter = Waiter::new(request.reply, request.deadline, request.permit);
        if let Some(entry) = self
            .shared
            .get(&request.action)
            .and_then(|id| self.entries.get_mut(id))
        {
            entry.waiters.push(waiter);
            return;
        }
        self.last_id += 1;
        let id = self.last_id;
        if request.action.is_read() {
            self.shared.insert(request.action.clone(), id);
        }
        self.entries.insert(
            id,
            Entry {
                action: request.action,
                request_id: request.request_id,
                waiters: vec![waiter],
                sent: None,
                response: None,
                rows: Vec::new(),
                row_bytes: 0,
                received: 0,
            },
        );
        self.unsent.push_back(id);
    }

    /// The next action to send; `encode` writes it and returns the position
    /// in the stream behind its last byte.
    pub(crate) fn send_next(
        &mut self,
        now: Instant,
        encode: impl FnOnce(u64, &Action, &str) -> u64,
    ) -> bool {
        while let Some(id) = self.unsent.pop_front() {
            let Some(entry) = self.entries.get_mut(&id) else {
                continue;
            };
            // Nobody may be told afterwards that it was not sent.
            if entry.waiters.iter().all(|waiter| waiter.deadline <= now) {
                self.fail(id, Failure::Overloaded);
                continue;
            }
            let end = encode(id, &entry.action, &entry.request_id);
            entry.sent = Some(Sent { at: now, end });
            self.in_flight += 1;
            self.reads_in_flight += usize::from(entry.action.is_read());
            return true;
        }
        false
    }

    /// Takes what Asterisk sent.
    pub(crate) fn receive(&mut self, message: Message) -> Result<Received, EndlessList> {
        let id = message.action_id().filter(|_| !message.is_unsolicited());
        let Some((id, entry)) = id.and_then(|id| Some((id, self.entries.get_mut(&id)?))) else {
            return Ok(if message.event().is_some() && id.is_none() {
                Received::Event(message)
            } else {
                Received::Stray(message)
            });
        };
        if entry.sent.is_none() {
            return Ok(Received::Stray(message));
        }
        let list = message.get("EventList");
        let starts = list.is_some_and(|value| value.eq_ignore_ascii_case(b"start"));
        match (&entry.response, message.is_response()) {
            (None, true) => {
                entry.response = Some(message);
                if !starts {
                    return Ok(self.complete(id, true));
                }
                self.open_list = Some(id);
            }
            // At the end of the list: "Complete", or "cancelled".
            (Some(_), false) if message.ends_list() => {
                let listed = message.list_items();
                let adds_up = listed.is_none_or(|listed| listed == entry.received);
                return Ok(self.complete(id, adds_up));
            }
            (Some(_), false) => {
                entry.received += 1;
                if entry.waiters.iter().any(Waiter::waits) {
                    entry.row_bytes += message.size();
                    entry.rows.push(message);
                }
                if entry.row_bytes > MAX_LIST_BYTES {
                    return Err(EndlessList);
                }
            }
            // A second answer, or a row before the list has begun.
            (Some(_), true) | (None, false) => return Ok(Received::Stray(message)),
        }
        Ok(Received::Part)
    }

    /// The ActionID of the list whose rows are being received.
    pub(crate) fn open_list(&self) -> Option<u64> {
        self.open_list
    }

    fn complete(&mut self, id: u64, adds_up: bool) -> Received {
        let Some(entry) = self.remove(id) else {
            return Received::Part;
        };
        let (Some(response), Some(sent)) = (entry.response, entry.sent) else {
            return Received::Part;
        };
        let mut waiters = entry.waiters.iter();
        Received::Complete(Complete {
            action: entry.action,
            answer: Arc::new(Reply {
                response,
                rows: entry.rows,
                adds_up,
                sent: sent.at,
            }),
            whole: waiters.any(Waiter::waits),
            waiters: entry.waiters,
        })
    }

    /// Answers everyone whose deadline has passed. What was not sent yet never
    /// will be.
    pub(crate) fn expire(&mut self, now: Instant) {
        let mut abandoned = Vec::new();
        let mut doubt = false;
        for (id, entry) in &mut self.entries {
            let failure = match entry.sent {
                Some(_) => Failure::Unknown,
                None => Failure::Overloaded,
            };
            for waiter in &mut entry.waiters {
                if waiter.deadline <= now && waiter.waits() {
                    doubt |= failure == Failure::Unknown && !entry.action.is_read();
                    waiter.answer(Err(failure));
                }
            }
            if !entry.waiters.iter().any(Waiter::waits) {
                // Nobody may join it any more: rows of its answer are missing.
                entry.rows = Vec::new();
                if self.shared.get(&entry.action) == Some(id) {
                    self.shared.remove(&entry.action);
                }
                if entry.sent.is_none() {
                    abandoned.push(*id);
                }
            }
        }
        for id in abandoned {
            self.remove(id);
        }
        self.unsent.retain(|id| self.entries.contains_key(id));
        if doubt {
            // Whoever looks now what has become of a change must not be shown
            // what was asked for before it.
            self.shared.clear();
        }
    }

    /// How many actions Asterisk has not answered yet.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// How many of these are reads.
    pub(crate) fn reads_in_flight(&self) -> usize {
        self.reads_in_flight
    }

    /// Whether any action waits to be sent.
    pub(crate) fn has_unsent(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// When the action that has waited longest for its answer was sent.
    pub(crate) fn oldest_sent(&self) -> Option<Instant> {
        self.entries
            .values()
            .filter_map(|entry| entry.sent.map(|sent| sent.at))
            .min()
    }

    /// Answers everyone who waits for an action that was not sent.
    pub(crate) fn refuse_unsent(&mut self, failure: Failure) {
        for id in std::mem::take(&mut self.unsent) {
            self.fail(id, failure);
        }
    }

    /// The session has ended after `written` bytes: Asterisk can only have
    /// executed what was written to its last byte.
    pub(crate) fn close(mut self, written: u64, unavailable: Failure) {
        let ids: Vec<u64> = self.entries.keys().copied().collect();
        for id in ids {
            let executed = self.entries[&id].sent.is_some_and(|s| s.end <= written);
            self.fail(
                id,
                if executed {
                    Failure::Unknown
                } else {
                    unavailable
                },
            );
        }
    }

    fn fail(&mut self, id: u64, failure: Failure) {
        if let Some(mut entry) = self.remove(id) {
            for waiter in &mut entry.waiters {
                waiter.answer(Err(failure));
            }
        }
    }

    fn remove(&mut self, id: u64) -> Option<Entry> {
        let entry = self.entries.remove(&id)?;
        self.open_list.take_if(|open| *open == id);
        if entry.sent.is_some() {
            self.in_flight -= 1;
            self.reads_in_flight -= usize::from(entry.action.is_read());
        }
        if self.shared.get(&entry.action) == Some(&id) {
            self.shared.remove(&entry.action);
        }
        Some(entry)
    }
}

#[cfg(test)]
#[path = "pending_tests.rs"]
mod tests;
