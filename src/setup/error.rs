//! Why setup ends early.

use super::question::Question;

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

/// The error for a question that nobody can be asked.
pub(super) fn unknown(question: Question) -> SetupError {
    let flags = question.flags().join(" or ");
    SetupError::Mistake(format!(
        "setup can't find out by itself: {}. Give {flags}",
        question.text()
    ))
}

/// Returns a function that turns an error of a file into a setup error.
pub(super) fn at<E: std::fmt::Display>(path: &std::path::Path) -> impl FnOnce(E) -> SetupError {
    let path = path.display().to_string();
    move |error| SetupError::Missing(format!("{path}: {error}"))
}
