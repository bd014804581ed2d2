//! Why setup ends early.

/// Exit status after Ctrl-C, as shells report it.
pub(super) const INTERRUPTED: u8 = 130;

/// The reason why setup ends early. No variant contains a secret.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The command line, an answer or a file is wrong.
    #[error("{0}")]
    Mistake(String),
    /// Something is missing on the PBX or on this machine.
    #[error("{0}")]
    Missing(String),
}

impl SetupError {
    /// Returns the exit status.
    #[must_use]
    pub fn status(&self) -> u8 {
        match self {
            Self::Mistake(_) => 2,
            Self::Missing(_) => 1,
        }
    }
}

/// The error for a value that setup can neither find out nor ask for.
pub(super) fn unknown(what: &str, flag: &str) -> SetupError {
    SetupError::Mistake(format!("{what} is unknown: give {flag}"))
}

/// Returns a function that turns an error of a file into a setup error.
pub(super) fn at<E: std::fmt::Display>(path: &std::path::Path) -> impl FnOnce(E) -> SetupError {
    let path = path.display().to_string();
    move |error| SetupError::Missing(format!("{path}: {error}"))
}
