//! One AMI message: an ordered multimap of headers over the bytes it arrived in.
//!
//! Values are bytes: Asterisk itself can cut a name in the middle of a UTF-8
//! character, so text is decoded lossily and only when it is asked for.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

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
        self.iter()
            .rfind(|(candidate, _)| candidate.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value)
    }

    /// The headers from the last one of that name on that is directly followed by the
    /// other one; without such a pair, from the last one of that name on.
    #[must_use]
    pub fn from_pair(&self, name: &str, next: &str) -> Option<Rest<'_>> {
        let is = |at: usize, name: &str| {
            let header = self.headers.get(at);
            header.is_some_and(|h| h.name(&self.raw).eq_ignore_ascii_case(name.as_bytes()))
        };
        let places = (0..self.headers.len()).rev();
        let pair = places.clone().find(|at| is(*at, name) && is(at + 1, next));
        let start = pair.or_else(|| places.clone().find(|at| is(*at, name)))?;
        Some(Rest {
            message: self,
            start,
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
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&[u8], &[u8])> {
        self.headers
            .iter()
            .map(|header| (header.name(&self.raw), header.value(&self.raw)))
    }

    /// Whether this is an answer to an action: its first header is `Response`.
    #[must_use]
    pub fn is_response(&self) -> bool {
        self.first("Response").is_some()
    }

    /// Whether this is an answer that says that the action was carried out.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.first("Response")
            .is_some_and(|value| value.eq_ignore_ascii_case(b"Success"))
    }

    /// The name of the event, if this is one: its first header is `Event`.
    #[must_use]
    pub fn event(&self) -> Option<&[u8]> {
        self.first("Event")
    }

    fn first(&self, name: &str) -> Option<&[u8]> {
        let (first, value) = self.iter().next()?;
        first.eq_ignore_ascii_case(name.as_bytes()).then_some(value)
    }

    /// The ActionID that this answers. In rows it is the last header, so that nothing
    /// inside a name can stand for it.
    #[must_use]
    pub fn action_id(&self) -> Option<u64> {
        number(self.last("ActionID")?)
    }

    /// Whether this ends a list: `EventList` is among its first three headers, before
    /// anything that could hold line feeds.
    #[must_use]
    pub fn ends_list(&self) -> bool {
        let list = |(name, _): (&[u8], _)| name.eq_ignore_ascii_case(b"EventList");
        self.iter().take(3).any(list)
    }

    /// The number of rows that the end of a list reports.
    #[must_use]
    pub fn list_items(&self) -> Option<usize> {
        number(self.get("ListItems")?)
    }

    /// Size on the wire, without the blank line that ends the frame.
    #[must_use]
    pub fn size(&self) -> usize {
        self.raw.len()
    }
}

/// The headers of a message from one of them on.
#[derive(Debug, Clone, Copy)]
pub struct Rest<'a> {
    /// The whole message.
    pub message: &'a Message,
    start: usize,
}

impl<'a> Rest<'a> {
    /// As [`Message::get`].
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        let mut headers = self.message.headers[self.start..].iter();
        let raw = &self.message.raw;
        let found = headers.find(|h| h.name(raw).eq_ignore_ascii_case(name.as_bytes()));
        found.map(|header| header.value(raw))
    }

    /// As [`Message::text`].
    #[must_use]
    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).map(String::from_utf8_lossy)
    }

    /// A number; 0 if there is none.
    pub fn number<T: FromStr + Default>(&self, name: &str) -> T {
        self.get(name).and_then(number).unwrap_or_default()
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

fn number<T: FromStr>(value: &[u8]) -> Option<T> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// Headers whose value must never be shown: the plain secret, and the digest
/// and challenge from which a weak one could be guessed.
fn is_secret(name: &str) -> bool {
    ["Secret", "Key", "Challenge"]
        .iter()
        .any(|secret| name.eq_ignore_ascii_case(secret))
}
