//! Event streams on the wire.

use std::time::Duration;

use hyper::Version;
use hyper::header::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tracing::info;

use crate::api::EventStream;

/// How long a client may leave events unread (`TCP_USER_TIMEOUT`). A laptop that was asleep for a
/// minute continues its stream.
const UNREAD_EVENTS_TIMEOUT: Duration = Duration::from_secs(120);

/// How much unsent text the kernel stores for each stream (`TCP_NOTSENT_LOWAT`), in bytes. A slow
/// client is better served by a new snapshot than by old events.
const MAX_UNSENT_BYTES: u32 = 128 * 1024;

/// The body of an event stream. Dropping it logs how long the stream was open.
///
/// hyper does not send it, because it would store two buffers of 8 KiB for each connection, and
/// would copy nothing but the framing into one of them. Instead, the listener writes to the
/// connection after hyper has released it.
pub struct EventBody {
    pub(super) events: EventStream,
    opened_at: Instant,
    pub(super) request_id: String,
}

impl EventBody {
    pub(super) fn new(events: EventStream, request_id: &str) -> Self {
        Self {
            events,
            opened_at: Instant::now(),
            request_id: request_id.to_owned(),
        }
    }
}

impl Drop for EventBody {
    fn drop(&mut self) {
        let seconds = self.opened_at.elapsed().as_secs();
        let by_client = !self.events.has_ended();
        info!(
            target: "ami_bridge::request",
            request_id = self.request_id,
            seconds,
            by_client,
            "event stream ended"
        );
    }
}

/// Prepares a connection's socket for an event stream.
pub(super) fn prepare_socket(socket: &TcpStream) {
    // Without these options, slow clients would only use more memory and disconnect earlier.
    #[cfg(target_os = "linux")]
    {
        let socket = SockRef::from(socket);
        let _ = socket.set_tcp_user_timeout(Some(UNREAD_EVENTS_TIMEOUT));
        let _ = socket.set_tcp_notsent_lowat(MAX_UNSENT_BYTES);
    }
}

/// HTTP/1.0 has no chunks. The end of the connection ends the body.
pub(super) fn is_chunked(version: Version) -> bool {
    version != Version::HTTP_10
}

/// Returns the head of a response with an event stream.
pub(super) fn response_head(headers: &HeaderMap, version: Version) -> Vec<u8> {
    let mut head = Vec::with_capacity(512);
    head.extend_from_slice(if is_chunked(version) {
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n"
    } else {
        b"HTTP/1.0 200 OK\r\n"
    });
    let mut header = |name: &str, value: &[u8]| {
        for part in [name.as_bytes(), b": ", value, b"\r\n"] {
            head.extend_from_slice(part);
        }
    };
    for (name, value) in headers {
        header(name.as_str(), HeaderValue::as_bytes(value));
    }
    if let Ok(date) = DateTimePrinter::new().timestamp_to_rfc9110_string(&Timestamp::now()) {
        header("date", date.as_bytes());
    }
    header("connection", b"close");
    head.extend_from_slice(b"\r\n");
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn head_matches_the_version_of_the_request() {
        let mut headers = HeaderMap::new();
        headers.insert("x-request-id", HeaderValue::from_static("r1"));
        for (version, status, encoding) in [
            (Version::HTTP_11, "HTTP/1.1 200 OK\r\n", true),
            (Version::HTTP_10, "HTTP/1.0 200 OK\r\n", false),
        ] {
            let head = String::from_utf8(response_head(&headers, version)).expect("text");
            assert!(head.starts_with(status), "{head}");
            assert!(head.ends_with("\r\n\r\n"), "{head}");
            assert!(head.contains("\r\nx-request-id: r1\r\n"), "{head}");
            assert!(head.contains(" GMT\r\nconnection: close\r\n"), "{head}");
            assert_eq!(head.contains("transfer-encoding: chunked\r\n"), encoding);
        }
    }
}
