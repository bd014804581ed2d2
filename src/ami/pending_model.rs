//! What is known of the table from outside: who asked for what, what was
//! written, and what Asterisk sent. Each step is held against it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::sync::oneshot::error::TryRecvError;

use super::super::*;
use super::{Kind, Op};
use crate::ami::value::{HeaderValue, MemberValue};

struct Asker {
    id: u64,
    deadline: Instant,
    /// None where the asker has given up.
    receiver: Option<oneshot::Receiver<ReplyResult>>,
    /// Has a reply; where the asker has given up: would have one.
    answered: bool,
}

/// An action that was written, at least to the buffer.
struct Written {
    at: Instant,
    end: u64,
    /// Numbers of the response and the rows.
    response: Option<u64>,
    rows: Vec<u64>,
    done: bool,
}

pub(super) struct Model {
    pending: Pending,
    now: Instant,
    askers: Vec<Asker>,
    actions: BTreeMap<u64, Action>,
    written: BTreeMap<u64, Written>,
    /// One for each asker, until the action is answered.
    permits: Arc<Semaphore>,
    /// Bytes in the stream.
    position: u64,
    /// Numbers what Asterisk sends.
    received: u64,
    /// The last action before a change was given up with an unknown outcome: no
    /// later read may join one up to it.
    doubt: u64,
}

impl Model {
    pub(super) fn new() -> Self {
        Self {
            pending: Pending::default(),
            now: Instant::now(),
            askers: Vec::new(),
            actions: BTreeMap::new(),
            written: BTreeMap::new(),
            permits: Arc::new(Semaphore::new(PERMITS)),
            position: 0,
            received: 0,
            doubt: 0,
        }
    }

    pub(super) fn apply(&mut self, op: Op) {
        match op {
            Op::Read { queue, seconds } => self.push(read(queue), seconds),
            Op::Write { seconds } => self.push(write(self.askers.len()), seconds),
            Op::Send => self.send(),
            Op::Reply { pick, kind } => {
                let waiting = self.written.iter().filter(|(_, written)| !written.done);
                let waiting: Vec<u64> = waiting.map(|(id, _)| *id).collect();
                if !waiting.is_empty() {
                    self.receive(*pick.get(&waiting), kind);
                }
            }
            Op::Receive { id, kind } => self.receive(id, kind),
            Op::Wait { seconds } => {
                self.now += Duration::from_secs(seconds);
                self.pending.expire(self.now);
                let (now, written) = (self.now, &self.written);
                let late = |asker: &Asker| asker.deadline <= now;
                let mut askers = self
                    .askers
                    .iter()
                    .filter(|asker| !asker.answered && late(asker));
                let (actions, sent) = (&self.actions, &self.written);
                if askers.any(|asker| sent.contains_key(&asker.id) && !actions[&asker.id].is_read())
                {
                    self.doubt = self.pending.last_id();
                }
                settle(&mut self.askers, late, |asker, reply| {
                    let expected = match written.contains_key(&asker.id) {
                        true => Failure::Unknown,
                        false => Failure::Overloaded,
                    };
                    assert_eq!(reply.expect_err("a deadline"), expected);
                });
            }
            Op::Pass { seconds } => self.now += Duration::from_secs(seconds),
            Op::GiveUp { asker } => {
                if let Some(asker) = self.askers.get_mut(asker) {
                    asker.receiver = None;
                }
            }
            Op::RefuseUnsent => {
                self.pending.refuse_unsent(UNAVAILABLE);
                let written = &self.written;
                let unsent = |asker: &Asker| !written.contains_key(&asker.id);
                settle(&mut self.askers, unsent, |_, reply| {
                    assert_eq!(reply.expect_err("a refusal"), UNAVAILABLE);
                });
            }
        }
    }

