//! The event stream of an organization: a snapshot, then every change.
//!
//! An event's id says where it stands in the PBX's journal of changes. A client
//! that comes back with the last one gets what it has missed; where the journal
//! does not go back so far, or the id is not one of this stream, a new snapshot.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde_json::json;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::answer::{list, written};
use super::error::ApiError;
use super::member_json::{Json, MemberJsonCache};
use super::statistics::QueueEvent;
use super::tenant::{Needs, OwnQueue, Tenant, are_large, shown_number};
use super::views::{MemberEvent, MemberView};
use crate::organizations::{Organization, User};
use crate::queues::Pbx;
use crate::queues::mirror::{Follower, MemberChange, StateChange};

/// What happens within this time behind what was told is told together: many members
/// change faster than anyone reads the figures that follow them.
const TOGETHER: Duration = Duration::from_millis(100);

/// Between two tries to make a snapshot.
const AGAIN: Duration = Duration::from_secs(1);

/// What a stream shows, to whom.
pub(super) struct Scope {
    pbx: Pbx,
    organization: Arc<Organization>,
    /// Cancelled when the user may not see this any more.
    withdrawn: CancellationToken,
    /// Queue numbers; `None` is all of the organization.
    queues: Option<Vec<String>>,
    request_id: String,
    member_json: Arc<MemberJsonCache>,
    /// What ids begin with: which journal, and which part of it. An id of another
    /// means nothing here.
    place: String,
}

/// An event stream.
pub struct EventStream {
    scope: Scope,
    follower: Follower,
    /// Number of the last change that was told, with all before it.
    told: u64,
    /// When the next changes are told.
    not_before: Instant,
    /// Whether the client believes that the PBX is there.
    connected: bool,
    /// What is told first.
    first: Option<Vec<Bytes>>,
    /// Whether the client has to start anew.
    needs_snapshot: bool,
}

impl EventStream {
    /// A stream that goes on behind the event of that id, or begins with a
    /// snapshot.
    pub(super) async fn open(scope: Scope, last_event_id: Option<&str>) -> Result<Self, ApiError> {
        let mut stream = Self {
            follower: scope.follow(),
            told: 0,
            not_before: Instant::now(),
            connected: true,
            first: None,
            needs_snapshot: false,
            scope,
        };
        if last_event_id.and_then(|id| stream.resume(id)).is_none() {
            stream.first = Some(stream.snapshot(true).await?);
        }
        Ok(stream)
    }

    /// Goes on behind the event of that id, where that is possible.
    fn resume(&mut self, id: &str) -> Option<()> {
        let (number, is_whole) = self.scope.place_of(id)?;
        let (missed, _) = self
            .follower
            .since(number.checked_sub(u64::from(!is_whole))?)?;
        let mut missed = missed.iter().map(|(_, change)| change);
        let mut text = Vec::new();
        if !is_whole {
            // The client has what became of a member, and not the figures behind it.
            let queue = missed.next()?.counts_in()?;
            text.extend(self.scope.figures(number, queue).unwrap_or_default());
        }
        self.told = number;
        // It may know that or not, where nothing that it has missed tells it soon.
        let mut links = missed.filter(|change| matches!(change, StateChange::Link { .. }));
        if links.next().is_none() && !self.scope.pbx.is_loaded() {
            text.extend(self.link(false));
        }
        self.first = (!text.is_empty()).then(|| vec![text.into()]);
        Some(())
    }

    /// The next events as text, in pieces, as soon as there are some. Nothing is
    /// lost where this is cancelled.
    pub async fn next(&mut self) -> Vec<Bytes> {
        if let Some(first) = self.first.take() {
            return first;
        }
        loop {
            if self.needs_snapshot {
                match self.snapshot(false).await {
                    Ok(snapshot) => return snapshot,
                    Err(_) if self.connected && !self.scope.pbx.is_loaded() => {
                        return vec![self.link(false).into()];
                    }
                    Err(_) => sleep(AGAIN).await,
                }
                continue;
            }
            self.follower.behind(self.told).await;
            sleep_until(self.not_before).await;
            let Some((changes, latest)) = self.follower.since(self.told) else {
                self.scope.pbx.metrics().dropped_to_snapshot.inc();
                self.needs_snapshot = true;
                continue;
            };
            self.told = latest;
            let text = self.tell(&changes);
            if !text.is_empty() {
                self.not_before = Instant::now() + TOGETHER;
                return vec![text.into()];
            }
        }
    }

    /// Changes as events; behind one that only a snapshot can tell, the link only.
    fn tell(&mut self, changes: &[(u64, StateChange)]) -> Vec<u8> {
        let mut text = Vec::new();
        // What members do changes figures too. They are told as they are now, so once
        // is enough, behind the last change of all.
        let counting = changes.iter().filter_map(|(number, change)| {
            let queue = change.counts_in()?;
            Some((queue, *number))
        });
        let last: HashMap<_, _> = counting.collect();
        for (number, change) in changes {
            let counts_in = change.counts_in();
            let counts_in = counts_in.filter(|queue| last.get(queue) == Some(number));
            match change {
                StateChange::Link { connected } => {
                    self.connected = *connected;
                    // What was skipped is not told, whatever comes behind it.
                    let id = whole(self.told.min(*number));
                    let data = json!({ "connected": connected });
                    text.extend(self.scope.event(id, "pbx", &data));
                }
                StateChange::Queue { queue } => {
                    if !self.needs_snapshot && self.scope.own_number(queue).is_some() {
                        self.needs_snapshot = true;
                        self.told = number - 1;
                    }
                }
                _ if self.needs_snapshot => continue,
                StateChange::Member {
                    queue,
                    what,
                    member,
                } => {
                    let Some(own) = self.scope.own_number(queue) else {
                        continue;
                    };
                    let view = MemberEvent {
                        queue: &own,
                        change: change_name(*what),
                        member: MemberView::of(member, &self.scope.organization),
                    };
                    let id = whole(*number) - u64::from(counts_in.is_some());
                    text.extend(self.scope.event(id, "member", &view));
                }
                StateChange::Figures { .. } => {}
            }
            let figures = counts_in.and_then(|queue| self.scope.figures(*number, queue));
            text.extend(figures.unwrap_or_default());
        }
        text
    }

