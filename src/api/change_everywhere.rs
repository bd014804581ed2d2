//! Pauses an agent in every queue of the account, or removes the agent from them.
//!
//! The bridge sends the change to every queue, even to queues in which the mirror does not list
//! the agent. The mirror may lack a membership, because Asterisk sends no event when a realtime
//! database or a reload changes a queue's members. Asterisk itself looks up the member and
//! refuses the change if there is none.

use std::collections::HashSet;

use futures_util::future::join;
use tokio::sync::OnceCell;

use super::changes::{Row, RowResult, run_changes};
use super::errors::{ApiError, Code};
use super::refusal::{change_failed, lookup_failed, request_failed};
use super::tenant::Tenant;
use crate::ami::Failure;
use crate::queues::{ChangeAttempt, PauseChange, PbxRequest, QueueChange, QueueError, QueueName};

/// A change that can be made in every queue of the account.
enum Change<'a> {
    Pause(&'a PauseChange),
    /// Removes the member with this interface.
    Remove(&'a str),
}

impl Change<'_> {
    fn interface(&self) -> &str {
        match self {
            Self::Pause(pause) => &pause.interface,
            Self::Remove(interface) => interface,
        }
    }
}

/// An attempt to change the agent's membership in one queue.
struct Attempt {
    queue: QueueName,
    change: ChangeAttempt,
}

impl Attempt {
    /// Whether Asterisk may have made the change.
    fn may_have_happened(&self) -> bool {
        match &self.change.result {
            Ok(_) | Err(QueueError::Failure(Failure::Unknown)) => true,
            Err(_) => false,
        }
    }

    /// Whether the response shows this attempt when other attempts have succeeded. If the
    /// mirror does not list the agent as a member, a failed attempt is shown only if the
    /// change may have happened, if Asterisk reports a static member, or if nothing was sent, so
    /// that nobody knows whether the agent is a member.
    fn has_row(&self) -> bool {
        let is_refused = self.change.result == Ok(None);
        let is_static = self.change.result == Err(QueueError::StaticMember);
        let is_unsent = matches!(
            self.change.result,
            Err(QueueError::Failure(
                Failure::Overloaded | Failure::Unavailable { .. }
            ))
        );
        let is_shown = self.change.is_listed || is_static || is_unsent;
        !is_refused && (is_shown || self.may_have_happened())
    }
}

/// The queues in which a request's changes are attempted. They are looked up once for all agents of
/// the request.
#[derive(Debug, Default)]
pub(super) struct AttemptedQueues {
    /// The account's queues that Asterisk had listed before the request.
    known: OnceCell<Vec<QueueName>>,
    /// The account's queues that Asterisk lists now for the first time.
    new: OnceCell<Vec<QueueName>>,
}

impl Tenant<'_> {
    /// Pauses or unpauses the agent in every queue of the account in which Asterisk finds the
    /// agent, or removes the agent from every queue in which the agent is a dynamic member.
    ///
    /// # Errors
    /// Returns `not_a_member` if Asterisk finds the agent in no queue, or the look-up's error if
    /// looking up the queues fails.
    pub(super) async fn change_everywhere(
        &self,
        request: &PbxRequest<'_>,
        queues: &AttemptedQueues,
        agent: &str,
        change: &QueueChange,
    ) -> Result<Vec<Row>, ApiError> {
        let (everywhere, needs_members) = match change {
            QueueChange::Pause(pause) => (Change::Pause(pause), pause.depends_on_member()),
            QueueChange::Remove { interface } => (Change::Remove(interface), true),
            QueueChange::Add(_) => unreachable!("an agent is only added to named queues"),
        };
        if needs_members {
            let memberships = request.look_up_memberships(change.interface());
            memberships.await.map_err(lookup_failed)?;
        }
        let attempts = match self.names(None)? {
            Some(names) => {
                let known = queues.known.get_or_try_init(|| request.look_up(&names));
                let known = known.await.map_err(lookup_failed)?;
                self.attempt_all(request, known, &everywhere).await
            }
            None => {
                self.attempt_by_patterns(request, queues, &everywhere)
                    .await?
            }
        };
        self.rows(agent, attempts, change.ends_at())
    }

    /// Makes the change in the known queues, and concurrently queries Asterisk for new ones.
    /// Used for organizations whose queues are defined by patterns.
    async fn attempt_by_patterns(
        &self,
        request: &PbxRequest<'_>,
        queues: &AttemptedQueues,
        change: &Change<'_>,
    ) -> Result<Vec<Attempt>, ApiError> {
        let is_own = |name: &QueueName| self.account.queue_number(name).is_some();
        let known = queues.known.get_or_init(async || {
            let mut known = self.pbx.listed_names();
            known.retain(is_own);
            known
        });
        let known = known.await;
        let new = queues.new.get_or_try_init(async || {
            let mut new = request.names().await?.usable_names;
            let known: HashSet<&QueueName> = known.iter().collect();
            new.retain(|name| is_own(name) && !known.contains(name));
            Ok(new)
        });
        let attempts = self.attempt_all(request, known, change);
        let (new, mut attempts) = join(new, attempts).await;
        let new = new.map_err(|error| {
            if attempts.iter().any(Attempt::may_have_happened) {
                // The agent may be a member of a new queue and not be changed there.
                request_failed(Failure::Unknown)
            } else {
                lookup_failed(error)
            }
        })?;
        attempts.extend(self.attempt_all(request, new, change).await);
        Ok(attempts)
    }

    /// Makes the change in these queues. Begins with those in which the mirror lists the agent, so
    /// that they do not wait for attempts in other queues.
    async fn attempt_all(
        &self,
        request: &PbxRequest<'_>,
        queues: &[QueueName],
        change: &Change<'_>,
    ) -> Vec<Attempt> {
        let own = self.pbx.queues_of(change.interface());
        let queues = queues.iter().cloned();
        let (mut order, others): (Vec<_>, Vec<_>) = queues.partition(|queue| own.contains(queue));
        order.extend(others);
        let attempts = order.into_iter().map(|queue| async {
            let change = match change {
                Change::Pause(pause) => request.pause_if_member(&queue, pause).await,
                Change::Remove(interface) => request.remove_if_member(&queue, interface).await,
            };
            Attempt { queue, change }
        });
        run_changes(attempts).await
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
            let result = match attempt.change.result {
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
        let rows: Vec<Row> = rows.collect();
        if rows.is_empty() {
            let message = format!("Agent {agent} is a member of none of the queues.");
            return Err(ApiError::new(Code::NotAMember, message));
        }
        Ok(self.account.organization.sort(rows, |row| &row.queue))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempt_that_was_not_sent_has_a_row_even_if_the_mirror_lists_no_member() {
        for (error, has_row) in [
            (QueueError::Failure(Failure::Overloaded), true),
            (QueueError::Failure(Failure::Unknown), true),
            (QueueError::StaticMember, true),
            (QueueError::AlreadyMember, false),
        ] {
            let attempt = Attempt {
                queue: QueueName::for_test("acme-6001"),
                change: ChangeAttempt {
                    is_listed: false,
                    result: Err(error.clone()),
                },
            };
            assert_eq!(attempt.has_row(), has_row, "{error:?}");
        }
    }
}
