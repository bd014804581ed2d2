//! Changes the queues that a request names.

use futures_util::future::join_all;

use super::errors::ApiError;
use super::refusal::{change_failed, lookup_failed, unknown_queue};
use super::tenant::Tenant;
use crate::queues::{NewMember, PbxRequest, QueueChange, QueueName};

/// A change that a request makes in one or more queues.
#[derive(Debug)]
pub(super) enum RequestedChange {
    Pause(RequestedPause),
    /// Adds a dynamic member.
    Add {
        member: NewMember,
        /// When the bridge ends the member's pause, in Unix milliseconds; `None` for a pause
        /// without an end, and without a pause.
        ends_at: Option<i64>,
    },
    /// Removes a dynamic member.
    Remove {
        interface: String,
    },
}

/// A requested pause or unpause.
#[derive(Debug)]
pub(super) struct RequestedPause {
    pub(super) interface: String,
    /// True to pause, false to unpause.
    pub(super) paused: bool,
    pub(super) reason: Option<String>,
    /// When the bridge ends the pause, in Unix milliseconds; `None` for a pause without an end.
    pub(super) ends_at: Option<i64>,
    /// Whether to leave the member alone in queues in which it is already paused.
    pub(super) keep_existing: bool,
}

impl RequestedChange {
    fn queue_change(&self) -> QueueChange {
        match self {
            Self::Pause(pause) => QueueChange::Pause {
                interface: pause.interface.clone(),
                paused: pause.paused,
                reason: pause.reason.clone(),
            },
            Self::Add { member, .. } => QueueChange::Add(member.clone()),
            Self::Remove { interface } => QueueChange::Remove {
                interface: interface.clone(),
            },
        }
    }

    /// Returns when the bridge ends the pause that the change makes, in Unix milliseconds.
    fn ends_at(&self) -> Option<i64> {
        match self {
            Self::Pause(RequestedPause { ends_at, .. }) | Self::Add { ends_at, .. } => *ends_at,
            Self::Remove { .. } => None,
        }
    }
}

/// The result of a change in one queue.
#[derive(Debug)]
pub(super) struct Row {
    /// The queue's number in the organization.
    pub(super) queue: String,
    pub(super) result: Result<RowResult, ApiError>,
}

/// What a successful change has done in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowResult {
    /// Asterisk has made the change.
    Changed {
        /// When the bridge ends the pause, in Unix milliseconds; `None` for a pause without an
        /// end, and for other changes.
        ends_at: Option<i64>,
    },
    /// The member was already paused, and its pause was kept.
    Kept,
}

/// A queue that the request names.
struct Target {
    /// The queue's number in the organization.
    number: String,
    /// The queue's name on the PBX, or the error if it has none.
    name: Result<QueueName, ApiError>,
}

impl Tenant<'_> {
    /// Makes a change in each of these queues concurrently. Nothing is sent to the PBX for
    /// a queue that is not the organization's.
    pub(super) async fn change(
        &self,
        agent: &str,
        numbers: &[String],
        change: &RequestedChange,
    ) -> Vec<Row> {
        let queue_change = &change.queue_change();
        let request = self.begin();
        let request = request.as_ref();
        let targets = self.targets(numbers, request).await.into_iter();
        let rows = targets.map(|Target { number, name }| async move {
            let result = match (name, request) {
                (Ok(name), Ok(_)) if self.keeps_pause(&name, change) => Ok(RowResult::Kept),
                (Ok(name), Ok(request)) => {
                    let changed = request.change(&name, queue_change).await;
                    let ends_at = change.ends_at();
                    changed
                        .map(|()| RowResult::Changed { ends_at })
                        .map_err(|error| change_failed(agent, &number, error))
                }
                (Err(error), _) => Err(error),
                (Ok(_), Err(unavailable)) => Err(unavailable.clone()),
            };
            Row {
                queue: number,
                result,
            }
        });
        join_all(rows).await
    }

    fn keeps_pause(&self, queue: &QueueName, change: &RequestedChange) -> bool {
        match change {
            RequestedChange::Pause(pause) => self.has_pause_to_keep(queue, pause),
            RequestedChange::Add { .. } | RequestedChange::Remove { .. } => false,
        }
    }

    /// Returns whether the member is paused in the queue and the request keeps existing pauses.
    pub(super) fn has_pause_to_keep(&self, queue: &QueueName, pause: &RequestedPause) -> bool {
        if !pause.keep_existing {
            return false;
        }
        let queue = self.pbx.queue(queue);
        let member = queue
            .as_ref()
            .and_then(|queue| queue.member(&pause.interface));
        member.is_some_and(|member| member.paused)
    }

    /// Maps queue numbers to queues of the PBX. Queries Asterisk if the mirror lacks one of
    /// the queues.
    async fn targets(
        &self,
        numbers: &[String],
        request: Result<&PbxRequest<'_>, &ApiError>,
    ) -> Vec<Target> {
        let own = numbers
            .iter()
            .filter_map(|number| self.organization.canonical_number(number));
        let names: Vec<_> = own.map(|own| self.pbx_name(&own)).collect();
        let found = match request {
            Ok(request) => request.look_up(&names).await.map_err(lookup_failed),
            Err(unavailable) => Err(unavailable.clone()),
        };
        let targets = numbers
            .iter()
            .map(|number| self.target(number, found.as_deref()));
        targets.collect()
    }

    /// Maps one queue number. `found` is the result of the look-up on the PBX. If the look-up
    /// failed, the mirror is used instead.
    fn target(&self, number: &str, found: Result<&[QueueName], &ApiError>) -> Target {
        let Some(own) = self.organization.canonical_number(number) else {
            return Target {
                name: Err(unknown_queue(number)),
                number: number.to_owned(),
            };
        };
        let name = self.pbx_name(&own);
        let spelled = match found {
            Ok(found) => found
                .iter()
                .find(|found| found.eq_ignore_ascii_case(&name))
                .cloned(),
            Err(_) => self.pbx.spelling_of(&name),
        };
        match spelled {
            Some(spelled) => Target {
                number: self.organization.queue_number(&spelled).unwrap_or(own),
                name: Ok(spelled),
            },
            None => Target {
                name: Err(found.err().cloned().unwrap_or_else(|| unknown_queue(&own))),
                number: own,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::time::Instant;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::organizations::Organization;
    use crate::queues::mirror::unreachable_pbx;

    #[tokio::test]
    async fn queue_that_was_looked_up_is_used_even_if_the_link_was_lost_meanwhile() {
        let organization = Arc::new(Organization::for_test(&["6001"], "acme-{queue}"));
        // The mirror has no queues, as right after a new link.
        let (pbx, _) = unreachable_pbx(CancellationToken::new());
        let tenant = Tenant {
            organization: &organization,
            pbx: &pbx,
            deadline: Instant::now(),
            request_id: "1",
        };
        let found = [QueueName::for_test("ACME-6001")];
        let name = |found| tenant.target("6001", found).name;
        assert_eq!(name(Ok(&found)), Ok(found[0].clone()));
        assert_eq!(name(Ok(&[])), Err(unknown_queue("6001")));
    }
}
