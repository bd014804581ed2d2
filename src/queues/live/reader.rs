//! Answers from memory.

use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use futures_util::stream::TryStreamExt;
use tokio::time::{Instant, timeout_at};

use super::entry::Entry;
use super::follower::Follower;
use super::metrics::Metrics;
use super::mirror::{Mirror, Phase};
use super::shared::Shared;
use crate::ami::{Client, Failure};
use crate::queues::command::{CommandError, QueueCommands};
use crate::queues::model::Queue;
use crate::queues::pace::Pace;
use crate::queues::read::{LISTS_AT_ONCE, NOBODY, Snapshot};
use crate::wall_clock;

/// The live state of a PBX. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Live {
    shared: Arc<Shared>,
    client: Client,
    pace: Arc<Pace>,
    serve_stale: bool,
}

/// What is to be read, for whom.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Names of queues; `None` is all.
    pub names: Option<&'a [String]>,
    /// Whether to ask Asterisk for those of them that are not known.
    pub finds_new: bool,
    /// When the answer must be there.
    pub deadline: Instant,
    /// Id of the request, for the log.
    pub request_id: &'a str,
}

/// Up to so many queues are asked about one by one for their figures; beyond,
/// one question about all queues of the PBX is the lesser burden.
const ASK_ONE_BY_ONE: usize = 16;

/// When to try again while the state is being loaded.
const LOADING: Failure = Failure::Unavailable {
    retry_after: Duration::from_secs(1),
};

impl Live {
    pub(super) fn new(shared: Arc<Shared>, client: Client, serve_stale: bool) -> Self {
        Self {
            shared,
            client,
            pace: Arc::new(Pace::new(Instant::now())),
            serve_stale,
        }
    }