    /// All queues of the stream. From then on, what comes behind is told. A queue
    /// that was named and is not there is an error only when the stream begins.
    async fn snapshot(&mut self, all_named: bool) -> Result<Vec<Bytes>, ApiError> {
        let tenant = self.scope.tenant();
        let numbers = self.scope.queues.as_deref();
        let (queues, seen) = tenant.queues(numbers, false, Needs::All).await?;
        if all_named {
            tenant.all_there(numbers, &queues)?;
        }
        let number = seen.latest;
        let head = self.scope.head(whole(number), "snapshot");
        let organization = Arc::clone(&self.scope.organization);
        let kept = Arc::clone(&self.scope.member_json);
        let mut pieces = written(are_large(&queues), move || {
            let mut json = Json::default();
            json.raw(&head);
            json.raw("{\"queues\":");
            list(&mut json, &queues, &organization, &kept);
            json.raw("}\n\n");
            json.into_pieces()
        })
        .await?;
        self.told = number;
        self.needs_snapshot = false;
        if self.connected == seen.stale {
            pieces.push(self.link(!seen.stale).into());
        }
        Ok(pieces)
    }

    fn link(&mut self, connected: bool) -> Vec<u8> {
        self.connected = connected;
        let data = json!({ "connected": connected });
        self.scope.event(whole(self.told), "pbx", &data)
    }

    /// Cancelled when the user has changed, or is none any more.
    #[must_use]
    pub fn withdrawn(&self) -> CancellationToken {
        self.scope.withdrawn.clone()
    }

    /// The last event, where the daemon ends the stream, behind what was not told yet
    /// of the first.
    #[must_use]
    pub fn shutdown(&mut self) -> Vec<Bytes> {
        let mut pieces = self.first.take().unwrap_or_default();
        let data = json!({
            "message": "The bridge is shutting down, or this user has changed: come back.",
        });
        let last = self.scope.event(whole(self.told), "shutdown", &data);
        pieces.push(last.into());
        pieces
    }
}

impl Scope {
    pub(super) fn new(
        pbx: &Pbx,
        member_json: Arc<MemberJsonCache>,
        user: &User,
        queues: Option<Vec<String>>,
        request_id: &str,
    ) -> Self {
        let organization = &user.organization;
        let mut hasher = DefaultHasher::new();
        // With all that decides what is shown: after a change of the configuration
        // it may be something else.
        (format!("{organization:?}"), &queues).hash(&mut hasher);
        Self {
            place: format!("{:x}-{:x}", pbx.epoch(), hasher.finish()),
            pbx: pbx.clone(),
            organization: Arc::clone(organization),
            withdrawn: user.withdrawn.clone(),
            queues,
            request_id: request_id.to_owned(),
            member_json,
        }
    }

    fn tenant(&self) -> Tenant<'_> {
        Tenant {
            organization: &self.organization,
            pbx: &self.pbx,
            deadline: Instant::now() + self.pbx.action_timeout(),
            request_id: &self.request_id,
        }
    }

    fn follow(&self) -> Follower {
        let (organization, queues) = (Arc::clone(&self.organization), self.queues.clone());
        let shows = move |name: &str| shown_number(&organization, queues.as_deref(), name);
        let shows = Arc::new(move |name: &str| shows(name).is_some());
        self.pbx.follow(&self.place, shows)
    }

    /// The number of a queue that the stream shows.
    fn own_number(&self, name: &str) -> Option<String> {
        shown_number(&self.organization, self.queues.as_deref(), name)
    }

    fn own(&self, name: &str) -> Option<OwnQueue> {
        Some(OwnQueue {
            number: self.own_number(name)?,
            queue: self.pbx.queue(name)?,
        })
    }

    /// The change that an id tells of, and whether the whole of it.
    fn place_of(&self, id: &str) -> Option<(u64, bool)> {
        let id = id.strip_prefix(&self.place)?.strip_prefix('-')?;
        let id: u64 = id.parse().ok()?;
        Some((id / 2, id % 2 == 1))
    }

    /// A queue's figures as they are now, behind that change.
    fn figures(&self, number: u64, queue: &str) -> Option<Vec<u8>> {
        let own = self.own(queue)?;
        Some(self.event(whole(number), "queue", &QueueEvent::of(&own)))
    }

    fn head(&self, id: u64, event: &str) -> String {
        format!("id: {}-{id}\nevent: {event}\ndata: ", self.place)
    }

    fn event(&self, id: u64, event: &str, data: &impl Serialize) -> Vec<u8> {
        let mut text = self.head(id, event).into_bytes();
        // JSON has no line ends of its own.
        let _ = serde_json::to_writer(&mut text, data);
        text.extend_from_slice(b"\n\n");
        text
    }
}

/// The id of an event that tells the whole of a change, or the rest of it: of a
/// member's, which is told first, it is one less. So nobody misses the figures, who
/// comes back between the two.
fn whole(number: u64) -> u64 {
    number * 2 + 1
}

fn change_name(what: MemberChange) -> &'static str {
    match what {
        MemberChange::Added => "added",
        MemberChange::Removed => "removed",
        MemberChange::Paused => "paused",
        MemberChange::Unpaused => "unpaused",
        MemberChange::Updated => "updated",
    }
}
