//! Mistakes in a configuration, and the list that collects them.

use std::fmt;

/// A wrong or missing value, and the message for the operator.
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

/// Collects mistakes, so that all of them are reported together.
#[derive(Debug, Default)]
pub(super) struct Mistakes(Vec<Mistake>);

impl Mistakes {
    pub(super) fn add(&mut self, key: impl Into<String>, message: impl Into<String>) {
        self.0.push(Mistake {
            key: key.into(),
            message: message.into(),
        });
    }

    /// Reports a missing key, unless a mistake was already reported for the key or for a key that
    /// begins with it. `deserialize` has removed values of the wrong type, so their keys appear to
    /// be missing too.
    pub(super) fn add_missing(&mut self, key: &str, hint: &str) {
        if !self.includes(key) {
            self.add(key, format!("is missing: {hint}"));
        }
    }

    /// Returns true if a mistake was already reported for the key or for a key that begins with it.
    pub(super) fn includes(&self, key: &str) -> bool {
        self.0.iter().any(|mistake| mistake.key.starts_with(key))
    }

    /// Returns the value of `result`, or adds its error as a mistake for `key`.
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
