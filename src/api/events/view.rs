//! The view of an event stream: the queues and members that it shows to one account.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use tokio::time::Instant;

use super::{StreamEvent, StreamPosition};
use crate::api::errors::ApiError;
use crate::api::json::{
    JsonPieces, MemberJsonCache, MemberView, QueueEvent, render, to_json, write_queues,
};
use crate::api::tenant::{OwnQueue, ReadState, Tenant, is_large, shown_number};
use crate::organizations::Account;
use crate::queues::mirror::{Follower, MemberChange};
use crate::queues::{Member, Pbx};
use crate::wall_clock;

/// The view of an event stream: the queues and members that it shows to one account.
pub(in crate::api) struct StreamView {
    pub(super) pbx: Pbx,
    account: Arc<Account>,
    /// Queue numbers. `None` means all queues of the account.
    queues: Option<Vec<String>>,
    request_id: String,
    member_json: Arc<MemberJsonCache>,
    /// See [`StreamPosition::stream`].
    stream: Arc<str>,
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
        // After a reload has changed the account, the same request may show something else.
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

    pub(super) fn follow(&self) -> Follower {
        let (account, queues) = (Arc::clone(&self.account), self.queues.clone());
        let number = move |name: &str| shown_number(&account, queues.as_deref(), name);
        let shows = Arc::new(move |name: &str| number(name).is_some());
        self.pbx.follow(&self.stream, shows)
    }

    /// Whether a position belongs to this stream.
    pub(super) fn includes(&self, position: &StreamPosition) -> bool {
        position.stream == self.stream
    }

    /// Returns the number of a queue on the PBX if the stream shows it.
    pub(super) fn number(&self, queue: &str) -> Option<String> {
        shown_number(&self.account, self.queues.as_deref(), queue)
    }

    /// Reads the queues that the stream shows.
    ///
    /// # Errors
    /// Returns `unknown_queue` if `all_named` is set and the PBX does not have a queue that the
    /// client named, or an error from the PBX.
    pub(super) async fn read(
        &self,
        all_named: bool,
    ) -> Result<(Vec<OwnQueue>, ReadState), ApiError> {
        let tenant = Tenant {
            account: &self.account,
            pbx: &self.pbx,
            deadline: Instant::now() + self.pbx.action_timeout(),
            request_id: &self.request_id,
        };
        let numbers = self.queues.as_deref();
        let (queues, read) = tenant.queues(numbers, false).await?;
        if all_named {
            tenant.check_all_found(numbers, &queues)?;
        }
        Ok((queues, read))
    }

    /// Renders the data of a `snapshot` event. `now` is the time of the read, in Unix
    /// milliseconds.
    pub(super) async fn snapshot_data(
        &self,
        queues: Vec<OwnQueue>,
        now: i64,
    ) -> Result<Vec<Bytes>, ApiError> {
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

    pub(super) fn account(&self) -> Arc<Account> {
        Arc::clone(&self.account)
    }

    /// Returns a `member` event, or `None` if the account does not see the member. `queue` is the
    /// queue's name on the PBX, and `number` its number in the organization.
    pub(super) fn member_event(
        &self,
        position: StreamPosition,
        (queue, number): (&str, &str),
        change: MemberChange,
        member: &Member,
    ) -> Option<StreamEvent> {
        if !self.account.sees_member(&member.interface) {
            return None;
        }
        let now = wall_clock::unix_millis();
        let data = to_json(&MemberEvent {
            queue: number,
            change: change_name(change),
            member: MemberView::of(member, queue, &self.account.organization, now),
        });
        Some(event(position, "member", data))
    }

    /// Returns a `queue` event with the current callers and statistics. Returns `None` if the
    /// stream does not show the queue or the PBX no longer has it.
    pub(super) fn queue_event(&self, position: StreamPosition, queue: &str) -> Option<StreamEvent> {
        let number = self.number(queue)?;
        let (queue, now) = self.pbx.queue(queue)?;
        let own = OwnQueue { number, queue };
        let data = to_json(&QueueEvent::of(&own, &self.account, now));
        Some(event(position, "queue", data))
    }

    /// Returns a position in this stream.
    pub(super) fn position(&self, change: u64, is_complete: bool) -> StreamPosition {
        StreamPosition {
            stream: Arc::clone(&self.stream),
            change,
            is_complete,
        }
    }
}

pub(super) fn snapshot_event(position: StreamPosition, data: Vec<Bytes>) -> StreamEvent {
    event(position, "snapshot", data)
}

pub(super) fn pbx_event(position: StreamPosition, connected: bool) -> StreamEvent {
    event(position, "pbx", to_json(&PbxEvent { connected }))
}

pub(super) fn shutdown_event(position: StreamPosition) -> StreamEvent {
    let message = "The bridge is shutting down, or this user has changed or expired. Reconnect.";
    event(position, "shutdown", to_json(&ShutdownEvent { message }))
}

fn event(position: StreamPosition, name: &'static str, data: Vec<Bytes>) -> StreamEvent {
    StreamEvent {
        position,
        name,
        data,
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
