//! Checked header values.
//!
//! Every text field of an action has one of these types, so the text can't end a line or
//! add a header, and Asterisk won't truncate it.

use std::fmt;

/// The reason Asterisk would misread a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Asterisk treats an empty header as absent, and a `QueueStatus` without `Queue`
    /// lists all queues.
    #[error("is empty")]
    Empty,
    /// The value is longer than Asterisk's limit.
    #[error("is longer than {0} bytes")]
    TooLong(usize),
    /// The value contains a byte below 0x20, or the byte 0x7F.
    #[error("contains a control character")]
    Control,
    /// Asterisk drops leading white space, and treats trailing white space as part of
    /// the value.
    #[error("begins or ends with white space")]
    OuterWhiteSpace,
    /// The value contains `|`, `,` or `;`.
    #[error("contains |, comma or ;, which Asterisk uses as separators")]
    Separator,
}

/// Maximum length of a header value in bytes. Asterisk limits a header line to 1,024
/// bytes, including the header's name.
const MAX_HEADER_BYTES: usize = 900;

/// Maximum length of a member's fields in bytes. Asterisk stores each field in a
/// `char[80]`, and silently truncates longer fields.
pub const MAX_MEMBER_BYTES: usize = 79;

/// Characters that a member's fields must not contain. Asterisk saves members in its
/// database as `interface;penalty;…|…`, so a separator in a field would add a member at
/// the next restart.
pub const MEMBER_SEPARATORS: [char; 3] = ['|', ',', ';'];

/// A value for any header: one line of 1 to 900 bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct HeaderValue(Box<str>);

/// A value that Asterisk stores for a member (interface, state interface, name or pause
/// reason): one line of 1 to 79 bytes, without separators.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MemberValue(Box<str>);

impl HeaderValue {
    /// Validates and wraps `value`.
    ///
    /// # Errors
    /// Returns a [`ValueError`] if Asterisk would misread the value.
    pub fn new(value: &str) -> Result<Self, ValueError> {
        check_line(value, MAX_HEADER_BYTES).map(|()| Self(value.into()))
    }

    /// Returns the value as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl MemberValue {
    /// Validates and wraps `value`.
    ///
    /// # Errors
    /// Returns a [`ValueError`] if Asterisk would misread the value.
    pub fn new(value: &str) -> Result<Self, ValueError> {
        check_line(value, MAX_MEMBER_BYTES)?;
        if value.contains(MEMBER_SEPARATORS) {
            return Err(ValueError::Separator);
        }
        Ok(Self(value.into()))
    }

    /// Returns the value as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns whether a byte is an ASCII control character. No value may contain control
/// characters.
#[must_use]
pub fn is_control(byte: u8) -> bool {
    byte < 0x20 || byte == 0x7f
}

/// Returns whether a text is a single, non-empty line without white space at either end.
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
