//! Errors from loading a configuration.

use super::mistake::Mistake;

/// The reason why a configuration can't be used. No variant contains a secret.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// No file was specified, and no file exists at a default path.
    #[error(
        "no configuration file: name one with --config or AMI_BRIDGE_CONFIG, \
         or create ./ami-bridge.toml or /etc/ami-bridge/ami-bridge.toml"
    )]
    NoFile,
    /// The file can't be read.
    #[error("{file}: {source}")]
    Unreadable {
        /// Path of the file.
        file: String,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{file}:{line}:{column}: not valid TOML (is a quote, a bracket or = missing?)")]
    Syntax {
        /// Path of the file.
        file: String,
        /// Line number, starting at 1.
        line: usize,
        /// Column in characters, starting at 1.
        column: usize,
    },
    /// A table has the same key twice.
    #[error("{file}:{second}: duplicate key \"{key}\", first set in line {first}")]
    DuplicateKey {
        /// Path of the file.
        file: String,
        /// The key, without the name of its table.
        key: String,
        /// Line number of the first occurrence, starting at 1.
        first: usize,
        /// Line number of the second occurrence, starting at 1.
        second: usize,
    },
    /// The file is valid TOML, but has wrong or missing values.
    #[error("{file}: {} in the configuration:{}", count(mistakes), lines(mistakes))]
    Mistakes {
        /// Path of the file.
        file: String,
        /// All mistakes.
        mistakes: Vec<Mistake>,
    },
}

fn count(mistakes: &[Mistake]) -> String {
    match mistakes.len() {
        1 => "1 mistake".to_owned(),
        n => format!("{n} mistakes"),
    }
}

fn lines(mistakes: &[Mistake]) -> String {
    mistakes.iter().map(|m| format!("\n  {m}")).collect()
}
