//! Changes of queues, and what came of each.

use futures_util::future::{join, join_all};

use super::errors::{ApiError, Code};
use super::refusal::{changing, failed, looking_up, unknown_queue};
use super::tenant::Tenant;
use crate::ami::Failure;
use crate::queues::{CommandError, QueueChange, QueueCommands, QueueName};

/// What a change did in one queue.
#[derive(Debug)]
pub(super) struct Row {
    /// The queue's number in the organization.
    pub(super) queue: String,
    pub(super) result: Result<(), ApiError>,
}

/// A queue that a change is meant for.
struct Target {
    /// Its number in the organization.
    number: String,
    /// Its name on the PBX, or why it has none.
    name: Result<QueueName, ApiError>,
}

/// A pause of an agent in a queue where he may be no member.
struct Attempt {
    queue: QueueName,
    /// Whether he is a member, as far as is known.
    is_known: bool,
    /// Whether he is a member, as Asterisk has found.
    result: Result<bool, CommandError>,
}

impl Attempt {
    /// Whether Asterisk may have done it.
    fn was_sent(&self) -> bool {
        let unknown = CommandError::Failure(Failure::Unknown);
        self.result.is_ok() || self.result.as_ref().is_err_and(|error| *error == unknown)
    }
}

impl Tenant<'_> {
    /// Makes a change in each of these queues, all at once. Where none of them is one
    /// of the organization's, the PBX is not asked.
    pub(super) async fn change(
        &self,
        agent: &str,
        numbers: &[String],
        change: &QueueChange,
    ) -> Vec<Row> {
        let pbx = self.open();
        let pbx = pbx.as_ref();
        let targets = self.targets(numbers, pbx).await.into_iter();
        let rows = targets.map(|Target { number, name }| async move {
            let result = match (name, pbx) {
                (Ok(name), Ok(pbx)) => {
                    let done = self.change_one(pbx, &name, change).await;
                    done.map_err(|error| changing(agent, &number, error))
                }
                (Err(error), _) => Err(error),
                (Ok(_), Err(closed)) => Err(closed.clone()),
            };
            Row {
                queue: number,
                result,
            }
        });
        join_all(rows).await
    }

    /// The queues of these numbers. Those that the PBX did not have when it was last
    /// asked are looked up.
    async fn targets(
        &self,
        numbers: &[String],
        pbx: Result<&QueueCommands, &ApiError>,
    ) -> Vec<Target> {
        let own = |number: &String| self.organization.queue(number);
        let name = |number: &String| self.organization.queue_name.expand(number);
        let names: Vec<String> = numbers
            .iter()
            .filter_map(own)
            .map(|own| name(&own))
            .collect();
        let looked_up = match pbx {
            Ok(pbx) => {
                let looked_up = self.pbx.look_up(&names, pbx).await;
                looked_up.map_err(looking_up)
            }
            Err(closed) => Err(closed.clone()),
        };
        let target = |number: &String| {
            let Some(own) = own(number) else {
                return Target {
                    name: Err(unknown_queue(number)),
                    number: number.clone(),
                };
            };
            let name = name(&own);
            let spelled = match &looked_up {
                Ok(found) => found
                    .iter()
                    .find(|q| q.eq_ignore_ascii_case(&name))
                    .cloned(),
                Err(_) => self.pbx.spelled(&name),
            };
            let Some(spelled) = spelled else {
                let missing = looked_up.clone().err();
                return Target {
                    name: Err(missing.unwrap_or_else(|| unknown_queue(&own))),
                    number: own,
                };
            };
            Target {
                number: self.organization.queue_number(&spelled).unwrap_or(own),
                name: Ok(spelled),
            }
        };
        numbers.iter().map(target).collect()
    }

    async fn change_one(
        &self,
        pbx: &QueueCommands,
        queue: &QueueName,
        change: &QueueChange,
    ) -> Result<(), CommandError> {
        self.turn().await?;
        pbx.change(queue, change).await?;
        if let QueueChange::Pause { interface, .. } = change {
            self.see_member(pbx, queue, interface).await;
        }
        Ok(())
    }

    async fn turn(&self) -> Result<(), CommandError> {
        let owner = &self.organization.name;
        Ok(self.pbx.turn(owner, self.deadline).await?)
    }

    /// After a pause of a member who was not known: whoever reads next must see it.
    async fn see_member(&self, pbx: &QueueCommands, queue: &QueueName, interface: &str) {
        if !self.pbx.is_member(queue, interface) {
            // The mirror has the list before this returns; without an answer it asks
            // again by itself.
            let _ = pbx.refresh(queue).await;
        }
    }

    /// Pauses or unpauses the agent in every queue of the organization where Asterisk
    /// finds him. What is known of his memberships decides nothing: realtime members
    /// and reloads come without an event.
    pub(super) async fn pause_everywhere(
        &self,
        agent: &str,
        paused: bool,
        reason: Option<&str>,
    ) -> Result<Vec<Row>, ApiError> {
        let pbx = self.open()?;
        let interface = self.organization.interface.expand(agent);
        let pause = |queue: QueueName| self.attempt(&pbx, queue, &interface, paused, reason);
        let own = |name: &QueueName| self.organization.queue_number(name).is_some();
        let mut attempts: Vec<Attempt>;
        if let Some(names) = self.names(None)? {
            let looked_up = self.pbx.look_up(&names, &pbx).await;
            let spelled = looked_up.map_err(looking_up)?;
            attempts = join_all(spelled.into_iter().map(pause)).await;
        } else {
            // Patterns: Asterisk is asked at the same time which queues it has.
            let known: Vec<_> = self.pbx.spelled_names().into_iter().filter(own).collect();
            let pauses = join_all(known.iter().cloned().map(pause));
            let (all, done) = join(pbx.names(), pauses).await;
            attempts = done;
            let all = all.map_err(|error| match attempts.iter().any(Attempt::was_sent) {
                // There may be queues in which he is not paused.
                true => failed(Failure::Unknown),
                false => looking_up(error),
            });
            let all = all?.named.into_iter();
            let new = all.filter(|name| own(name) && !known.contains(name));
            attempts.extend(join_all(new.map(pause)).await);
        }
        self.rows(agent, attempts)
    }

    async fn attempt(
        &self,
        pbx: &QueueCommands,
        queue: QueueName,
        interface: &str,
        paused: bool,
        reason: Option<&str>,
    ) -> Attempt {
        let is_known = self.pbx.is_member(&queue, interface);
        let result = async {
            if is_known {
                self.turn().await?;
            }
            let is_member = pbx
                .pause_if_member(&queue, interface, paused, reason)
                .await?;
            if is_member && !is_known {
                self.see_member(pbx, &queue, interface).await;
            }
            Ok(is_member)
        };
        Attempt {
            result: result.await,
            queue,
            is_known,
        }
    }

    /// A row for each queue where the agent is a member. In a queue where he may be none,
    /// a failure counts if Asterisk may have done it, or if nothing else is known.
    fn rows(&self, agent: &str, attempts: Vec<Attempt>) -> Result<Vec<Row>, ApiError> {
        let is_row = |a: &Attempt| a.result != Ok(false) && (a.is_known || a.was_sent());
        let has_rows = attempts.iter().any(is_row);
        let rows = attempts.into_iter().filter_map(|attempt| {
            let number = self.organization.queue_number(&attempt.queue)?;
            let result = match attempt.result.clone() {
                Ok(true) => Ok(()),
                Ok(false) => return None,
                Err(_) if has_rows && !is_row(&attempt) => return None,
                Err(error) => Err(changing(agent, &number, error)),
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
        rows.sort_by(|a, b| self.organization.queue_order(&a.queue, &b.queue));
        Ok(rows)
    }
}
