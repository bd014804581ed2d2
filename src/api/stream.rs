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
use tokio::time::{Instant, sleep};

use super::answer::{list, written};
use super::error::ApiError;
use super::figures::QueueEvent;
use super::fragments::{Fragments, Json};
use super::part::{Needs, OwnQueue, Part, Pbx, are_large};
use super::service::Link;
use super::views::{MemberEvent, MemberView};
use crate::organizations::Organization;
use crate::queues::live::{Change, Follower, Live, MemberChange};

/// Between two tries to make a snapshot.
const AGAIN: Duration = Duration::from_secs(1);

/// What a stream shows, to whom.
pub(super) struct Scope {
    live: Live,
    organization: Arc<Organization>,
    /// Queue numbers; `None` is all of the organization.
    queues: Option<Vec<String>>,
    request_id: String,
    /// Bound on making a snapshot.
    action_timeout: Duration,
    kept: Arc<Fragments>,
    /// What ids begin with: which journal, and which part of it. An id of another
    /// means nothing here.
    place: String,
}

/// An event stream.
pub struct EventStream {
    scope: Scope,
    follower: Follower,
    /// Number of the last change that was told.
    told: u64,
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
            follower: scope.live.follow(),
            told: 0,
            connected: true,
            first: None,
            needs_snapshot: false,
            scope,
        };
        let number = last_event_id.and_then(|id| stream.scope.number(id));
        let missed = number.and_then(|number| Some((number, stream.follower.since(number)?.0)));
        match missed {
            Some((number, missed)) => {
                stream.told = number;
                let mut missed = missed.iter();
                let is_among = missed.any(|(_, change)| matches!(change, Change::Link { .. }));
                // It may know that or not, and nothing that it has missed tells it.
                if !is_among && !stream.scope.live.is_loaded() {
                    stream.first = Some(vec![stream.link(false).into()]);
                }
            }
            None => stream.first = Some(stream.snapshot(true).await?),
        }
        Ok(stream)
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
                    Err(_) if self.connected && !self.scope.live.is_loaded() => {
                        return vec![self.link(false).into()];
                    }
                    Err(_) => sleep(AGAIN).await,
                }
                continue;
            }
            self.follower.behind(self.told).await;
            let Some((changes, latest)) = self.follower.since(self.told) else {
                self.scope.live.metrics().dropped_to_snapshot.inc();
                self.needs_snapshot = true;
                continue;
            };
            self.told = latest;
            let text = self.tell(&changes);
            if !text.is_empty() {
                return vec![text.into()];
            }
        }
    }

    /// Changes as events; behind one that only a snapshot can tell, the link only.
    fn tell(&mut self, changes: &[(u64, Change)]) -> Vec<u8> {
        let mut text = Vec::new();
        // Figures are told as they are now, so once is enough.
        let figures = changes.iter().filter_map(|(number, change)| match change {
            Change::Figures { queue } => Some((Arc::clone(queue), *number)),
            _ => None,
        });
        let last_figures: HashMap<_, _> = figures.collect();
        for (number, change) in changes {
            let event = match change {
                Change::Link { connected } => {
                    self.connected = *connected;
                    Some(
                        self.scope
                            .event(*number, "pbx", &json!({ "connected": connected })),
                    )
                }
                Change::Queue { queue } => {
                    self.needs_snapshot |= self.scope.own_number(queue).is_some();
                    None
                }
                _ if self.needs_snapshot => None,
                Change::Member {
                    queue,
                    what,
                    member,
                } => self.scope.own_number(queue).map(|own| {
                    let view = MemberEvent {
                        queue: &own,
                        change: change_name(*what),
                        member: MemberView::of(member, &self.scope.organization),
                    };
                    self.scope.event(*number, "member", &view)
                }),
                Change::Figures { queue } if last_figures.get(queue) == Some(number) => self
                    .scope
                    .own(queue)
                    .map(|own| self.scope.event(*number, "queue", &QueueEvent::of(&own))),
                Change::Figures { .. } => None,
            };
            text.extend(event.unwrap_or_default());
        }
        text
    }

    /// All queues of the stream. From then on, what comes behind is told. A queue
    /// that was named and is not there is an error only when the stream begins.
    async fn snapshot(&mut self, all_named: bool) -> Result<Vec<Bytes>, ApiError> {
        let part = self.scope.part();
        let numbers = self.scope.queues.as_deref();
        let (queues, seen) = part.queues(numbers, false, Needs::All).await?;
        if all_named {
            part.all_there(numbers, &queues)?;
        }
        let number = seen.latest.unwrap_or_default();
        let head = self.scope.head(number, "snapshot");
        let organization = Arc::clone(&self.scope.organization);
        let kept = Arc::clone(&self.scope.kept);
        let mut pieces = written(are_large(&queues), move || {
            let mut json = Json::default();
            json.raw(&head);
            json.raw("{\"queues\":");
            list(&mut json, &queues, &organization, Some(&kept));
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
        self.scope
            .event(self.told, "pbx", &json!({ "connected": connected }))
    }

    /// The last event, where the daemon ends the stream.
    #[must_use]
    pub fn shutdown(&self) -> Bytes {
        let data = json!({
            "message": "The bridge is shutting down, or reads its configuration again: come back.",
        });
        self.scope.event(self.told, "shutdown", &data).into()
    }
}

impl Scope {
    pub(super) fn new(
        link: &Link,
        organization: &Arc<Organization>,
        queues: Option<Vec<String>>,
        request_id: &str,
        kept: &Arc<Fragments>,
    ) -> Self {
        let mut hasher = DefaultHasher::new();
        // With all that decides what is shown: after a change of the configuration
        // it may be something else.
        (format!("{organization:?}"), &queues).hash(&mut hasher);
        Self {
            place: format!("{:x}-{:x}", link.live.epoch(), hasher.finish()),
            live: link.live.clone(),
            organization: Arc::clone(organization),
            queues,
            request_id: request_id.to_owned(),
            action_timeout: link.action_timeout,
            kept: Arc::clone(kept),
        }
    }

    fn part(&self) -> Part<'_> {
        Part {
            organization: &self.organization,
            pbx: Pbx {
                live: &self.live,
                deadline: Instant::now() + self.action_timeout,
                request_id: &self.request_id,
            },
        }
    }

    /// The number of a queue that the stream shows.
    fn own_number(&self, name: &str) -> Option<String> {
        let number = self.organization.queue_number(name)?;
        let shows =
            |queues: &Vec<String>| queues.iter().any(|own| own.eq_ignore_ascii_case(&number));
        self.queues.as_ref().is_none_or(shows).then_some(number)
    }

    fn own(&self, name: &str) -> Option<OwnQueue> {
        Some(OwnQueue {
            number: self.own_number(name)?,
            queue: self.live.queue(name)?,
        })
    }

    fn number(&self, id: &str) -> Option<u64> {
        let number = id.strip_prefix(&self.place)?.strip_prefix('-')?;
        number.parse().ok()
    }

    fn head(&self, number: u64, event: &str) -> String {
        format!("id: {}-{number}\nevent: {event}\ndata: ", self.place)
    }

    fn event(&self, number: u64, event: &str, data: &impl Serialize) -> Vec<u8> {
        let mut text = self.head(number, event).into_bytes();
        // JSON has no line ends of its own.
        let _ = serde_json::to_writer(&mut text, data);
        text.extend_from_slice(b"\n\n");
        text
    }
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
