//! Builds AMI messages.

use std::fmt::{Display, Write};

/// The header lines of an AMI message, or a part of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Headers(String);

impl Headers {
    pub(crate) fn with(mut self, name: &str, value: impl Display) -> Self {
        // Writing to a String can't fail.
        let _ = write!(self.0, "{name}: {value}\r\n");
        self
    }

    /// Adds the header only if it has a value.
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
