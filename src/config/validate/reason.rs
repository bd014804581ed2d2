//! `[[organization.NAME.reason]]`

use super::text::check_line;
use super::value::whole_seconds;
use crate::ami::value::MemberValue;
use crate::config::file;
use crate::config::mistake::Mistakes;
use crate::queues::{PauseReason, ReasonCatalog};

/// The longest limit of a reason, in hours.
const MAX_LIMIT_HOURS: u64 = 365 * 24;

/// The longest limit of a reason with `ends = true`, in hours.
const MAX_DURATION_HOURS: u64 = 24;

/// Validates an organization's pause reasons. `organization` is the organization's table, such
/// as `organization.acme`.
pub(super) fn validate(
    organization: &str,
    table: &file::Organization,
    mistakes: &mut Mistakes,
) -> ReasonCatalog {
    let mut catalog = ReasonCatalog::default();
    for (index, table) in table.reason.iter().enumerate() {
        let key = format!("{organization}.reason[{index}]");
        let Some(reason) = validate_reason(&key, table, mistakes) else {
            continue;
        };
        if let Some(earlier) = catalog.find(&reason.name) {
            let message = format!("is the same as \"{}\": case does not matter", earlier.name);
            mistakes.add(format!("{key}.name"), message);
        } else {
            catalog.push(reason);
        }
    }
    if !table.other_reasons && table.reason.is_empty() {
        let hint = "other_reasons = false needs at least one [[organization.NAME.reason]]";
        mistakes.add_missing(&format!("{organization}.reason"), hint);
    }
    catalog
}

fn validate_reason(
    key: &str,
    table: &file::Reason,
    mistakes: &mut Mistakes,
) -> Option<PauseReason> {
    let name_key = format!("{key}.name");
    let name = match &table.name {
        Some(name) => mistakes.ok_or_add(&name_key, check_name(name)),
        None => {
            mistakes.add_missing(&name_key, "the reason, such as \"Lunch\"");
            None
        }
    };
    let limit_key = format!("{key}.limit");
    if table.ends && table.limit.is_none() {
        let hint = "ends = true needs the limit at which the bridge ends the pause";
        mistakes.add_missing(&limit_key, hint);
    }
    let limit = table.limit.as_ref().map(|limit| {
        let maximum = if table.ends {
            MAX_DURATION_HOURS
        } else {
            MAX_LIMIT_HOURS
        };
        let seconds = whole_seconds(limit, maximum).filter(|seconds| *seconds > 0);
        let seconds = seconds.ok_or_else(|| {
            let condition = if table.ends { " with ends = true" } else { "" };
            format!(
                "must be a duration in whole seconds, greater than 0 and at most \
                 {maximum}h{condition}, such as \"45m\""
            )
        });
        mistakes.ok_or_add(&limit_key, seconds)
    });
    Some(PauseReason {
        name: name?.to_owned(),
        limit_seconds: limit.flatten(),
        ends: table.ends,
    })
}

/// Checks that clients can send the reason, and that Asterisk stores it unchanged.
fn check_name(name: &str) -> Result<&str, String> {
    check_line(name)?;
    MemberValue::new(name).map_err(|error| error.to_string())?;
    Ok(name)
}
