//! One AMI message: an ordered multimap of headers over the bytes it arrived in.
//!
//! Values are bytes: Asterisk itself can cut a name in the middle of a UTF-8
//! character, so text is decoded lossily and only when it is asked for.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;

use super::parse::{self, Header};

/// A complete message (response or event) as Asterisk sent it.
#[derive(Clone)]
pub struct Message {
    raw: Bytes,
    headers: Vec<Header>,
}

impl Message {
    /// Parses one complete frame. A line without a colon belongs to the value of the
    /// header before it: names can hold line feeds.
    #[must_use]
    pub fn parse(raw: Bytes) -> Self {
        let headers = parse::headers(&raw);
        Self { raw, headers }
    }

    /// The value of the first header of that name, whatever its case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.iter()
            .find(|(candidate, _)| candidate.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value)
    }

    /// The value of the last header of that name, whatever its case. A name that
    /// holds line feeds can hold what looks like headers; those that Asterisk writes
    /// after it are the true ones.
    #[must_use]
    pub fn last(&self, name: &str) -> Option<&[u8]> {
        let mut found = self.iter().filter(|(candidate, _)| {
            candidate.len() == name.len() && candidate.eq_ignore_ascii_case(name.as_bytes())
        });
        let first = found.next()?;
        Some(found.last().unwrap_or(first).1)
    }

    /// Whether this is the start of a message, and not the rest of one that a blank
    /// line inside a value has split.
    #[must_use]
    pub fn is_start(&self) -> bool {
        let first = self.iter().next();
        first.is_some_and(|(name, _)| {
            name.eq_ignore_ascii_case(b"Event") || name.eq_ignore_ascii_case(b"Response")
        })
    }

    /// Whether this is an event that no action has asked for: these have their
    /// `Privilege` as the second header, and rows of lists have none.
    #[must_use]
    pub fn is_unsolicited(&self) -> bool {
        let second = self.iter().nth(1);
        self.event().is_some()
            && second.is_some_and(|(name, _)| name.eq_ignore_ascii_case(b"Privilege"))
    }

    /// This message with its rest, which a blank line has split off.
    #[must_use]
    pub fn joined(&self, rest: &Self) -> Self {
        Self::parse([&self.raw[..], b"\n", &rest.raw[..]].concat().into())
    }

    /// [`Message::get`] as text; invalid UTF-8 becomes U+FFFD.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.get(name).map(String::from_utf8_lossy)
    }

    /// All headers in the order of arrival, names as sent.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.headers
            .iter()
            .map(|header| (header.name(&self.raw), header.value(&self.raw)))
    }

    /// Whether this is an answer to an action (it has a `Response` header).
    #[must_use]
    pub fn is_response(&self) -> bool {
        self.get("Response").is_some()
    }

    /// Whether this is an answer that says that the action was carried out.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.get("Response")
            .is_some_and(|value| value.eq_ignore_ascii_case(b"Success"))
    }

    /// The name of the event, where this is one.
    #[must_use]
    pub fn event(&self) -> Option<&[u8]> {
        self.get("Event")
    }

    /// Size on the wire, without the blank line that ends the frame.
    #[must_use]
    pub fn size(&self) -> usize {
        self.raw.len()
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.iter().map(|(name, value)| {
                let name = String::from_utf8_lossy(name);
                let value = if is_secret(&name) {
                    Cow::Borrowed("***")
                } else {
                    String::from_utf8_lossy(value)
                };
                (name, value)
            }))
            .finish()
    }
}

/// Headers whose value must never be shown: the plain secret, and the digest
/// and challenge from which a weak one could be guessed.
fn is_secret(name: &str) -> bool {
    ["Secret", "Key", "Challenge"]
        .iter()
        .any(|secret| name.eq_ignore_ascii_case(secret))
}
