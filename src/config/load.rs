//! Finds the configuration file and loads it into [`Settings`].

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::deserialize::deserialize;
use super::error::ConfigError;
use super::layers;
use super::mistake::Mistakes;
use super::settings::Settings;
use super::syntax;
use super::validate::validate;

/// Returns the configuration file's path: `specified`, else `AMI_BRIDGE_CONFIG`, else the
/// first default path that exists.
///
/// # Errors
/// Returns [`ConfigError::NoFile`] if no file is specified and no default path exists.
pub fn find(specified: Option<PathBuf>) -> Result<PathBuf, ConfigError> {
    let defaults = ["ami-bridge.toml", "/etc/ami-bridge/ami-bridge.toml"];
    // An empty variable counts as unset.
    let variable = std::env::var_os("AMI_BRIDGE_CONFIG").filter(|name| !name.is_empty());
    specified
        .or(variable.map(PathBuf::from))
        .or_else(|| defaults.map(PathBuf::from).into_iter().find(|p| p.exists()))
        .ok_or(ConfigError::NoFile)
}

/// Reads the file, applies the environment variables, and validates the result.
///
/// # Errors
/// Returns [`ConfigError::Unreadable`] if the file can't be read, [`ConfigError::Syntax`] or
/// [`ConfigError::DuplicateKey`] if it is not valid TOML, and otherwise
/// [`ConfigError::Mistakes`] with all mistakes.
pub fn load(path: &Path) -> Result<Settings, ConfigError> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
        file: name.clone(),
        source,
    })?;
    let text = Zeroizing::new(text);
    parse(name, &text, true)
}

/// Parses and validates configuration text. Ignores environment variables. Error messages show
/// `name` in place of a file path.
///
/// # Errors
/// Returns the same errors as [`load`], except [`ConfigError::Unreadable`].
pub fn load_text(name: &str, text: &str) -> Result<Settings, ConfigError> {
    parse(name.to_owned(), text, false)
}

fn parse(file: String, text: &str, with_environment: bool) -> Result<Settings, ConfigError> {
    syntax::check(&file, text)?;
    let tree = layers::merge(&file, text, with_environment)?;
    let mut mistakes = Mistakes::default();
    let tables = deserialize(tree.clone(), &mut mistakes);
    let settings = validate(tables, &mut mistakes);
    for mistake in mistakes.iter_mut() {
        if layers::is_from_environment(&tree, &mistake.key) {
            mistake.message += " (set by an environment variable)";
        }
    }
    match settings {
        Some(settings) if mistakes.is_empty() => Ok(settings),
        _ => Err(ConfigError::Mistakes {
            file,
            mistakes: mistakes.into_vec(),
        }),
    }
}
