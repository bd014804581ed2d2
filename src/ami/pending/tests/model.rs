//! A model of [`Pending`]: the callers' requests, the written actions, and Asterisk's
//! messages. Every step compares the model with the real table.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::super::*;
use super::caller::{Caller, check_results};
use super::{MessageKind, Op, UNAVAILABLE, change, message, number_of, read};

/// An action that was encoded into the write buffer.
struct Written {
    at: Instant,
    end_offset: u64,
    /// The response's number among all received messages.
    response: Option<u64>,
    /// The rows' numbers among all received messages.
    rows: Vec<u64>,
    is_answered: bool,
}

pub(super) struct Model {
    pending: Pending,
    now: Instant,
    callers: Vec<Caller>,
    actions: BTreeMap<u64, Action>,
    written: BTreeMap<u64, Written>,
    /// Each caller holds one permit until its action is removed.
    permits: Arc<Semaphore>,
    /// Number of bytes in the stream.
    offset: u64,
    /// Number of received messages.
    received: u64,
    /// The last used ActionID when a change's outcome became unknown. Later reads must not
    /// join a read with this ActionID or a lower one.
    last_uncertain_id: u64,
}

impl Model {
    pub(super) fn new() -> Self {
        Self {
            pending: Pending::default(),
            now: Instant::now(),
            callers: Vec::new(),
            actions: BTreeMap::new(),
            written: BTreeMap::new(),
            permits: Arc::new(Semaphore::new(PERMITS)),
            offset: 0,
            received: 0,
            last_uncertain_id: 0,
        }
    }

    pub(super) fn apply(&mut self, op: Op) {
        match op {
            Op::Read { queue, seconds } => self.push(read(queue), seconds),
            Op::Change { seconds } => self.push(change(self.callers.len()), seconds),
            Op::Send => self.send(),
            Op::Reply { pick, kind } => {
                let unanswered: Vec<u64> = self.unanswered().map(|(id, _)| *id).collect();
                if !unanswered.is_empty() {
                    self.receive(*pick.get(&unanswered), kind);
                }
            }
            Op::Receive { id, kind } => self.receive(id, kind),
            Op::Wait { seconds } => {
                self.now += Duration::from_secs(seconds);
                self.expire();
            }
            Op::Pass { seconds } => self.now += Duration::from_secs(seconds),
            Op::GiveUp { caller } => {
                if let Some(caller) = self.callers.get_mut(caller) {
                    caller.receiver = None;
                }
            }
            Op::FailQueued => {
                self.pending.fail_queued(UNAVAILABLE);
                let written = &self.written;
                let is_queued = |caller: &Caller| !written.contains_key(&caller.id);
                check_results(&mut self.callers, is_queued, |_, result| {
                    assert_eq!(result.expect_err("a failure"), UNAVAILABLE);
                });
            }
        }
    }

    fn unanswered(&self) -> impl Iterator<Item = (&u64, &Written)> {
        self.written
            .iter()
            .filter(|(_, written)| !written.is_answered)
    }

    fn push(&mut self, action: Action, seconds: u64) {
        let deadline = self.now + Duration::from_secs(seconds);
        let (reply_sender, receiver) = oneshot::channel();
        let permit = Arc::clone(&self.permits).try_acquire_owned();
        let last_id = self.pending.last_id();
        self.pending.push(Request {
            action: action.clone(),
            deadline,
            reply_sender,
            request_id: "".into(),
            permit: Some(Arc::new(permit.expect("enough permits"))),
        });
        let mut id = self.pending.last_id();
        if id == last_id {
            let latest = self
                .actions
                .iter()
                .rfind(|(_, requested)| **requested == action);
            id = *latest
                .expect("joined an action that no caller has requested")
                .0;
            assert!(action.is_read(), "joined a change");
            assert!(self.expected_ids().contains(&id), "joined an answered read");
            assert!(
                id > self.last_uncertain_id,
                "joined a read that may be older than an uncertain change"
            );
        } else {
            let mut waiting = self.callers.iter().filter(|caller| !caller.finished);
            let is_joinable = waiting.any(|caller| {
                caller.id > self.last_uncertain_id && self.actions[&caller.id] == action
            });
            assert!(!is_joinable, "did not join an identical read");
            self.actions.insert(id, action);
        }
        self.callers.push(Caller {
            id,
            deadline,
            receiver: Some(receiver),
            finished: false,
        });
    }

    fn send(&mut self) {
        let mut sent = None;
        let end_offset = self.offset + 10;
        let has_sent = self.pending.send_next(self.now, |id, action, _| {
            sent = Some((id, action.clone()));
            end_offset
        });
        assert_eq!(has_sent, sent.is_some());
        // Queued actions before the sent action were skipped, because all their callers had timed
        // out.
        let (now, written) = (self.now, &self.written);
        let sent_id = sent.as_ref().map_or(u64::MAX, |(id, _)| *id);
        let is_skipped = |caller: &Caller| caller.id < sent_id && !written.contains_key(&caller.id);
        check_results(&mut self.callers, is_skipped, |caller, result| {
            assert!(caller.deadline <= now);
            assert_eq!(result.expect_err("a timeout"), Failure::Overloaded);
        });
        let Some((id, action)) = sent else {
            return;
        };
        assert_eq!(self.actions.get(&id), Some(&action));
        let latest = self.written.keys().next_back();
        assert!(
            latest.is_none_or(|latest| *latest < id),
            "sent twice or out of order"
        );
        let mut callers = self.callers.iter().filter(|caller| caller.id == id);
        assert!(
            callers.any(|caller| caller.deadline > now),
            "sent after every caller has timed out"
        );
        self.offset = end_offset;
        let written = Written {
            at: self.now,
            end_offset,
            response: None,
            rows: Vec::new(),
            is_answered: false,
        };
        self.written.insert(id, written);
    }