    fn push(&mut self, action: Action, seconds: u64) {
        let deadline = self.now + Duration::from_secs(seconds);
        let (reply, receiver) = oneshot::channel();
        let permit = Arc::clone(&self.permits).try_acquire_owned();
        let last_id = self.pending.last_id();
        self.pending.push(Request {
            action: action.clone(),
            deadline,
            reply,
            request_id: "".into(),
            permit: Some(Arc::new(permit.expect("enough"))),
        });
        let mut id = self.pending.last_id();
        if id == last_id {
            let latest = self.actions.iter().rfind(|(_, other)| **other == action);
            id = *latest.expect("nobody has asked for that").0;
            assert!(action.is_read(), "a change is never shared");
            assert!(self.open().contains(&id), "joined what is over");
            assert!(
                id > self.doubt,
                "joined what may be older than a change in doubt"
            );
        } else {
            let mut waiting = self.askers.iter().filter(|asker| !asker.answered);
            let equal =
                waiting.any(|asker| asker.id > self.doubt && self.actions[&asker.id] == action);
            assert!(!equal, "it could have been shared");
            self.actions.insert(id, action);
        }
        self.askers.push(Asker {
            id,
            deadline,
            receiver: Some(receiver),
            answered: false,
        });
    }

    fn send(&mut self) {
        let mut sent = None;
        let end = self.position + 10;
        let any = self.pending.send_next(self.now, |id, action, _| {
            sent = Some((id, action.clone()));
            end
        });
        assert_eq!(any, sent.is_some());
        // Those before it are passed over: their time is up.
        let (now, written) = (self.now, &self.written);
        let next = sent.as_ref().map_or(u64::MAX, |(id, _)| *id);
        let passed = |asker: &Asker| asker.id < next && !written.contains_key(&asker.id);
        settle(&mut self.askers, passed, |asker, reply| {
            assert!(asker.deadline <= now);
            assert_eq!(reply.expect_err("a deadline"), Failure::Overloaded);
        });
        let Some((id, action)) = sent else {
            return;
        };
        assert_eq!(self.actions.get(&id), Some(&action));
        let latest = self.written.keys().next_back();
        assert!(latest.is_none_or(|latest| *latest < id), "twice, or late");
        let mut askers = self.askers.iter().filter(|asker| asker.id == id);
        assert!(askers.any(|asker| asker.deadline > now), "for nobody");
        self.position = end;
        let written = Written {
            at: self.now,
            end,
            response: None,
            rows: Vec::new(),
            done: false,
        };
        self.written.insert(id, written);
    }

    fn receive(&mut self, id: u64, kind: Kind) {
        self.received += 1;
        let number = self.received;
        let received = self.pending.receive(message(id, kind, number));
        let waiting = self.written.get_mut(&id).filter(|written| !written.done);
        let expected = match (waiting, kind) {
            (Some(written), Kind::Response | Kind::ListStart) if written.response.is_none() => {
                written.response = Some(number);
                written.done = kind == Kind::Response;
                true
            }
            (Some(written), Kind::Row | Kind::ListEnd) if written.response.is_some() => {
                match kind {
                    Kind::Row => written.rows.push(number),
                    _ => written.done = true,
                }
                true
            }
            _ => false,
        };
        match received.expect("a short list") {
            Received::Part => assert!(expected),
            Received::Complete(complete) => {
                assert!(expected);
                complete.tell();
            }
            Received::Stray(_) => assert!(!expected),
            Received::Event(_) => panic!("it has an ActionID"),
        }
        let written = &self.written;
        let done = |asker: &Asker| written.get(&asker.id).is_some_and(|written| written.done);
        settle(&mut self.askers, done, |asker, reply| {
            let answer = reply.expect("an answer");
            let written = &written[&asker.id];
            assert_eq!(answer.response.action_id(), Some(asker.id));
            assert_eq!(Some(number_of(&answer.response)), written.response);
            let rows: Vec<u64> = answer.rows.iter().map(number_of).collect();
            assert_eq!(rows, written.rows);
            assert_eq!(answer.sent, written.at);
        });
    }

    /// What the table must still hold: what Asterisk has to answer, and what
    /// somebody wants to be sent.
    fn open(&self) -> BTreeSet<u64> {
        let unsent = self.askers.iter().filter(|asker| !asker.answered);
        let unsent = unsent.map(|asker| asker.id);
        let unanswered = self.written.iter().filter(|(_, written)| !written.done);
        unsent.chain(unanswered.map(|(id, _)| *id)).collect()
    }

