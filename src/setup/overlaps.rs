//! Separates organizations that could reach the same agents.

use super::configuration::{Configuration, SecretSource};
use super::error::SetupError;
use super::question::Question;
use super::questions::{Questions, say};
use crate::config::{Settings, load_text};
use crate::terminal::wrapped;

/// Loads the text of the configuration, as the daemon would load its file.
///
/// # Errors
/// Returns all mistakes in the configuration.
pub(super) fn load(
    configuration: &Configuration,
    secret: SecretSource<'_>,
) -> Result<Settings, SetupError> {
    let text = configuration.to_toml(secret);
    load_text("the new configuration", &text)
        .map_err(|error| SetupError::Mistake(error.to_string()))
}

/// Narrows the ranges of agents if they overlap. If organizations really have agents in common,
/// asks whether they may share them, unless `may_share` answers that.
///
/// # Errors
/// Returns a mistake if the organizations have agents in common and may not share them.
pub(super) fn settle(
    configuration: &mut Configuration,
    questions: Questions,
    may_share: bool,
) -> Result<(), SetupError> {
    if find(configuration)?.is_empty() {
        return Ok(());
    }
    for organization in &mut configuration.organizations {
        organization.proposal.narrow_agents();
    }
    let overlaps = find(configuration)?;
    let Some(first) = overlaps.first() else {
        return Ok(());
    };
    let kind = if first.is_queue { "queues" } else { "agents" };
    let common = format!(
        "{} and {} have {kind} in common, such as {}",
        first.first, first.second, first.example
    );
    say("\n");
    say(&wrapped(&format!("{common}."), ""));
    if !may_share && !questions.confirm(Question::Share, false, false)? {
        return Err(SetupError::Mistake(format!(
            "{common}: let both act on them with --shared, or set up one of them with \
             --organization"
        )));
    }
    for organization in &mut configuration.organizations {
        let name = &organization.name;
        organization.is_shared = overlaps
            .iter()
            .any(|overlap| overlap.first == *name || overlap.second == *name);
    }
    Ok(())
}

/// Finds the overlaps between the organizations.
fn find(configuration: &Configuration) -> Result<Vec<crate::organizations::Overlap>, SetupError> {
    let mut shared = configuration.clone();
    // Overlaps between organizations that do not share are mistakes of the configuration.
    for organization in &mut shared.organizations {
        organization.is_shared = true;
    }
    Ok(load(&shared, SecretSource::Inline("unknown"))?.overlaps)
}
