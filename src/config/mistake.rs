//! Mistakes in a configuration, and the list that collects them.

use std::fmt;

/// A wrong or missing value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The full key, such as `pbx.main.secret`.
    pub key: String,
    /// Description of the mistake. Never contains a value that could be a secret.
    pub message: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.message)
    }
}

/// Collects mistakes, so that all of them are reported at once.
#[derive(Debug, Default)]
pub(super) struct Mistakes(Vec<Mistake>);

impl Mistakes {
    pub(super) fn add(&mut self, key: impl Into<String>, message: impl Into<String>) {
        self.0.push(Mistake {
            key: key.into(),
            message: message.into(),
        });
    }

    /// Adds a mistake for a missing required key. Does nothing if the key, or a key that begins
    /// with it, was already reported, because a value of the wrong type has been removed.
    pub(super) fn add_missing(&mut self, key: &str, what: &str) {
        if !self.0.iter().any(|mistake| mistake.key.starts_with(key)) {
            self.add(key, format!("is missing: {what}"));
        }
    }

    /// Returns the value in `result`, or adds its error as a mistake in `key`.
    pub(super) fn ok_or_add<T>(
        &mut self,
        key: &str,
        result: Result<T, impl Into<String>>,
    ) -> Option<T> {
        result.map_err(|message| self.add(key, message)).ok()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Mistake> {
        self.0.iter_mut()
    }

    pub(super) fn into_vec(self) -> Vec<Mistake> {
        self.0
    }
}
