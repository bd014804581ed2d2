//! Pauses an agent in every queue of the account.
//!
//! The bridge sends the pause to every queue, even to queues in which the mirror does not list
//! the agent. The mirror may lack a membership, because Asterisk sends no event when a realtime
//! database or a reload changes a queue's members. Asterisk itself looks up the member and
//! refuses the pause if there is none.

use futures_util::future::{join, join_all};

use super::changes::{Row, RowResult};
use super::errors::{ApiError, Code};
use super::refusal::{change_failed, lookup_failed, request_failed};
use super::tenant::Tenant;
use crate::ami::Failure;
use crate::queues::{PauseAttempt, PauseChange, PbxRequest, QueueError, QueueName};

/// An attempt to pause the agent in one queue.
struct Attempt {
    queue: QueueName,
    pause: PauseAttempt,
}

impl Attempt {
    /// Whether Asterisk may have paused the member.
    fn may_have_happened(&self) -> bool {
        match &self.pause.result {
            Ok(_) | Err(QueueError::Failure(Failure::Unknown)) => true,
            Err(_) => false,
        }
    }

    /// Whether the response shows this attempt when other attempts have succeeded. If the
    /// mirror does not list the agent as a member, a failed attempt is shown only if the
    /// pause may have happened.
    fn has_row(&self) -> bool {
        let is_refused = self.pause.result == Ok(None);
        !is_refused && (self.pause.is_listed || self.may_have_happened())
    }
}

impl Tenant<'_> {
    /// Pauses or unpauses the agent in every queue of the account in which Asterisk finds the
    /// agent.
    ///
    /// # Errors
    /// Returns `not_a_member` if Asterisk finds the agent in no queue, or the look-up's error if
    /// looking up the queues fails.
    pub(super) async fn pause_everywhere(
        &self,
        agent: &str,
        pause: &PauseChange,
    ) -> Result<Vec<Row>, ApiError> {
        let request = self.begin()?;
        if pause.depends_on_member() {
            let memberships = request.look_up_memberships(&pause.interface);
            memberships.await.map_err(lookup_failed)?;
        }
        let attempts = match self.names(None)? {
            Some(names) => {
                let names = request.look_up(&names).await.map_err(lookup_failed)?;
                self.attempt_all(&request, names, pause).await
            }
            None => self.attempt_by_patterns(&request, pause).await?,
        };
        self.rows(agent, attempts, pause.ends_at)
    }

    /// Pauses the agent in the known queues, and concurrently queries Asterisk for new ones.
    /// Used for organizations whose queues are defined by patterns.
    async fn attempt_by_patterns(
        &self,
        request: &PbxRequest<'_>,
        pause: &PauseChange,
    ) -> Result<Vec<Attempt>, ApiError> {
        let is_own = |name: &QueueName| self.account.queue_number(name).is_some();
        let mut known = self.pbx.listed_names();
        known.retain(is_own);
        let attempts = self.attempt_all(request, known.clone(), pause);
        let (names, mut attempts) = join(request.names(), attempts).await;
        let names = names.map_err(|error| {
            if attempts.iter().any(Attempt::may_have_happened) {
                // The agent may be a member of a new queue and not be paused there.
                request_failed(Failure::Unknown)
            } else {
                lookup_failed(error)
            }
        })?;
        let mut new = names.usable_names;
        new.retain(|name| is_own(name) && !known.contains(name));
        attempts.extend(self.attempt_all(request, new, pause).await);
        Ok(attempts)
    }

    async fn attempt_all(
        &self,
        request: &PbxRequest<'_>,
        queues: Vec<QueueName>,
        pause: &PauseChange,
    ) -> Vec<Attempt> {
        let attempts = queues.into_iter().map(|queue| async {
            Attempt {
                pause: request.pause_if_member(&queue, pause).await,
                queue,
            }
        });
        join_all(attempts).await
    }

    /// Returns a row for each queue in which the agent is a member.
    fn rows(
        &self,
        agent: &str,
        attempts: Vec<Attempt>,
        ends_at: Option<i64>,
    ) -> Result<Vec<Row>, ApiError> {
        let has_rows = attempts.iter().any(Attempt::has_row);
        let rows = attempts.into_iter().filter_map(|attempt| {
            let number = self.account.queue_number(&attempt.queue)?;
            let is_dropped = has_rows && !attempt.has_row();
            let result = match attempt.pause.result {
                Ok(Some(result)) => Ok(RowResult::of(result, ends_at)),
                Ok(None) => return None,
                Err(_) if is_dropped => return None,
                Err(error) => Err(change_failed(agent, &number, error)),
            };
            Some(Row {
                queue: number,
                result,
            })
        });
        let mut rows: Vec<Row> = rows.collect();
        if rows.is_empty() {
            let message = format!("Agent {agent} is a member of none of the queues.");
            return Err(ApiError::new(Code::NotAMember, message));
        }
        rows.sort_by(|a, b| self.account.organization.compare_queues(&a.queue, &b.queue));
        Ok(rows)
    }
}
