//! An event stream: a snapshot, followed by an event for every change.
//!
//! A client that reconnects with its last position receives the changes that it missed. It
//! receives a new snapshot if the change log no longer contains them, or if its position
//! belongs to another view.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep};

use super::StreamPosition;
use super::batch::{self, Entry};
use super::channel::Reader;
use super::frame::Frame;
use super::position::Progress;
use super::renderer::HEARTBEAT_INTERVAL;
use super::ring::Taken;
use super::snapshots::Snapshot;
use super::view::StreamView;
use super::views::{LiveView, StreamViews, ViewId};
use crate::api::errors::{ApiError, Code};
#[cfg(test)]
use crate::organizations::Account;
#[cfg(test)]
use crate::queues::Pbx;
use crate::queues::mirror::StateChange;

/// An event stream.
pub struct EventStream {
    live: Arc<LiveView>,
    reader: Reader,
    /// How far the client has received the changes.
    progress: Progress,
    phase: Phase,
    /// The link's state as the client knows it.
    connected: bool,
    /// Whether `connected` must still be sent.
    reports_link: bool,
    /// The snapshot with which the stream starts.
    first: Option<Frame>,
    has_ended: bool,
}

#[derive(Debug)]
enum Phase {
    /// The stream sends the entries of the view's renderer.
    Following,
    /// The stream sends the changes that the client has missed, through the one with this number.
    CatchingUp { through: u64 },
    /// The stream waits for a snapshot.
    NeedsSnapshot(Need),
}

/// The snapshot that a stream needs.
#[derive(Debug)]
struct Need {
    /// The number of a change that the snapshot must include.
    change: u64,
    /// Whether the stream has not requested the snapshot yet.
    is_new: bool,
    /// The number of the view's failed snapshots when the stream last looked.
    failures: u64,
    heartbeat: Pin<Box<Sleep>>,
}

/// The result of one step.
enum Step {
    Send(Frame),
    Continue,
    /// Nothing can be done until the view's channel changes.
    Wait,
}

impl EventStream {
    /// Opens a stream. It continues after `position` if possible, and otherwise starts with a
    /// snapshot.
    ///
    /// # Errors
    /// Returns the read's error if the first snapshot can't be read.
    pub(in crate::api) async fn open(
        views: &Arc<StreamViews>,
        view: StreamView,
        position: Option<StreamPosition>,
    ) -> Result<Self, ApiError> {
        let (mut stream, rendered) = Self::join(views.get(view));
        let position = position.filter(|position| stream.live.view.includes(position));
        let resumed = position.and_then(|position| stream.resume(position.progress, rendered));
        if resumed.is_none() {
            stream.first = Some(stream.first_snapshot().await?);
        }
        Ok(stream)
    }

    /// Starts to follow the view. Also returns the number of the last change that the view has
    /// rendered.
    fn join(live: Arc<LiveView>) -> (Self, u64) {
        let (reader, rendered) = Reader::join(&live.channel);
        live.view.pbx.metrics().stream_clients.inc();
        let stream = Self {
            live,
            reader,
            progress: Progress::through(rendered),
            phase: Phase::Following,
            connected: true,
            reports_link: false,
            first: None,
            has_ended: false,
        };
        (stream, rendered)
    }

    /// Opens a stream that starts without a snapshot.
    #[cfg(test)]
    pub(crate) fn for_test(views: &Arc<StreamViews>, pbx: &Pbx, account: &Arc<Account>) -> Self {
        let view = StreamView::new(pbx, Arc::default(), Arc::clone(account), None, "r1");
        Self::join(views.get(view)).0
    }

    /// Continues after a client's progress. `rendered` is the number of the last change that the
    /// view has rendered. Returns `None` if the change log no longer contains the later changes.
    fn resume(&mut self, progress: Progress, rendered: u64) -> Option<()> {
        let pbx = &self.live.view.pbx;
        let missed = pbx.changes_since(progress.last_complete())?;
        if !progress.is_complete {
            // The client has received the member event, but not the queue event after it.
            missed.first()?.1.affects_statistics_of()?;
        }
        // If the missed changes contain no link change, the client may not know that the
        // PBX is down.
        let is_link_change = |change: &StateChange| matches!(change, StateChange::Link { .. });
        if !missed.iter().any(|(_, change)| is_link_change(change)) && !pbx.is_live() {
            self.connected = false;
            self.reports_link = true;
        }
        self.progress = progress;
        if progress < Progress::through(rendered) {
            self.phase = Phase::CatchingUp { through: rendered };
        }
        Some(())
    }

    /// Waits for the snapshot with which the stream starts. It includes the changes that the
    /// client may already know of.
    async fn first_snapshot(&mut self) -> Result<Frame, ApiError> {
        let channel = Arc::clone(&self.live.channel);
        let change = self.live.view.pbx.latest_change();
        let (failures, _) = channel.failures();
        let mut is_urgent = true;
        loop {
            if channel.has_ended() {
                let message = "The bridge is shutting down, or this user has changed.";
                let delay = Duration::from_secs(1);
                return Err(ApiError::temporary(Code::PbxUnavailable, delay, message));
            }
            if let Some(snapshot) = channel.snapshot(change, is_urgent) {
                return match &snapshot.missing {
                    Some(error) => Err(error.clone()),
                    None => Ok(self.take_snapshot(&snapshot)),
                };
            }
            if let (count, Some(error)) = channel.failures()
                && count > failures
            {
                return Err(error);
            }
            is_urgent = false;
            self.reader.changed().await;
        }
    }