    fn receive(&mut self, id: u64, kind: MessageKind) {
        self.received += 1;
        let number = self.received;
        let received = self.pending.receive(message(id, kind, number));
        let unanswered = self.written.get_mut(&id).filter(|w| !w.is_answered);
        let is_expected = match (unanswered, kind) {
            (Some(written), MessageKind::Response | MessageKind::ListStart)
                if written.response.is_none() =>
            {
                written.response = Some(number);
                written.is_answered = kind == MessageKind::Response;
                true
            }
            (Some(written), MessageKind::Row | MessageKind::ListEnd)
                if written.response.is_some() =>
            {
                match kind {
                    MessageKind::Row => written.rows.push(number),
                    _ => written.is_answered = true,
                }
                true
            }
            _ => false,
        };
        match received.expect("a short list") {
            Received::Part => assert!(is_expected),
            Received::Answered(answered) => {
                assert!(is_expected);
                answered.deliver();
            }
            Received::Unmatched(_) => assert!(!is_expected),
            Received::Event(_) => panic!("a message with an ActionID is not an event"),
        }
        let written = &self.written;
        let is_answered = |caller: &Caller| written.get(&caller.id).is_some_and(|w| w.is_answered);
        check_results(&mut self.callers, is_answered, |caller, result| {
            let reply = result.expect("a reply");
            let written = &written[&caller.id];
            assert_eq!(reply.response.action_id(), Some(caller.id));
            assert_eq!(Some(number_of(&reply.response)), written.response);
            let rows: Vec<u64> = reply.rows.iter().map(number_of).collect();
            assert_eq!(rows, written.rows);
            assert_eq!(reply.sent_at, written.at);
        });
    }

    fn expire(&mut self) {
        self.pending.expire(self.now);
        let (now, written, actions) = (self.now, &self.written, &self.actions);
        let is_late = |caller: &Caller| caller.deadline <= now;
        let mut late = self
            .callers
            .iter()
            .filter(|caller| !caller.finished && is_late(caller));
        let is_sent_change =
            |caller: &Caller| written.contains_key(&caller.id) && !actions[&caller.id].is_read();
        if late.any(is_sent_change) {
            self.last_uncertain_id = self.pending.last_id();
        }
        check_results(&mut self.callers, is_late, |caller, result| {
            let expected = match written.contains_key(&caller.id) {
                true => Failure::Unknown,
                false => Failure::Overloaded,
            };
            assert_eq!(result.expect_err("a timeout"), expected);
        });
    }

    /// The ActionIDs that the table must contain: the sent actions that Asterisk has not
    /// answered, and the queued actions that have a waiting caller.
    fn expected_ids(&self) -> BTreeSet<u64> {
        let waiting = self.callers.iter().filter(|caller| !caller.finished);
        let waiting = waiting.map(|caller| caller.id);
        waiting
            .chain(self.unanswered().map(|(id, _)| *id))
            .collect()
    }

    /// Checks the invariants that hold after every step.
    pub(super) fn check(&mut self) {
        check_results(&mut self.callers, |_| false, |_, _| ());
        let ids: BTreeSet<u64> = self.pending.actions.keys().copied().collect();
        assert_eq!(ids, self.expected_ids());
        let waiters = self
            .callers
            .iter()
            .filter(|caller| ids.contains(&caller.id));
        assert_eq!(self.permits.available_permits(), PERMITS - waiters.count());
        for pending in self.pending.actions.values() {
            let is_awaited = pending.waiters.iter().any(Waiter::is_waiting);
            assert!(
                is_awaited || pending.rows.is_empty(),
                "stores rows without a waiting caller"
            );
        }
        let mut joinable = self.pending.joinable_reads.values();
        assert!(joinable.all(|id| ids.contains(id)));
        assert_eq!(self.pending.in_flight(), self.unanswered().count());
        let oldest = self.unanswered().map(|(_, written)| written.at).min();
        assert_eq!(self.pending.oldest_sent(), oldest);
    }

    /// Sends every queued action, lets Asterisk answer all actions, and checks that the table
    /// is empty.
    pub(super) fn answer_all(mut self) {
        while !self.pending.queue.is_empty() {
            self.send();
        }
        for id in self.expected_ids() {
            match self.written[&id].response {
                Some(_) => self.receive(id, MessageKind::ListEnd),
                None => self.receive(id, MessageKind::Response),
            }
        }
        self.check();
        assert!(self.callers.iter().all(|caller| caller.finished));
        assert!(self.pending.actions.is_empty() && self.pending.joinable_reads.is_empty());
        assert_eq!(self.pending.oldest_sent(), None);
    }

    /// Ends the session while `unwritten` bytes are still in the write buffer.
    pub(super) fn close(mut self, unwritten: u64) {
        let written_bytes = self.offset.saturating_sub(unwritten);
        self.pending.close(written_bytes, UNAVAILABLE);
        let written = &self.written;
        let is_due = |_: &Caller| true;
        check_results(&mut self.callers, is_due, |caller, result| {
            let action = written.get(&caller.id);
            let may_have_executed = action.is_some_and(|w| w.end_offset <= written_bytes);
            let expected = match may_have_executed {
                true => Failure::Unknown,
                false => UNAVAILABLE,
            };
            assert_eq!(result.expect_err("a failure"), expected);
        });
        assert_eq!(self.permits.available_permits(), PERMITS);
    }
}

/// The number of permits. It exceeds the number of callers in any history.
const PERMITS: usize = 100;
