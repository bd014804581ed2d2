//! The view of an event stream: the queues and members that it shows to one account.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use tokio::time::Instant;

use super::StreamPosition;
use super::frame::{EventText, Frame};
use super::position::Progress;
use super::snapshots::Snapshot;
use crate::api::errors::ApiError;
use crate::api::json::{JsonPieces, MemberJsonCache, MemberView, QueueEvent, render, write_queues};
use crate::api::tenant::{OwnQueue, Tenant, is_large, shown_number};
use crate::organizations::{Account, AccountVersion};
use crate::queues::mirror::{Follower, MemberChange};
use crate::queues::{Member, Pbx};
use crate::wall_clock;

/// The view of an event stream: the queues and members that it shows to one account.
pub(in crate::api) struct StreamView {
    pub(super) pbx: Pbx,
    pub(super) account: Arc<Account>,
    /// Queue numbers. `None` means all queues of the account.
    queues: Option<Vec<String>>,
    /// The id of the request that opened the view's first stream.
    request_id: String,
    member_json: Arc<MemberJsonCache>,
    /// See [`StreamPosition::stream`].
    stream: Arc<str>,
}

/// Everything that determines the bytes of a view's streams.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct StreamViewKey {
    change_log: u64,
    /// After a reload has changed the account, the same request may show something else.
    account: AccountVersion,
    queues: Option<Vec<String>>,
}

#[derive(Serialize)]
struct MemberEvent<'a> {
    queue: &'a str,
    change: &'static str,
    member: MemberView<'a>,
}

#[derive(Serialize)]
struct PbxEvent {
    connected: bool,
}

#[derive(Serialize)]
struct ShutdownEvent {
    message: &'static str,
}

impl StreamView {
    pub(in crate::api) fn new(
        pbx: &Pbx,
        member_json: Arc<MemberJsonCache>,
        account: Arc<Account>,
        queues: Option<Vec<String>>,
        request_id: &str,
    ) -> Self {
        let mut hasher = DefaultHasher::new();
        (account.version, &queues).hash(&mut hasher);
        Self {
            stream: format!("{:x}-{:x}", pbx.change_log_id(), hasher.finish()).into(),
            pbx: pbx.clone(),
            account,
            queues,
            request_id: request_id.to_owned(),
            member_json,
        }
    }

    pub(super) fn key(&self) -> StreamViewKey {
        StreamViewKey {
            change_log: self.pbx.change_log_id(),
            account: self.account.version,
            queues: self.queues.clone(),
        }
    }

    pub(super) fn follow(&self) -> Follower {
        let (account, queues) = (Arc::clone(&self.account), self.queues.clone());
        let number = move |name: &str| shown_number(&account, queues.as_deref(), name);
        let shows = Arc::new(move |name: &str| number(name).is_some());
        self.pbx.follow(&self.stream, shows)
    }

    /// Whether a position belongs to this view's streams.
    pub(super) fn includes(&self, position: &StreamPosition) -> bool {
        position.stream == self.stream
    }

    /// Returns the number of a queue on the PBX if the view shows it.
    pub(super) fn number(&self, queue: &str) -> Option<String> {
        shown_number(&self.account, self.queues.as_deref(), queue)
    }

    /// Reads the queues that the view shows, and renders them as a `snapshot` event.
    ///
    /// # Errors
    /// Returns `unknown_queue` if the account may not use a queue that the client named, or an
    /// error from the PBX.
    pub(super) async fn snapshot(&self) -> Result<Snapshot, ApiError> {
        let tenant = Tenant {
            account: &self.account,
            pbx: &self.pbx,
            deadline: Instant::now() + self.pbx.action_timeout(),
            request_id: &self.request_id,
        };
        let numbers = self.queues.as_deref();
        let (queues, read) = tenant.queues(numbers, false).await?;
        let missing = tenant.check_all_found(numbers, &queues).err();
        let data = self.snapshot_data(queues, read.now).await?;
        let mut text = EventText::default();
        let id = self.position(Progress::through(read.latest));
        text.event_in_pieces(id, "snapshot", data);
        Ok(Snapshot {
            change: read.latest,
            stale: read.stale,
            missing,
            frame: text.finish(),
        })
    }

    /// Renders the data of a `snapshot` event. `now` is the time of the read, in Unix
    /// milliseconds.
    async fn snapshot_data(&self, queues: Vec<OwnQueue>, now: i64) -> Result<Vec<Bytes>, ApiError> {
        let account = Arc::clone(&self.account);
        let member_json = Arc::clone(&self.member_json);
        render(is_large(&queues), move || {
            let mut json = JsonPieces::default();
            json.raw("{\"queues\":");
            write_queues(&mut json, &queues, &account, &member_json, now);
            json.raw("}");
            json.finish()
        })
        .await
    }

    /// Appends a `member` event. Returns false if the account does not see the member. `queue` is
    /// the queue's name on the PBX, and `number` its number in the organization.
    pub(super) fn write_member(
        &self,
        text: &mut EventText,
        progress: Progress,
        (queue, number): (&str, &str),
        change: MemberChange,
        member: &Member,
    ) -> bool {
        if !self.account.sees_member(&member.interface) {
            return false;
        }
        let now = wall_clock::unix_millis();
        let data = MemberEvent {
            queue: number,
            change: change_name(change),
            member: MemberView::of(member, queue, &self.account.organization, now),
        };
        text.event(self.position(progress), "member", &data);
        true
    }

    /// Appends a `queue` event with the current callers and statistics. Returns false if the
    /// view does not show the queue or the PBX no longer has it.
    pub(super) fn write_queue(
        &self,
        text: &mut EventText,
        progress: Progress,
        queue: &str,
    ) -> bool {
        let Some(number) = self.number(queue) else {
            return false;
        };
        let Some((queue, now)) = self.pbx.queue(queue) else {
            return false;
        };
        let own = OwnQueue { number, queue };
        let data = QueueEvent::of(&own, &self.account, now);
        text.event(self.position(progress), "queue", &data);
        true
    }

    /// Appends a `pbx` event.
    pub(super) fn write_link(&self, text: &mut EventText, progress: Progress, connected: bool) {
        text.event(self.position(progress), "pbx", &PbxEvent { connected });
    }

    /// Renders a `pbx` event.
    pub(super) fn link_frame(&self, progress: Progress, connected: bool) -> Frame {
        let mut text = EventText::default();
        self.write_link(&mut text, progress, connected);
        text.finish()
    }

    /// Renders the final event of a stream that the bridge closes.
    pub(super) fn shutdown_frame(&self, progress: Progress) -> Frame {
        let message =
            "The bridge is shutting down, or this user has changed or expired. Reconnect.";
        let mut text = EventText::default();
        let data = ShutdownEvent { message };
        text.event(self.position(progress), "shutdown", &data);
        text.finish()
    }

    fn position(&self, progress: Progress) -> StreamPosition {
        StreamPosition {
            stream: Arc::clone(&self.stream),
            progress,
        }
    }
}

fn change_name(change: MemberChange) -> &'static str {
    match change {
        MemberChange::Added => "added",
        MemberChange::Removed => "removed",
        MemberChange::Paused => "paused",
        MemberChange::Unpaused => "unpaused",
        MemberChange::Updated => "updated",
    }
}
