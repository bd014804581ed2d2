//! One live session: a single loop that reads, writes, and keeps the deadlines.
//!
//! Nothing in the loop waits for anyone who consumes what was read: Asterisk
//! writes QueueStatus while it holds the queue's lock, so a reader that stalls
//! stalls the PBX.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::yield_now;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::action::Action;
use super::assembly::Assembly;
use super::client::{Link, LinkState};
use super::connection::Connection;
use super::error::{Exit, Failure};
use super::message::Message;
use super::observer::Observer;
use super::pending::{Pending, Received, Request};
use super::reply::ReplyResult;
use crate::wall_clock;

/// How often deadlines are looked at.
const TICK: Duration = Duration::from_millis(100);

/// Silence after which a sign of life is asked for.
const IDLE: Duration = Duration::from_secs(4);

/// How long Asterisk has for that sign. With [`IDLE`] and a tick: a dead peer is
/// given up within ten seconds.
const PING_DEADLINE: Duration = Duration::from_secs(5);

/// How long Asterisk has for a sign after the wall clock has jumped: the machine may have
/// slept, and the link may be long dead.
const AFTER_JUMP: Duration = Duration::from_secs(2);

/// An action that is not answered for that long while other bytes still come.
const STALLED: Duration = Duration::from_secs(30);

/// How much may wait to be written. What is beyond stays in the table, where
/// its deadline can still call it back.
const WRITE_AHEAD: usize = 16 * 1024;

/// Reads under way, from which on their answers are read in larger parts.
const MANY_READS: usize = 4;

/// How long what comes is collected then, before it is read. Asterisk writes a list
/// row by row, and is half as fast where each row wakes a sleeping reader. It gives
/// up a reader after 100 ms.
const COLLECT: Duration = Duration::from_micros(300);

/// How long the session looks for the answer of an action that is alone, and then for
/// what is asked next, without going to sleep: to be woken takes as long as half of
/// what Asterisk needs for a pause. With more under way, there is always something to
/// do, and the processor is needed for it.
const AWAKE: Duration = Duration::from_micros(100);

/// How long Asterisk has for the answer to a logoff.
const LOGOFF_DEADLINE: Duration = Duration::from_secs(1);

/// For what this session will not send any more.
const UNAVAILABLE: Failure = Failure::Unavailable {
    retry_after: Duration::from_secs(1),
};

/// Runs a session until it ends. `last_id` is the last ActionID that was used;
/// it is moved on.
pub(crate) async fn run<S: AsyncRead + AsyncWrite>(
    connection: &mut Connection<S>,
    mut requests: mpsc::UnboundedReceiver<Request>,
    last_id: &mut u64,
    stop: &CancellationToken,
    link: &watch::Sender<Link>,
    observer: &mut dyn Observer,
) -> Exit {
    let mut session = Session {
        assembly: Assembly::default(),
        pending: Pending::starting_after(*last_id),
        last_heard: Instant::now(),
        pinged: false,
        jumps: wall_clock::jumps(),
        dead_at: None,
        logoff: None,
        shutdown: false,
        awake: std::thread::available_parallelism()
            .is_ok_and(|processors| processors.get() > 1)
            .then_some(AWAKE),
        awake_until: None,
        observer,
    };
    session.observer.linked();
    let exit = session.serve(connection, &mut requests, stop, link).await;
    session.observer.lost();
    requests.close();
    // Not try_recv: that can miss one which is being sent at this moment.
    while let Some(request) = requests.recv().await {
        session.pending.push(request);
    }
    *last_id = session.pending.last_id();
    session
        .pending
        .close(connection.outgoing.written(), UNAVAILABLE);
    match exit {
        Exit::Closed | Exit::Frame(_) if session.shutdown => Exit::Shutdown,
        exit => exit,
    }
}

struct Session<'a> {
    assembly: Assembly,
    pending: Pending,
    last_heard: Instant,
    /// A sign of life has been asked for since then.
    pinged: bool,
    /// How often the wall clock had jumped at the last look.
    jumps: u64,
    /// When the link is given up after a jump, if nothing has come by then.
    dead_at: Option<Instant>,
    logoff: Option<oneshot::Receiver<ReplyResult>>,
    /// Asterisk has announced its end.
    shutdown: bool,
    /// Not where Asterisk would need the processor meanwhile.
    awake: Option<Duration>,
    awake_until: Option<std::time::Instant>,
    observer: &'a mut dyn Observer,
}

