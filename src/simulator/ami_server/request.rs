//! Parses the actions that clients send.

use bytes::{Buf, BytesMut};

/// The size limit of an incomplete message. A client that sends more does not speak
/// AMI.
const MAX_MESSAGE_BYTES: usize = 256 * 1024;

/// The message exceeds the size limit.
#[derive(Debug)]
pub(crate) struct TooLong;

/// The headers of an action, in the order in which they were sent.
#[derive(Debug, Default)]
pub(crate) struct ActionRequest(Vec<(String, String)>);

impl ActionRequest {
    /// Takes the next complete message out of the buffer. Returns `None` if there is
    /// none yet.
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

    /// The value of the first header with this name. Returns `None` if there is no such
    /// header or its value is empty.
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
    // Asterisk takes a NUL for the end of the line.
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
    fn headers_are_parsed_as_asterisk_parses_them() {
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
