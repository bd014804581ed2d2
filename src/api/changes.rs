//! Changes an agent's memberships in the queues that a request names.

use futures_util::stream::{StreamExt, iter};

use super::errors::ApiError;
use super::refusal::{change_failed, lookup_failed, unknown_queue};
use super::tenant::Tenant;
use crate::queues::{ChangeResult, MAX_CHANGES_UNDER_WAY, PbxRequest, QueueChange, QueueName};

/// The result of a change in one queue.
#[derive(Debug)]
pub(super) struct Row {
    /// The queue's number in the organization.
    pub(super) queue: String,
    pub(super) result: Result<RowResult, ApiError>,
}

/// The effect of a successful change in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowResult {
    /// Asterisk has made the change.
    Changed {
        /// When the bridge ends the pause, in Unix milliseconds; `None` for a pause without an
        /// end, and for other changes.
        ends_at: Option<i64>,
    },
    /// The member was already paused, and nothing was sent.
    Kept,
}

impl RowResult {
    /// Returns the effect of a change that succeeded. `ends_at` is the requested end of the
    /// pause.
    pub(super) fn of(result: ChangeResult, ends_at: Option<i64>) -> Self {
        match result {
            ChangeResult::Made => Self::Changed { ends_at },
            ChangeResult::KeptExisting => Self::Kept,
        }
    }
}

/// A queue that the request names.
struct Target {
    /// The queue's number in the organization.
    number: String,
    /// The queue's name on the PBX, or the error if it has none.
    name: Result<QueueName, ApiError>,
}

/// Runs changes, at most [`MAX_CHANGES_UNDER_WAY`] at the same time, and returns their results in the
/// same order.
pub(super) async fn run_changes<F: Future>(
    mut changes: impl ExactSizeIterator<Item = F>,
) -> Vec<F::Output> {
    // Most requests make a single change. Buffering it would take a tenth of the request's CPU time.
    if changes.len() == 1
        && let Some(change) = changes.next()
    {
        return vec![change.await];
    }
    let running = iter(changes).buffered(MAX_CHANGES_UNDER_WAY);
    running.collect().await
}

impl Tenant<'_> {
    /// Makes a change in each of these queues concurrently. Nothing is sent to the PBX for
    /// a queue that the account may not use. `request` is an error if the PBX is not available.
    pub(super) async fn change(
        &self,
        request: Result<&PbxRequest<'_>, &ApiError>,
        agent: &str,
        numbers: &[String],
        change: &QueueChange,
    ) -> Vec<Row> {
        let ends_at = change.ends_at();
        let targets = self.targets(numbers, request).await.into_iter();
        let rows = targets.map(|Target { number, name }| async move {
            let result = match (name, request) {
                (Ok(name), Ok(request)) => {
                    let changed = request.change(&name, change).await;
                    changed
                        .map(|result| RowResult::of(result, ends_at))
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
        run_changes(rows).await
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
            .filter_map(|number| self.account.canonical_number(number));
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
        let Some(own) = self.account.canonical_number(number) else {
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
                number: self.account.queue_number(&spelled).unwrap_or(own),
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
    use tokio::time::Instant;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::organizations::{Account, Limits, Organization};
    use crate::queues::mirror::unreachable_pbx;

    #[tokio::test]
    async fn queue_that_was_looked_up_is_used_even_if_the_link_was_lost_meanwhile() {
        let organization = Organization::for_test(&["6001"], "acme-{queue}");
        let account = Account::for_test(organization, Limits::default());
        // The mirror has no queues, as right after a new link.
        let (pbx, _) = unreachable_pbx(CancellationToken::new());
        let tenant = Tenant {
            account: &account,
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
