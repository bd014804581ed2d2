//! Builds AMI messages.

use std::fmt::{Display, Write};

/// Some or all header lines of an AMI message.
#[derive(Debug, Clone, Default)]
pub(crate) struct Headers(String);

impl Headers {
    pub(crate) fn with(mut self, name: &str, value: impl Display) -> Self {
        // Writing to a String can't fail.
        let _ = write!(self.0, "{name}: {value}\r\n");
        self
    }

    /// Adds the header if `value` is `Some`.
    pub(crate) fn with_optional(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    pub(crate) fn with_all(mut self, other: &Self) -> Self {
        self.0 += &other.0;
        self
    }

    /// Adds the blank line that ends a message.
    pub(crate) fn into_message(mut self) -> String {
        self.0 += "\r\n";
        self.0
    }
}
