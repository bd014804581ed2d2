//! Values that may stand in a frame. Their constructors are the only way in, so
//! nothing that could end a line, forge a header or be cut by Asterisk exists
//! in an action.

use std::fmt;

/// Why a value can't be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Asterisk reads an empty header as an absent one (an empty `Queue` as all queues).
    #[error("is empty")]
    Empty,
    /// Longer than Asterisk keeps.
    #[error("is longer than {0} bytes")]
    TooLong(usize),
    /// A byte below 0x20, or 0x7F.
    #[error("has a control character")]
    Control,
    /// Asterisk drops leading white space, and keeps trailing as part of the value.
    #[error("begins or ends with white space")]
    OuterWhiteSpace,
    /// One of `|` `,` `;`.
    #[error("has one of | , ; which Asterisk uses as separators")]
    Separator,
}

/// Asterisk's limit for one header line is 1,024 bytes with its name.
const MAX_HEADER: usize = 900;

/// Asterisk keeps members' fields in `char[80]` and cuts longer ones silently.
pub const MAX_MEMBER: usize = 79;

/// Asterisk writes members to its database as `interface;penalty;…|…`: with a
/// separator in a field, a new member appears at the next restart.
pub const MEMBER_SEPARATORS: [char; 3] = ['|', ',', ';'];

/// A value for any header: one line, not empty, at most 900 bytes.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct HeaderValue(Box<str>);

/// A value that Asterisk keeps with a member (interface, state interface, name,
/// reason): as [`HeaderValue`], at most 79 bytes, and without separators.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MemberValue(Box<str>);

impl HeaderValue {
    /// Checks a value.
    ///
    /// # Errors
    /// [`ValueError`] says what Asterisk would misread.
    pub fn new(value: &str) -> Result<Self, ValueError> {
        one_line(value, MAX_HEADER).map(|()| Self(value.into()))
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
    /// [`ValueError`] says what Asterisk would misread.
    pub fn new(value: &str) -> Result<Self, ValueError> {
        one_line(value, MAX_MEMBER)?;
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

/// Whether a byte may stand in no value.
#[must_use]
pub fn is_control(byte: u8) -> bool {
    byte < 0x20 || byte == 0x7f
}

/// Whether a text is one line, not empty, and without white space at its ends.
#[must_use]
pub fn is_clean(text: &str) -> bool {
    one_line(text, usize::MAX).is_ok()
}

fn one_line(value: &str, limit: usize) -> Result<(), ValueError> {
    if value.is_empty() {
        Err(ValueError::Empty)
    } else if value.len() > limit {
        Err(ValueError::TooLong(limit))
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
