//! A session: one loop that reads from a connection, writes to it, and enforces deadlines.
//!
//! The loop never waits for the code that processes received messages. Asterisk holds the
//! queue's lock while it writes the rows of a `QueueStatus`, so a stalled reader would
//! stall the PBX.
//!
//! The session does not connect, log in or retry; see [`super::supervisor`].

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::yield_now;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::action::Action;
use super::client::{LinkState, LinkUpdate};
use super::connection::{Connection, Incoming, Outgoing};
use super::error::{Failure, SessionEnd};
use super::liveness::{Liveness, Verdict};
use super::message::Message;
use super::observer::Observer;
use super::pending::{Pending, Received, Request};
use super::reassembler::Reassembler;
use super::reply::ReplyResult;
use crate::wall_clock;

/// Interval at which the session checks deadlines.
const TICK_INTERVAL: Duration = Duration::from_millis(100);

/// The session ends if an action remains unanswered for this long, even if other bytes
/// arrive.
const REPLY_TIMEOUT: Duration = Duration::from_secs(30);

/// The session stops encoding actions while this many bytes are unwritten. Further
/// actions stay queued, so that their deadlines can still cancel them.
const WRITE_BUFFER_BYTES: usize = 16 * 1024;

/// While at least this many reads are in flight, the session receives replies in batches.
const BATCH_MIN_READS: usize = 4;

/// While at least this many actions are in flight, the session receives replies in batches.
/// Meanwhile, Asterisk still has actions to execute: it takes at least 20 µs for each.
const BATCH_MIN_ACTIONS: usize = 16;

/// How long bytes accumulate in the socket before the session reads them as a batch.
/// Asterisk writes a list row by row, and takes twice as long if each row wakes a
/// sleeping reader. Asterisk closes the connection if a reader stalls for 100 ms.
const BATCH_WINDOW: Duration = Duration::from_micros(300);

/// How long the session polls before it sleeps: first for the reply to a single action, then for the
/// next request. A wake-up takes half as long as Asterisk takes to execute a `QueuePause`. With several
/// actions in flight, the session does not poll, because it rarely sleeps then and Asterisk needs the
/// CPU.
const SPIN_TIME: Duration = Duration::from_micros(250);

/// Maximum time for Asterisk to answer a logoff.
const LOGOFF_TIMEOUT: Duration = Duration::from_secs(1);

/// The failure of actions that the session will not send.
const UNAVAILABLE: Failure = Failure::Unavailable {
    retry_after: Duration::from_secs(1),
};

/// Runs a session until it ends, and returns the reason. `last_id` is the last used
/// ActionID; the session updates it.
pub(crate) async fn run<S: AsyncRead + AsyncWrite>(
    connection: &mut Connection<S>,
    mut requests: mpsc::UnboundedReceiver<Request>,
    last_id: &mut u64,
    stop: &CancellationToken,
    link_updates: &watch::Sender<LinkUpdate>,
    observer: &mut dyn Observer,
) -> SessionEnd {
    let mut session = Session {
        reassembler: Reassembler::default(),
        pending: Pending::starting_after(*last_id),
        liveness: Liveness::new(Instant::now(), wall_clock::jumps()),
        logoff: None,
        shutdown_announced: false,
        spin_time: std::thread::available_parallelism()
            .is_ok_and(|cpus| cpus.get() > 1)
            .then_some(SPIN_TIME),
        spin_until: None,
        observer,
    };
    session.observer.link_up();
    let end = session
        .serve(connection, &mut requests, stop, link_updates)
        .await;
    session.observer.link_down();
    requests.close();
    // `try_recv` could miss a request that a caller is sending at the same time.
    while let Some(request) = requests.recv().await {
        session.pending.push(request);
    }
    *last_id = session.pending.last_id();
    session
        .pending
        .close(connection.outgoing.written(), UNAVAILABLE);
    match end {
        SessionEnd::Closed | SessionEnd::Frame(_) if session.shutdown_announced => {
            SessionEnd::Shutdown
        }
        end => end,
    }
}