    /// Holds after every step.
    pub(super) fn check(&mut self) {
        settle(&mut self.askers, |_| false, |_, _| ());
        let held: BTreeSet<u64> = self.pending.entries.keys().copied().collect();
        assert_eq!(held, self.open());
        let waiters = self.askers.iter().filter(|asker| held.contains(&asker.id));
        assert_eq!(self.permits.available_permits(), PERMITS - waiters.count());
        for entry in self.pending.entries.values() {
            let wanted = entry.waiters.iter().any(Waiter::waits);
            assert!(wanted || entry.rows.is_empty(), "rows for nobody");
        }
        assert!(self.pending.shared.values().all(|id| held.contains(id)));
        let waiting = self.written.values().filter(|written| !written.done);
        assert_eq!(self.pending.in_flight(), waiting.clone().count());
        let oldest = waiting.map(|written| written.at).min();
        assert_eq!(self.pending.oldest_sent(), oldest);
    }

    /// Asterisk answers all that is left.
    pub(super) fn answer_all(mut self) {
        while !self.pending.unsent.is_empty() {
            self.send();
        }
        for id in self.open() {
            match self.written[&id].response {
                Some(_) => self.receive(id, Kind::ListEnd),
                None => self.receive(id, Kind::Response),
            }
        }
        self.check();
        assert!(self.askers.iter().all(|asker| asker.answered));
        assert!(self.pending.entries.is_empty() && self.pending.shared.is_empty());
        assert_eq!(self.pending.oldest_sent(), None);
    }

    /// The connection ends when so many bytes are still to be written.
    pub(super) fn close(mut self, left: u64) {
        let taken = self.position.saturating_sub(left);
        self.pending.close(taken, UNAVAILABLE);
        let written = &self.written;
        let everyone = |_: &Asker| true;
        settle(&mut self.askers, everyone, |asker, reply| {
            let written = written.get(&asker.id);
            let expected = match written.is_some_and(|written| written.end <= taken) {
                true => Failure::Unknown,
                false => UNAVAILABLE,
            };
            assert_eq!(reply.expect_err("no answer"), expected);
        });
        assert_eq!(self.permits.available_permits(), PERMITS);
    }
}

/// Takes the replies: those for whom the condition holds have one now, of which
/// `check` judges, and no other.
fn settle(askers: &mut [Asker], now: impl Fn(&Asker) -> bool, check: impl Fn(&Asker, ReplyResult)) {
    for asker in askers {
        let expected = !asker.answered && now(asker);
        let reply = asker.receiver.as_mut().map(oneshot::Receiver::try_recv);
        match reply {
            Some(Ok(reply)) => {
                assert!(expected, "an unexpected reply: {reply:?}");
                check(asker, reply);
            }
            Some(Err(TryRecvError::Empty)) => assert!(!expected, "no reply"),
            Some(Err(TryRecvError::Closed)) => assert!(asker.answered, "forgotten"),
            None => {}
        }
        asker.answered |= expected;
    }
}

/// More than there are askers in a history.
const PERMITS: usize = 100;

const UNAVAILABLE: Failure = Failure::Unavailable {
    retry_after: Duration::from_secs(1),
};

fn read(queue: u8) -> Action {
    Action::QueueStatus {
        queue: Some(HeaderValue::new(&format!("600{queue}")).expect("a queue")),
        member: None,
    }
}

/// A change that no other is equal to.
fn write(number: usize) -> Action {
    Action::QueueRemove {
        queue: HeaderValue::new("6001").expect("a queue"),
        interface: MemberValue::new(&format!("PJSIP/{number}")).expect("an interface"),
    }
}

fn message(id: u64, kind: Kind, number: u64) -> Message {
    let header = match kind {
        Kind::Response => "Response: Success",
        Kind::ListStart => "Response: Success\r\nEventList: start",
        Kind::Row => "Event: QueueMember",
        Kind::ListEnd => "Event: QueueStatusComplete\r\nEventList: Complete",
    };
    Message::parse(format!("{header}\r\nActionID: {id}\r\nNumber: {number}\r\n").into())
}

fn number_of(message: &Message) -> u64 {
    let number = message.text("Number").expect("a number");
    number.parse().expect("a number")
}
