//! Checked header values.
//!
//! An action consists only of these types, so no value in an action can end a line, add a
//! header, or be truncated by Asterisk.

use std::fmt;

/// Why Asterisk would misread a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Asterisk treats an empty header as absent, and a `QueueStatus` without `Queue`
    /// lists all queues.
    #[error("is empty")]
    Empty,
    /// Longer than what Asterisk stores.
    #[error("is longer than {0} bytes")]
    TooLong(usize),
    /// A byte below 0x20, or 0x7F.
    #[error("has a control character")]
    Control,
    /// Asterisk drops leading white space, and treats trailing white space as part of
    /// the value.
    #[error("begins or ends with white space")]
    OuterWhiteSpace,
    /// One of `|` `,` `;`.
    #[error("has one of | , ; which Asterisk uses as separators")]
    Separator,
}

/// Asterisk limits a header line to 1,024 bytes, including the header's name.
const MAX_HEADER_BYTES: usize = 900;

/// Asterisk stores a member's fields in `char[80]`, and truncates longer ones silently.
pub const MAX_MEMBER_BYTES: usize = 79;

/// Asterisk saves members in its database as `interface;penalty;…|…`. A separator in a
/// field would add a member at the next restart.
pub const MEMBER_SEPARATORS: [char; 3] = ['|', ',', ';'];

/// A value for any header: one line of 1 to 900 bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct HeaderValue(Box<str>);

/// A value that Asterisk stores with a member (interface, state interface, name or pause
/// reason): one line of 1 to 79 bytes, without separators.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MemberValue(Box<str>);

impl HeaderValue {
    /// Checks a value.
    ///
    /// # Errors
    /// [`ValueError`] if Asterisk would misread it.
    pub fn new(value: &str) -> Result<Self, ValueError> {
        check_line(value, MAX_HEADER_BYTES).map(|()| Self(value.into()))
    }

    /// The value.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl MemberValue {
    /// Checks a value.
    ///
    /// # Errors
    /// [`ValueError`] if Asterisk would misread it.
    pub fn new(value: &str) -> Result<Self, ValueError> {
        check_line(value, MAX_MEMBER_BYTES)?;
        if value.contains(MEMBER_SEPARATORS) {
            return Err(ValueError::Separator);
        }
        Ok(Self(value.into()))
    }

    /// The value.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a byte is a control character of ASCII, which no value may contain.
#[must_use]
pub fn is_control(byte: u8) -> bool {
    byte < 0x20 || byte == 0x7f
}

/// Whether a text is one nonempty line without white space at its ends.
#[must_use]
pub fn is_trimmed_line(text: &str) -> bool {
    check_line(text, usize::MAX).is_ok()
}

fn check_line(value: &str, max_bytes: usize) -> Result<(), ValueError> {
    if value.is_empty() {
        Err(ValueError::Empty)
    } else if value.len() > max_bytes {
        Err(ValueError::TooLong(max_bytes))
    } else if value.bytes().any(is_control) {
        Err(ValueError::Control)
    } else if value.trim() != value {
        Err(ValueError::OuterWhiteSpace)
    } else {
        Ok(())
    }
}

impl fmt::Debug for HeaderValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for MemberValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_asterisk_would_misread_are_rejected() {
        let too_long = "x".repeat(80);
        for (value, error) in [
            ("", ValueError::Empty),
            ("a\r\nAction: Originate", ValueError::Control),
            ("a\nb", ValueError::Control),
            ("a\0b", ValueError::Control),
            ("a\u{7f}b", ValueError::Control),
            (" a", ValueError::OuterWhiteSpace),
            ("a ", ValueError::OuterWhiteSpace),
            ("a|b", ValueError::Separator),
            ("a,b", ValueError::Separator),
            ("a;b", ValueError::Separator),
            (too_long.as_str(), ValueError::TooLong(79)),
        ] {
            assert_eq!(MemberValue::new(value), Err(error), "{value:?}");
        }
        assert!(MemberValue::new(&"x".repeat(79)).is_ok());
        assert_eq!(HeaderValue::new("a\rb"), Err(ValueError::Control));
    }
}
