//! Questions about queues, asked as narrowly as possible.

use std::time::SystemTime;

use futures_util::future::try_join_all;

use super::command::{CommandError, QueueCommands, header};
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
    /// Those of the named queues that the PBX has, in that order; without names,
    /// all of them. Of queues that are not `wanted` nothing is kept.
    ///
    /// There is no question for one member: Asterisk's filter heeds the case of
    /// interfaces, which it ignores everywhere else.
    ///
    /// # Errors
    /// As [`CommandError`] says; nothing was changed.
    pub async fn queues(
        &self,
        names: Option<&[String]>,
        wanted: impl Fn(&str) -> bool + Copy,
    ) -> Result<Snapshot, CommandError> {
        let Some(names) = names else {
            return self.status(None, None, wanted).await;
        };
        let asked = names
            .iter()
            .map(|name| self.status(Some(name), None, wanted));
        let snapshots = try_join_all(asked).await?;
        let as_of = snapshots.iter().map(|snapshot| snapshot.as_of).min();
        Ok(Snapshot {
            as_of: as_of.unwrap_or_else(SystemTime::now),
            queues: snapshots.into_iter().flat_map(|s| s.queues).collect(),
        })
    }

    /// Whether the PBX has a queue of that name.
    pub(super) async fn exists(&self, queue: &HeaderValue) -> Result<bool, CommandError> {
        let snapshot = self.status(Some(queue.as_str()), Some(NOBODY), |_| true);
        Ok(!snapshot.await?.queues.is_empty())
    }

    pub(super) async fn status(
        &self,
        queue: Option<&str>,
        member: Option<&str>,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Snapshot, CommandError> {
        let action = Action::QueueStatus {
            queue: queue.map(header).transpose()?,
            member: member.map(header).transpose()?,
        };
        let answer = self.answer(action).await?;
        Ok(Snapshot {
            queues: decode::queues(&answer.rows, wanted),
            as_of: SystemTime::now() - answer.sent.elapsed(),
        })
    }
}