    /// Returns the next text, or `None` after the final event. While there is no text, the caller
    /// must poll again after each of the view's [changes](Self::changes). `context` is woken only
    /// for heartbeats.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Frame>> {
        while !self.has_ended {
            match self.step() {
                Step::Send(frame) => return Poll::Ready(Some(frame)),
                Step::Continue => {}
                Step::Wait => {
                    let Phase::NeedsSnapshot(need) = &mut self.phase else {
                        return Poll::Pending;
                    };
                    ready!(need.heartbeat.as_mut().poll(context));
                    let next = Instant::now() + HEARTBEAT_INTERVAL;
                    need.heartbeat.as_mut().reset(next);
                    return Poll::Ready(Some(Frame::heartbeat()));
                }
            }
        }
        Poll::Ready(None)
    }

    /// Returns whether the stream still renders changes that the client has missed.
    #[must_use]
    pub fn is_catching_up(&self) -> bool {
        matches!(self.phase, Phase::CatchingUp { .. })
    }

    /// Returns the view that determines the stream's events.
    #[must_use]
    pub fn view(&self) -> ViewId {
        self.live.id
    }

    /// Returns a receiver that is notified when there may be a new text. It is the same for all
    /// streams of a view.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<()> {
        self.reader.changes()
    }

    fn step(&mut self) -> Step {
        if let Some(frame) = self.first.take() {
            return Step::Send(frame);
        }
        if std::mem::take(&mut self.reports_link) {
            return Step::Send(self.live.view.link_frame(self.progress, self.connected));
        }
        match self.phase {
            Phase::Following => self.follow(),
            _ if self.live.channel.has_ended() => self.shut_down(),
            Phase::CatchingUp { through } => self.catch_up(through),
            Phase::NeedsSnapshot(_) => self.seek_snapshot(),
        }
    }

    fn follow(&mut self) -> Step {
        // Read this first: entries may be pushed until the renderer ends.
        let has_ended = self.live.channel.has_ended();
        match self.reader.take() {
            Taken::Entry(entry) => self.send(&entry),
            Taken::Nothing if has_ended => self.shut_down(),
            Taken::Nothing => Step::Wait,
            Taken::Dropped => self.fall_back(),
        }
    }

    fn send(&mut self, entry: &Entry) -> Step {
        match entry {
            Entry::Batch(batch) => {
                let before = self.progress;
                self.progress = before.max(Progress::through(batch.through));
                if let Some(connected) = batch.link_after(before) {
                    self.connected = connected;
                }
                batch.after(before).map_or(Step::Continue, Step::Send)
            }
            Entry::SnapshotNeeded { change } if *change > self.progress.change => {
                self.need_snapshot(*change)
            }
            Entry::SnapshotNeeded { .. } => Step::Continue,
            Entry::Heartbeat => Step::Send(Frame::heartbeat()),
        }
    }

    /// Renders the next changes that the client has missed.
    fn catch_up(&mut self, through: u64) -> Step {
        let view = Arc::clone(&self.live.view);
        let Some(mut changes) = view.pbx.changes_since(self.progress.last_complete()) else {
            return self.fall_back();
        };
        changes.retain(|(number, _)| *number <= through);
        let Some((last, _)) = changes.last() else {
            self.phase = Phase::Following;
            return Step::Continue;
        };
        let mut entries = batch::render(&view, &changes).into_iter();
        match entries.next() {
            // The changes after this entry follow in the next step.
            Some(entry) => self.send(&entry),
            None => {
                self.progress = Progress::through(*last);
                Step::Continue
            }
        }
    }

    /// Continues with a snapshot because the client reads too slowly.
    fn fall_back(&mut self) -> Step {
        self.live.view.pbx.metrics().dropped_to_snapshot.inc();
        self.need_snapshot(self.live.view.pbx.latest_change())
    }

    fn need_snapshot(&mut self, change: u64) -> Step {
        let (failures, _) = self.live.channel.failures();
        self.phase = Phase::NeedsSnapshot(Need {
            change,
            is_new: true,
            failures,
            heartbeat: Box::pin(sleep(HEARTBEAT_INTERVAL)),
        });
        Step::Continue
    }

    /// Takes the snapshot if it is rendered.
    fn seek_snapshot(&mut self) -> Step {
        let Phase::NeedsSnapshot(need) = &mut self.phase else {
            return Step::Continue;
        };
        if let Some(rendered) = self.reader.rejoin_if_dropped() {
            need.change = need.change.max(rendered);
        }
        let channel = &self.live.channel;
        if let Some(snapshot) = channel.snapshot(need.change, need.is_new) {
            return Step::Send(self.take_snapshot(&snapshot));
        }
        need.is_new = false;
        let (failures, _) = channel.failures();
        let has_failed = failures > need.failures;
        need.failures = failures;
        if has_failed && self.connected && !self.live.view.pbx.is_live() {
            self.connected = false;
            self.reports_link = true;
            return Step::Continue;
        }
        Step::Wait
    }

    /// Continues with the events after the snapshot, and returns its text.
    fn take_snapshot(&mut self, snapshot: &Snapshot) -> Frame {
        self.progress = Progress::through(snapshot.change);
        self.phase = Phase::Following;
        if self.connected == snapshot.stale {
            self.connected = !snapshot.stale;
            self.reports_link = true;
        }
        snapshot.frame.clone()
    }

    fn shut_down(&mut self) -> Step {
        self.has_ended = true;
        Step::Send(self.live.view.shutdown_frame(self.progress))
    }

    /// Returns whether the bridge, not the client, has ended the stream.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.has_ended
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        self.live.view.pbx.metrics().stream_clients.dec();
    }
}
