//! Selects the queues that a request reads.

use super::action::{Context, LoggedParameters};
use super::read_response::ReadView;
use crate::api::errors::ApiError;
use crate::api::form::Form;
use crate::api::parameters;
use crate::api::tenant::{OwnQueue, ReadState, Tenant, is_large};
use crate::api::views::{Shown, ViewKey};

/// The parameters of `showqueue` and `showqueuestat`.
#[derive(Debug)]
pub(super) struct QueueSelection {
    /// Queue numbers. `None` means all queues of the organization.
    queues: Option<Vec<String>>,
    /// Whether to query Asterisk instead of reading the mirror.
    fresh: bool,
}

impl QueueSelection {
    pub(super) fn parse(form: &Form) -> Result<Self, ApiError> {
        let fresh = parameters::flag(form, "fresh")?;
        parameters::reject_agent(form)?;
        let queues = parameters::queues(form)?;
        Ok(Self { queues, fresh })
    }

    /// Reads the queues with members, callers and statistics.
    ///
    /// # Errors
    /// Returns `unknown_queue` if the organization or the PBX does not have one of the named
    /// queues, or an error from the PBX.
    pub(super) async fn read(
        &self,
        tenant: &Tenant<'_>,
    ) -> Result<(Vec<OwnQueue>, ReadState), ApiError> {
        let numbers = self.queues.as_deref();
        let (queues, read) = tenant.queues(numbers, self.fresh).await?;
        tenant.check_all_found(numbers, &queues)?;
        Ok((queues, read))
    }

    /// Returns the view of a response that shows these queues.
    pub(super) fn view(
        &self,
        context: &Context<'_>,
        queues: &[OwnQueue],
        read: ReadState,
    ) -> ReadView {
        let (action, account) = (context.action.name, context.tenant.account);
        ReadView {
            key: ViewKey::new(action, account, &[], self.queues.as_deref()),
            shown: Shown::queues(queues, read.stale),
            is_large: is_large(queues),
        }
    }

    pub(super) fn logged(&self) -> LoggedParameters {
        LoggedParameters {
            queues: self.queues.clone(),
            ..LoggedParameters::default()
        }
    }
}