struct Session<'a> {
    reassembler: Reassembler,
    pending: Pending,
    liveness: Liveness,
    /// Receives the logoff's result. `None` until the logoff is queued.
    logoff: Option<oneshot::Receiver<ReplyResult>>,
    shutdown_announced: bool,
    /// `None` on a machine with a single CPU, because Asterisk needs that CPU.
    spin_time: Option<Duration>,
    spin_until: Option<std::time::Instant>,
    observer: &'a mut dyn Observer,
}

impl Session<'_> {
    async fn serve<S: AsyncRead + AsyncWrite>(
        &mut self,
        connection: &mut Connection<S>,
        requests: &mut mpsc::UnboundedReceiver<Request>,
        stop: &CancellationToken,
        link_updates: &watch::Sender<LinkUpdate>,
    ) -> SessionEnd {
        let Connection {
            incoming,
            outgoing,
            max_in_flight,
        } = connection;
        let mut tick = interval(TICK_INTERVAL);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut read_at = std::time::Instant::now();
        loop {
            let step = tokio::select! {
                read = fill_at(incoming, read_at) => match read {
                    Ok(0) if self.logoff.is_some() => Err(SessionEnd::Stopped),
                    Ok(0) => Err(SessionEnd::Closed),
                    Ok(_) => {
                        let result = self.receive_all(incoming, link_updates);
                        if self.pending.reads_in_flight() >= BATCH_MIN_READS {
                            read_at = std::time::Instant::now() + BATCH_WINDOW;
                        } else if self.pending.in_flight() >= BATCH_MIN_ACTIONS {
                            // Blocks the thread of the links, because each reply and each request
                            // would wake it otherwise. Tokio's timer would sleep for too long.
                            std::thread::sleep(BATCH_WINDOW);
                        }
                        result
                    }
                    Err(error) => Err(error.into()),
                },
                written = outgoing.write(), if !outgoing.is_empty() => {
                    written.map_err(SessionEnd::from)
                }
                Some(request) = requests.recv() => {
                    self.accept(request);
                    while let Ok(request) = requests.try_recv() {
                        self.accept(request);
                    }
                    Ok(())
                }
                () = yield_now(), if self.is_spinning() => Ok(()),
                _ = tick.tick() => self.tick(Instant::now()),
                () = stop.cancelled(), if self.logoff.is_none() => {
                    self.logoff = Some(self.enqueue(Action::Logoff, LOGOFF_TIMEOUT));
                    Ok(())
                }
            };
            if let Err(end) = step {
                return end;
            }
            self.send_queued(outgoing, *max_in_flight);
        }
    }

    /// Queues a request's action, or fails the request if the session no longer sends
    /// actions.
    fn accept(&mut self, request: Request) {
        if self.logoff.is_none() && !self.shutdown_announced {
            self.pending.push(request);
            self.extend_spinning();
        } else {
            // An error means that the caller has dropped its future.
            let _ = request.reply_sender.send(Err(UNAVAILABLE));
        }
    }

    /// Encodes queued actions until the write buffer or the connection reaches its limit.
    fn send_queued<S: AsyncWrite>(&mut self, outgoing: &mut Outgoing<S>, max_in_flight: usize) {
        while outgoing.len() < WRITE_BUFFER_BYTES
            && self.pending.in_flight() < max_in_flight
            && self
                .pending
                .send_next(Instant::now(), |id, action, request_id| {
                    outgoing.enqueue(id, action, request_id)
                })
        {}
        if self.pending.in_flight() > 1 || self.pending.has_queued() {
            self.spin_until = None;
        }
    }

    /// Lets the session spin for [`SPIN_TIME`] from now.
    fn extend_spinning(&mut self) {
        self.spin_until = self
            .spin_time
            .map(|spin_time| std::time::Instant::now() + spin_time);
    }

    fn is_spinning(&self) -> bool {
        self.spin_until
            .is_some_and(|until| std::time::Instant::now() < until)
    }

    /// Processes every complete message in the read buffer.
    fn receive_all<S: AsyncRead>(
        &mut self,
        incoming: &mut Incoming<S>,
        link_updates: &watch::Sender<LinkUpdate>,
    ) -> Result<(), SessionEnd> {
        self.liveness.received(Instant::now());
        while let Some(part) = incoming.next_message()? {
            let open_list = self.pending.open_list();
            if let Some(message) = self.reassembler.push(part, open_list) {
                self.receive(message, link_updates)?;
            }
        }
        Ok(())
    }

    fn receive(
        &mut self,
        message: Message,
        link_updates: &watch::Sender<LinkUpdate>,
    ) -> Result<(), SessionEnd> {
        match self.pending.receive(message) {
            Ok(Received::Part) => {}
            Ok(Received::Answered(answered)) => {
                self.observer.round_trip(answered.reply.sent_at.elapsed());
                // The observer is notified before the callers, so that a caller's next
                // step sees the effect of the reply.
                if answered.has_all_rows || !answered.action.is_read() {
                    self.observer.answered(&answered.action, &answered.reply);
                }
                answered.deliver();
                if self.is_spinning() {
                    self.extend_spinning();
                }
            }
            Ok(Received::Event(event)) if event.event() == Some(b"Shutdown") => {
                info!("Asterisk announced its shutdown");
                self.shutdown_announced = true;
                self.observer.link_down();
                link_updates.send_replace(LinkUpdate {
                    state: LinkState::ShuttingDown,
                    requests: None,
                });
                self.pending.fail_queued(UNAVAILABLE);
            }
            Ok(Received::Event(event)) => self.observer.event(&event),
            Ok(Received::Unmatched(message)) => {
                warn!(frame = ?message, "message ignored: it matches no pending action")
            }
            Err(_) => return Err(SessionEnd::ListTooLarge),
        }
        Ok(())
    }

    /// Enforces the callers' deadlines and the time limits for Asterisk's replies.
    fn tick(&mut self, now: Instant) -> Result<(), SessionEnd> {
        self.pending.expire(now);
        if let Some(logoff) = &mut self.logoff
            && !matches!(logoff.try_recv(), Err(oneshot::error::TryRecvError::Empty))
        {
            return Err(SessionEnd::Stopped);
        }
        let in_flight = self.pending.in_flight();
        match self.liveness.check(now, in_flight, wall_clock::jumps()) {
            Verdict::Alive => {}
            Verdict::Ping(timeout) => {
                debug!("Asterisk is silent: sending a Ping");
                // Any byte proves that Asterisk is alive, so the reply itself is not
                // needed.
                drop(self.enqueue(Action::Ping, timeout));
            }
            Verdict::Dead => return Err(SessionEnd::Unresponsive),
        }
        match self.pending.oldest_sent() {
            Some(sent_at) if now >= sent_at + REPLY_TIMEOUT => Err(SessionEnd::Unresponsive),
            _ => Ok(()),
        }
    }

    /// Queues an action that the session itself sends.
    fn enqueue(&mut self, action: Action, timeout: Duration) -> oneshot::Receiver<ReplyResult> {
        let (reply_sender, receiver) = oneshot::channel();
        self.pending.push(Request {
            action,
            deadline: Instant::now() + timeout,
            reply_sender,
            request_id: "".into(),
            permit: None,
        });
        receiver
    }
}

/// Waits until `read_at`, then reads bytes into the buffer. Cancel safe.
async fn fill_at<S: AsyncRead>(
    incoming: &mut Incoming<S>,
    read_at: std::time::Instant,
) -> Result<usize, super::codec::FrameError> {
    // Tokio's timer has a resolution of a millisecond, so this loop yields to other tasks
    // instead of sleeping.
    while std::time::Instant::now() < read_at {
        yield_now().await;
    }
    incoming.fill().await
}

#[cfg(test)]
mod tests;
