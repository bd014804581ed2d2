//! Questions about queues, asked as narrowly as possible.

use std::time::SystemTime;

use futures_util::future::try_join_all;

use super::command::{CommandError, QueueCommands, queue_value};
use super::decode;
use super::model::Queue;
use crate::ami::Action;
use crate::ami::value::HeaderValue;

/// Queues as they were on the PBX.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The queues, in Asterisk's order or in that of the question.
    pub queues: Vec<Queue>,
    /// When the oldest part was true.
    pub as_of: SystemTime,
}

/// A name that no member has: with it, Asterisk lists a queue's parameters and
/// callers and none of its members.
const NOBODY: &str = "ami-bridge-nobody";

impl QueueCommands {
    /// One queue with its members and callers; `None` where the PBX has no
    /// queue of that name.
    ///
    /// # Errors
    /// As [`CommandError`] says; nothing was changed.
    pub async fn queue(&self, name: &str) -> Result<Option<Snapshot>, CommandError> {
        let snapshot = self.status(Some(name), None).await?;
        Ok(Some(snapshot).filter(|snapshot| !snapshot.queues.is_empty()))
    }

    /// Those of the named queues that the PBX has, in that order.
    ///
    /// # Errors
    /// As [`CommandError`] says; nothing was changed.
    pub async fn queues(&self, names: &[String]) -> Result<Snapshot, CommandError> {
        let asked = names.iter().map(|name| self.status(Some(name), None));
        Ok(merge(try_join_all(asked).await?))
    }

    /// Every queue of the PBX.
    ///
    /// # Errors
    /// As [`CommandError`] says; nothing was changed.
    pub async fn all_queues(&self) -> Result<Snapshot, CommandError> {
        self.status(None, None).await
    }

    /// The named queues that the PBX has, or all of them, with no other member
    /// than that interface.
    ///
    /// # Errors
    /// As [`CommandError`] says; nothing was changed.
    pub async fn memberships(
        &self,
        names: Option<&[String]>,
        interface: &str,
    ) -> Result<Snapshot, CommandError> {
        let mut snapshot = match names {
            Some(names) => {
                let asked = names
                    .iter()
                    .map(|name| self.status(Some(name), Some(interface)));
                merge(try_join_all(asked).await?)
            }
            None => self.status(None, Some(interface)).await?,
        };
        // The filter matches the display name as well, and heeds case, which
        // Asterisk ignores everywhere else: where it finds nobody, look closely.
        keep_only(&mut snapshot, interface);
        if snapshot.queues.iter().all(|queue| queue.members.is_empty()) {
            snapshot = match names {
                Some(names) => self.queues(names).await?,
                None => self.all_queues().await?,
            };
            keep_only(&mut snapshot, interface);
        }
        Ok(snapshot)
    }

    /// Whether the PBX has a queue of that name.
    pub(super) async fn exists(&self, queue: &HeaderValue) -> Result<bool, CommandError> {
        let snapshot = self.status(Some(queue.as_str()), Some(NOBODY)).await?;
        Ok(!snapshot.queues.is_empty())
    }

    pub(super) async fn status(
        &self,
        queue: Option<&str>,
        member: Option<&str>,
    ) -> Result<Snapshot, CommandError> {
        let action = Action::QueueStatus {
            queue: queue.map(queue_value).transpose()?,
            member: member.map(queue_value).transpose()?,
        };
        let answer = self.answer(action).await?;
        Ok(Snapshot {
            queues: decode::queues(&answer.rows),
            as_of: SystemTime::now() - answer.sent.elapsed(),
        })
    }
}

fn keep_only(snapshot: &mut Snapshot, interface: &str) {
    for queue in &mut snapshot.queues {
        queue.members.retain(|member| member.is(interface));
    }
}

fn merge(snapshots: Vec<Snapshot>) -> Snapshot {
    let as_of = snapshots.iter().map(|snapshot| snapshot.as_of).min();
    Snapshot {
        as_of: as_of.unwrap_or_else(SystemTime::now),
        queues: snapshots.into_iter().flat_map(|s| s.queues).collect(),
    }
}
