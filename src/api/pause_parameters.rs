//! Parses and checks the parameters of a pause: its reason and its duration.

use super::errors::{ApiError, Code};
use super::form::{Form, invalid};
use super::parameters;
use crate::organizations::Organization;
use crate::queues::PauseReason;

/// The longest duration of a pause, in seconds.
const MAX_DURATION_SECONDS: u64 = 24 * 60 * 60;

/// The checked reason and duration of a pause.
#[derive(Debug, Default)]
pub(super) struct PauseParameters {
    /// The reason in its configured spelling if it is listed, else as the client spells it.
    pub(super) reason: Option<String>,
    /// After how many seconds the bridge ends the pause; `None` for a pause without an end.
    pub(super) duration_seconds: Option<u64>,
}

impl PauseParameters {
    /// Parses the parameters `reason` and `duration` of a pause. If the bridge ends pauses with
    /// this reason, their limit is the default and the maximum duration.
    ///
    /// # Errors
    /// - `missing_parameter` if the organization requires a reason and there is none.
    /// - `invalid_parameter` if a parameter is malformed, the organization does not allow the
    ///   reason, or the duration exceeds the reason's limit.
    pub(super) fn parse(form: &Form, organization: &Organization) -> Result<Self, ApiError> {
        let given = parameters::member_text(form, "reason")?;
        if given.is_none() && organization.reason_required {
            return Err(reason_missing(organization));
        }
        let listed = given
            .as_deref()
            .and_then(|name| organization.reasons.find(name));
        if given.is_some() && listed.is_none() && !organization.other_reasons {
            let problem = format!("must be one of: {}", names(organization));
            return Err(invalid("reason", &problem));
        }
        Ok(Self {
            duration_seconds: duration(form, listed)?,
            reason: listed.map(|listed| listed.name.clone()).or(given),
        })
    }
}

/// Parses the parameter `reason` of an unpause. It need not be listed.
///
/// # Errors
/// Returns `invalid_parameter` if the reason is malformed.
pub(super) fn unpause_reason(
    form: &Form,
    organization: &Organization,
) -> Result<Option<String>, ApiError> {
    let given = parameters::member_text(form, "reason")?;
    Ok(given.map(|given| match organization.reasons.find(&given) {
        Some(listed) => listed.name.clone(),
        None => given,
    }))
}

/// Returns the duration of a pause in seconds. `reason` is the pause's reason, if it is listed.
fn duration(form: &Form, reason: Option<&PauseReason>) -> Result<Option<u64>, ApiError> {
    let ending = reason.filter(|reason| reason.ends);
    let limit = ending.and_then(|reason| Some((reason.limit_seconds?, &reason.name)));
    let Some(text) = form.get("duration") else {
        return Ok(limit.map(|(seconds, _)| seconds));
    };
    // `str::parse` alone would accept a plus sign.
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = text.parse().ok().filter(|_| is_number);
    let seconds = seconds.filter(|seconds| (1..=MAX_DURATION_SECONDS).contains(seconds));
    let seconds = seconds.ok_or_else(|| {
        let problem = format!("must be a whole number of seconds from 1 to {MAX_DURATION_SECONDS}");
        invalid("duration", &problem)
    })?;
    match limit {
        Some((limit, name)) if seconds > limit => {
            let problem = format!("must be at most {limit} seconds for the reason {name}");
            Err(invalid("duration", &problem))
        }
        _ => Ok(Some(seconds)),
    }
}

fn reason_missing(organization: &Organization) -> ApiError {
    let mut message = "The parameter reason is missing: a pause must have a reason".to_owned();
    if !organization.reasons.is_empty() {
        message += ", such as: ";
        message += &names(organization);
    }
    ApiError::parameter(Code::MissingParameter, "reason", message + ".")
}

/// Returns the names of the listed reasons, in configured order.
fn names(organization: &Organization) -> String {
    let names = organization
        .reasons
        .iter()
        .map(|reason| reason.name.as_str());
    names.collect::<Vec<_>>().join(", ")
}
