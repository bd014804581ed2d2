//! An action as it comes over the wire.

use bytes::{Buf, BytesMut};

/// A message of Asterisk's is smaller; what is longer is not AMI.
const MESSAGE: usize = 256 * 1024;

/// That is no AMI.
#[derive(Debug)]
pub(super) struct TooLong;

/// Header lines, in their order.
#[derive(Debug, Default)]
pub(super) struct Request(Vec<(String, String)>);

impl Request {
    /// Takes the next whole message out of the buffer.
    ///
    /// # Errors
    /// [`TooLong`].
    pub(super) fn take(buffer: &mut BytesMut) -> Result<Option<Self>, TooLong> {
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
            headers.extend(header(line));
        }
        if buffer.len() > MESSAGE {
            Err(TooLong)
        } else {
            Ok(None)
        }
    }

    /// The first header of that name; an empty one is none.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut headers = self.0.iter();
        let (_, value) = headers.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }
}

/// White space before a value is skipped, and kept behind it.
fn header(line: &[u8]) -> Option<(String, String)> {
    // For Asterisk a NUL ends the line.
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
    fn messages_are_read_as_asterisk_reads_them() {
        let mut buffer = BytesMut::from(
            &b"Action: QueuePause\r\nqueue:  a b \nQueue: second\r\nReason:\r\n\r\n\r\nAction: P"[..],
        );
        let mut take = || Request::take(&mut buffer).expect("short");
        let request = take().expect("whole");
        for (name, value) in [
            ("ACTION", Some("QueuePause")),
            ("Queue", Some("a b ")),
            ("Reason", None),
            ("Interface", None),
        ] {
            assert_eq!(request.get(name), value, "{name}");
        }
        assert_eq!(take().expect("an empty one").get("Action"), None);
        assert!(take().is_none());
    }
}