impl Session<'_> {
    async fn serve<S: AsyncRead + AsyncWrite>(
        &mut self,
        connection: &mut Connection<S>,
        requests: &mut mpsc::UnboundedReceiver<Request>,
        stop: &CancellationToken,
        link: &watch::Sender<Link>,
    ) -> Exit {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut read_again = std::time::Instant::now();
        loop {
            let Connection {
                incoming, outgoing, ..
            } = &mut *connection;
            tokio::select! {
                read = async {
                    // The clock of tokio wakes no sooner than after a millisecond, and
                    // others have their turns meanwhile.
                    while std::time::Instant::now() < read_again {
                        yield_now().await;
                    }
                    incoming.fill().await
                } => {
                    match read {
                        Ok(0) if self.logoff.is_some() => return Exit::Stopped,
                        Ok(0) => return Exit::Closed,
                        Ok(_) => {}
                        Err(error) => return error.into(),
                    }
                    self.last_heard = Instant::now();
                    self.pinged = false;
                    self.dead_at = None;
                    loop {
                        match incoming.next_message() {
                            Ok(Some(frame)) => {
                                let list = self.pending.open_list();
                                let message = self.assembly.take(frame, list);
                                let received = message.map(|m| self.receive(m, link));
                                if let Some(Err(exit)) = received {
                                    return exit;
                                }
                            }
                            Ok(None) => break,
                            Err(error) => return error.into(),
                        }
                    }
                    if self.pending.reads_in_flight() >= MANY_READS {
                        read_again = std::time::Instant::now() + COLLECT;
                    }
                }
                written = outgoing.write(), if !outgoing.is_empty() => {
                    if let Err(error) = written {
                        return error.into();
                    }
                }
                Some(request) = requests.recv() => {
                    self.take(request);
                    while let Ok(request) = requests.try_recv() {
                        self.take(request);
                    }
                }
                () = yield_now(), if self.stays_awake() => {}
                _ = tick.tick() => {
                    if let Err(exit) = self.tick(Instant::now()) {
                        return exit;
                    }
                }
                () = stop.cancelled(), if self.logoff.is_none() => {
                    self.logoff = Some(self.own(Action::Logoff, LOGOFF_DEADLINE));
                }
            }
            while connection.outgoing.len() < WRITE_AHEAD
                && self.pending.in_flight() < connection.most_in_flight
                && self
                    .pending
                    .send_next(Instant::now(), |id, action, request_id| {
                        connection.outgoing.queue(id, action, request_id)
                    })
            {}
            if self.pending.in_flight() > 1 || self.pending.has_unsent() {
                self.awake_until = None;
            }
        }
    }

    fn take(&mut self, request: Request) {
        if self.logoff.is_none() && !self.shutdown {
            self.pending.push(request);
            self.stay_awake();
        } else {
            // Whoever asked may be gone; then nobody wants to know.
            let _ = request.reply.send(Err(UNAVAILABLE));
        }
    }

    fn stay_awake(&mut self) {
        self.awake_until = self.awake.map(|awake| std::time::Instant::now() + awake);
    }

    /// Whether to look again at once.
    fn stays_awake(&self) -> bool {
        self.awake_until
            .is_some_and(|until| std::time::Instant::now() < until)
    }

    fn receive(&mut self, message: Message, link: &watch::Sender<Link>) -> Result<(), Exit> {
        match self.pending.receive(message) {
            Ok(Received::Part) => {}
            Ok(Received::Complete(complete)) => {
                self.observer.round_trip(complete.answer.sent.elapsed());
                // Before those who asked are told, so that what they do next
                // finds what they were told.
                if complete.whole || !complete.action.is_read() {
                    self.observer.answered(&complete.action, &complete.answer);
                }
                complete.tell();
                if self.stays_awake() {
                    self.stay_awake();
                }
            }
            Ok(Received::Event(event)) if event.event() == Some(b"Shutdown") => {
                info!("Asterisk announces that it shuts down");
                self.shutdown = true;
                self.observer.lost();
                link.send_replace(Link {
                    state: LinkState::ShuttingDown,
                    requests: None,
                });
                self.pending.refuse_unsent(UNAVAILABLE);
            }
            Ok(Received::Event(event)) => self.observer.event(&event),
            Ok(Received::Stray(message)) => {
                warn!(frame = ?message, "an answer to nothing that was asked")
            }
            Err(_) => return Err(Exit::EndlessList),
        }
        Ok(())
    }

    fn tick(&mut self, now: Instant) -> Result<(), Exit> {
        self.pending.expire(now);
        if let Some(logoff) = &mut self.logoff
            && !matches!(logoff.try_recv(), Err(oneshot::error::TryRecvError::Empty))
        {
            return Err(Exit::Stopped);
        }
        let jumps = wall_clock::jumps();
        if jumps != self.jumps {
            self.jumps = jumps;
            // Asterisk may be at work on an action, and answers one after the other.
            let within = match self.pending.in_flight() {
                0 => AFTER_JUMP,
                _ => PING_DEADLINE,
            };
            self.dead_at = Some(now + within);
            self.pinged = true;
            self.own(Action::Ping, within);
        }
        if self.dead_at.is_some_and(|at| now >= at) {
            return Err(Exit::Unresponsive);
        }
        // Whatever comes is a sign of life, the answer to a Ping or another.
        if now >= self.last_heard + IDLE + PING_DEADLINE {
            return Err(Exit::Unresponsive);
        }
        if now >= self.last_heard + IDLE && !self.pinged {
            debug!("asking for a sign of life");
            self.pinged = true;
            self.own(Action::Ping, PING_DEADLINE);
        }
        match self.pending.oldest_sent() {
            Some(sent) if now >= sent + STALLED => Err(Exit::Unresponsive),
            _ => Ok(()),
        }
    }

    /// Queues an action of the session's own.
    fn own(&mut self, action: Action, within: Duration) -> oneshot::Receiver<ReplyResult> {
        let (reply, receiver) = oneshot::channel();
        self.pending.push(Request {
            action,
            deadline: Instant::now() + within,
            reply,
            request_id: "".into(),
            permit: None,
        });
        receiver
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
