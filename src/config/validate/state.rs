//! `[state]`

use std::path::PathBuf;
use std::time::Duration;

use super::text::check_line;
use crate::config::file;
use crate::config::mistake::Mistakes;
use crate::config::settings::StateSettings;

/// About ten years.
const MAX_KEEP_DAYS: u64 = 3660;

pub(super) fn validate(table: &file::State, mistakes: &mut Mistakes) -> Option<StateSettings> {
    let directory = match &table.directory {
        None => Some(None),
        Some(text) => mistakes
            .ok_or_add("state.directory", absolute_path(text))
            .map(Some),
    };
    let keep = days(&table.keep).ok_or("must be whole days from \"1d\" to \"3660d\"");
    let keep = mistakes.ok_or_add("state.keep", keep);
    Some(StateSettings {
        directory: directory?,
        keep: keep?,
    })
}

/// Parses a number of days, such as `400d`.
fn days(text: &str) -> Option<Duration> {
    let number = text.strip_suffix('d')?;
    // `parse` alone would accept a leading `+`.
    let is_digits = number.bytes().all(|byte| byte.is_ascii_digit());
    let days: u64 = number.parse().ok().filter(|_| is_digits)?;
    let seconds = days.checked_mul(24 * 60 * 60)?;
    (1..=MAX_KEEP_DAYS)
        .contains(&days)
        .then(|| Duration::from_secs(seconds))
}

fn absolute_path(text: &str) -> Result<PathBuf, String> {
    check_line(text).map_err(|problem| format!("is not a path: {problem}"))?;
    let path = PathBuf::from(text);
    if path.is_relative() {
        return Err("must be an absolute path, such as \"/var/lib/ami-bridge\"".to_owned());
    }
    Ok(path)
}
