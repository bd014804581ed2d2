//! Checks the directory of what must survive a restart.

use super::report::{Report, StateReport, StateStatus};
use crate::config::StateSettings;
use crate::storage::{DirectoryState, inspect};

/// Checks the directory as the current user. An unusable directory is only a warning: the bridge
/// starts, and refuses pauses with an end.
pub(super) fn check(settings: &StateSettings, report: &mut Report) {
    let Some(directory) = &settings.directory else {
        return;
    };
    let (status, reason) = match inspect(directory) {
        DirectoryState::Usable => (StateStatus::Ok, None),
        DirectoryState::InUse => (StateStatus::InUse, None),
        DirectoryState::Missing => (StateStatus::Missing, None),
        DirectoryState::Unusable { reason } => (StateStatus::Unavailable, Some(reason)),
    };
    if let Some(reason) = &reason {
        report.warn(format!(
            "state.directory: pauses with an end are refused while the state can't be stored: \
             {reason}"
        ));
    }
    report.state = StateReport {
        directory: Some(directory.display().to_string()),
        status,
        reason,
    };
}
