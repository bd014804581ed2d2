//! Checks that the file is TOML.
//!
//! The TOML parser's messages quote the invalid line, which may contain a secret. This
//! module's errors contain only positions and keys.

use super::duplicate_key;
use super::error::ConfigError;

/// Checks that `text` is TOML.
///
/// # Errors
/// Returns [`ConfigError::DuplicateKey`] or [`ConfigError::Syntax`] for the first error in
/// `text`.
pub(super) fn check(file: &str, text: &str) -> Result<(), ConfigError> {
    match text.parse::<toml::Table>() {
        Ok(_) => Ok(()),
        Err(error) => Err(locate(file, text, &error)),
    }
}

fn locate(file: &str, text: &str, error: &toml::de::Error) -> ConfigError {
    let file = file.to_owned();
    if let Some(duplicate) = duplicate_key::find(text, error) {
        return ConfigError::DuplicateKey {
            file,
            key: duplicate.key,
            first: duplicate.first,
            second: duplicate.second,
        };
    }
    let offset = error.span().map_or(0, |span| span.start.min(text.len()));
    let line_start = text[..offset].rfind('\n').map_or(0, |end| end + 1);
    ConfigError::Syntax {
        file,
        line: duplicate_key::line_number(text, offset),
        column: text[line_start..offset].chars().count() + 1,
    }
}