    /// The link.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Whether the state can be read and the link is kept. Does not come back where
    /// somebody never gives the lock back.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.shared.look(|_| ());
        self.client.is_kept()
    }

    /// What it counts of itself.
    #[must_use]
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.shared.metrics
    }

    /// Whether all of the state is there, and followed.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        *self.shared.phase.borrow() == Phase::Live
    }

    /// Whether there is a link, and Asterisk has no queues: app_queue is not loaded.
    #[must_use]
    pub fn is_unloaded(&self) -> bool {
        *self.shared.phase.borrow() == Phase::Unloaded
    }

    /// Waits until a change may be made: a large PBX can't digest all that it
    /// takes. Those for whom changes are made have their turns one after another.
    ///
    /// # Errors
    /// [`Failure::Overloaded`] where that is not before the deadline.
    pub async fn turn(&self, owner: &str, deadline: Instant) -> Result<(), Failure> {
        let memberships = self.shared.look(Mirror::memberships);
        self.pace.turn(owner, memberships, deadline).await
    }

    /// Queues with their members, of those that are `wanted`. Callers and figures
    /// may be old.
    ///
    /// # Errors
    /// [`Failure::Unavailable`] without a link, or while the state is loaded.
    pub async fn members(
        &self,
        question: Question<'_>,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Snapshot, CommandError> {
        let stale = self.prepare(question).await?;
        Ok(self.shared.look(|mirror| {
            let queues = selected(mirror, question.names, wanted);
            Snapshot {
                queues: queues
                    .into_iter()
                    .map(|entry| Arc::clone(entry.queue()))
                    .collect(),
                as_of: wall_clock::before(mirror.heard.elapsed()),
                stale,
                latest: Some(mirror.journal.latest()),
            }
        }))
    }

    /// Queues with members, callers and figures, of those that are `wanted`. Asks
    /// Asterisk for callers and figures that have changed or are older than a
    /// second; whoever comes meanwhile shares the answer.
    ///
    /// # Errors
    /// As [`Self::members`], and what else can become of a question.
    pub async fn queues(
        &self,
        question: Question<'_>,
        wanted: impl Fn(&str) -> bool + Copy,
    ) -> Result<Snapshot, CommandError> {
        let stale = self.prepare(question).await?;
        if !stale {
            self.refresh_figures(question, wanted).await?;
        }
        let now = Instant::now();
        Ok(self.shared.look(|mirror| {
            let entries = selected(mirror, question.names, wanted);
            let oldest = entries.iter().map(|entry| entry.figures_at).min();
            let queues = entries.into_iter().map(|entry| as_of(entry, now));
            Snapshot {
                queues: queues.collect(),
                as_of: wall_clock::before(oldest.unwrap_or(now).elapsed()),
                stale,
                latest: Some(mirror.journal.latest()),
            }
        }))
    }

    /// A queue as it was last seen.
    #[must_use]
    pub fn queue(&self, name: &str) -> Option<Arc<Queue>> {
        let now = Instant::now();
        self.shared
            .look(|mirror| Some(as_of(mirror.entry(name)?, now)))
    }

    /// Tells the numbers of this journal of changes from those of any other.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.shared.epoch
    }

    /// Follows the changes.
    #[must_use]
    pub fn follow(&self) -> Follower {
        Follower::new(Arc::clone(&self.shared))
    }

    /// Waits until there is a state to be told, with the queues that are to be found;
    /// returns whether it is stale.
    async fn prepare(&self, question: Question<'_>) -> Result<bool, CommandError> {
        let stale = self.available(question.deadline).await?;
        if !stale && question.finds_new {
            self.find(question).await?;
        }
        Ok(stale)
    }

    /// Waits until there is a state to be told; returns whether it is stale.
    async fn available(&self, deadline: Instant) -> Result<bool, Failure> {
        if self.is_loaded() {
            return Ok(false);
        }
        let mut phase = self.shared.phase.subscribe();
        let settled = phase.wait_for(|phase| *phase != Phase::Seeding);
        let Ok(Ok(settled)) = timeout_at(deadline, settled).await else {
            return Err(LOADING);
        };
        match *settled {
            Phase::Live => Ok(false),
            Phase::Lost if self.serve_stale => Ok(true),
            _ => match self.client.begin_own(deadline, "") {
                Err(failure) => Err(failure),
                Ok(_) => Err(LOADING),
            },
        }
    }

    /// Asks for queues that are not known, or not whole: Asterisk says nothing when a
    /// reload of its configuration adds one.
    async fn find(&self, question: Question<'_>) -> Result<(), CommandError> {
        let unknown: Vec<String> = self.shared.look(|mirror| {
            let names = question.names.unwrap_or_default().iter();
            let unknown = names.filter(|name| mirror.entry(name).is_none_or(Entry::is_new));
            unknown.cloned().collect()
        });
        if unknown.is_empty() {
            return Ok(());
        }
        let exchange = self.client.begin(question.deadline, question.request_id)?;
        let commands = QueueCommands::new(exchange);
        // The mirror takes the answers over before they are here.
        let lists = commands.lists(unknown, LISTS_AT_ONCE);
        lists.try_for_each(|_| ready(Ok(()))).await
    }

    async fn refresh_figures(
        &self,
        question: Question<'_>,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<(), CommandError> {
        let now = Instant::now();
        let outdated: Vec<Arc<str>> = self.shared.look(|mirror| {
            let entries = selected(mirror, question.names, wanted).into_iter();
            let outdated = entries.filter(|entry| entry.needs_figures(now));
            outdated.map(|entry| Arc::clone(&entry.name)).collect()
        });
        if outdated.is_empty() {
            return Ok(());
        }
        let exchange = self.client.begin(question.deadline, question.request_id)?;
        let commands = QueueCommands::new(exchange);
        // The mirror takes the answers over before they are here.
        if outdated.len() > ASK_ONE_BY_ONE {
            commands.status(None, Some(NOBODY)).await?;
        } else {
            let figures = |name: Arc<str>| {
                let commands = &commands;
                async move { commands.status(Some(&name), Some(NOBODY)).await }
            };
            try_join_all(outdated.into_iter().map(figures)).await?;
        }
        Ok(())
    }
}

/// The queues that are meant: in the order of their names where some are given.
fn selected<'a>(
    mirror: &'a Mirror,
    names: Option<&[String]>,
    wanted: impl Fn(&str) -> bool,
) -> Vec<&'a Entry> {
    match names {
        Some(names) => names.iter().filter_map(|name| mirror.entry(name)).collect(),
        None => mirror
            .entries()
            .filter(|entry| wanted(&entry.name))
            .collect(),
    }
}

/// The queue now: callers have waited on since they were listed.
fn as_of(entry: &Entry, now: Instant) -> Arc<Queue> {
    let queue = entry.queue();
    let since = now.saturating_duration_since(entry.figures_at).as_secs();
    if since == 0 || queue.callers.is_empty() {
        return Arc::clone(queue);
    }
    let mut callers = Vec::clone(&queue.callers);
    for caller in &mut callers {
        caller.wait_seconds += since;
    }
    Arc::new(Queue {
        callers: Arc::new(callers),
        ..Queue::clone(queue)
    })
}
