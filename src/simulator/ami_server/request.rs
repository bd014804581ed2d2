//! Parses the actions that clients send.

use bytes::{Buf, BytesMut};

/// The maximum size of an incomplete message. A client that exceeds it does not speak AMI.
const MAX_MESSAGE_BYTES: usize = 256 * 1024;

/// The error for a message that exceeds the size limit.
#[derive(Debug)]
pub(crate) struct TooLong;

/// An action's headers, in the order in which the client sent them.
#[derive(Debug, Default)]
pub(crate) struct ActionRequest(Vec<(String, String)>);

impl ActionRequest {
    /// Removes the next complete message from the buffer and parses it. Returns `None` if the
    /// buffer does not contain a complete message.
    ///
    /// # Errors
    /// Returns [`TooLong`] if an incomplete message exceeds the size limit.
    pub(crate) fn take(buffer: &mut BytesMut) -> Result<Option<Self>, TooLong> {
        let mut start = 0;
        let mut headers = Vec::new();
        while let Some(length) = memchr::memchr(b'\n', &buffer[start..]) {
            let line = &buffer[start..start + length];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            start += length + 1;
            if line.is_empty() {
                buffer.advance(start);
                return Ok(Some(Self(headers)));
            }
            headers.extend(parse_header(line));
        }
        if buffer.len() > MAX_MESSAGE_BYTES {
            Err(TooLong)
        } else {
            Ok(None)
        }
    }

    /// Returns the value of the first header with this name, or `None` if the header is
    /// missing or empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut headers = self.0.iter();
        let (_, value) = headers.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }

    pub(crate) fn action_id(&self) -> Option<&str> {
        self.get("ActionID")
    }
}

/// Parses a header line. Like Asterisk, it strips white space before the value, but not
/// after it.
fn parse_header(line: &[u8]) -> Option<(String, String)> {
    // Asterisk treats a NUL as the end of the line.
    let line = line.split(|byte| *byte == 0).next()?;
    let colon = memchr::memchr(b':', line)?;
    let mut value = &line[colon + 1..];
    while let [0..=b' ', rest @ ..] = value {
        value = rest;
    }
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    Some((text(&line[..colon]), text(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn take_parses_headers_like_asterisk() {
        let mut buffer = BytesMut::from(
            &b"Action: QueuePause\r\nqueue:  a b \nQueue: second\r\nReason:\r\n\r\n\r\nAction: P"[..],
        );
        let mut take = || ActionRequest::take(&mut buffer).expect("within the size limit");
        let request = take().expect("a complete message");
        for (name, value) in [
            ("ACTION", Some("QueuePause")),
            ("Queue", Some("a b ")),
            ("Reason", None),
            ("Interface", None),
        ] {
            assert_eq!(request.get(name), value, "{name}");
        }
        assert_eq!(take().expect("an empty message").get("Action"), None);
        assert!(take().is_none());
    }
}
