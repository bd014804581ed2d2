//! `[state]`

use std::path::PathBuf;

use super::text::check_line;
use crate::config::file;
use crate::config::mistake::Mistakes;
use crate::config::settings::StateSettings;

pub(super) fn validate(table: &file::State, mistakes: &mut Mistakes) -> Option<StateSettings> {
    let directory = match &table.directory {
        None => None,
        Some(text) => Some(mistakes.ok_or_add("state.directory", absolute_path(text))?),
    };
    Some(StateSettings { directory })
}

fn absolute_path(text: &str) -> Result<PathBuf, String> {
    check_line(text).map_err(|problem| format!("is not a path: {problem}"))?;
    let path = PathBuf::from(text);
    if path.is_relative() {
        return Err("must be an absolute path, such as \"/var/lib/ami-bridge\"".to_owned());
    }
    Ok(path)
}
