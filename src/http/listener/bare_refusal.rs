//! Adds the API's headers and JSON body to hyper's own refusals.
//!
//! hyper refuses invalid HTTP before it calls a handler, with a bare status and no body. A
//! typical cause is a space or a raw Latin-1 letter in the request target. hyper has no hook
//! for these refusals, so this module wraps the connection and replaces hyper's bytes as they
//! are written.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use hyper::HeaderMap;
use memchr::memmem::rfind;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::api::{self, ApiError, Code};
use crate::http::body::ReplyBody;
use crate::http::reply;
use crate::http::request_id::request_id;

/// The status line and the error code of each refusal to replace.
const REFUSALS: [(&[u8], Code); 2] = [
    (b"HTTP/1.1 400 Bad Request\r\n", Code::InvalidParameter),
    (b"HTTP/1.1 414 URI Too Long\r\n", Code::TargetTooLong),
];

/// Maximum size of a bare refusal, which has only two headers: the length and the date.
const MAX_REFUSAL_BYTES: usize = 256;

/// Only bare refusals have this header; the API's own 400s and 414s have a body.
const NO_BODY: &[u8] = b"content-length: 0\r\n";

const HEAD_END: &[u8] = b"\r\n\r\n";

/// A stream that replaces hyper's bare refusals.
pub(super) struct RefusalRewriter<S> {
    stream: S,
    /// The part of a replacement that has not been written yet.
    unwritten: BytesMut,
    is_blocked: Arc<AtomicBool>,
}

impl<S: AsyncWrite + Unpin> RefusalRewriter<S> {
    /// Wraps a stream. Sets `is_blocked` while the stream does not accept bytes, so that hyper still
    /// has bytes to write.
    pub(super) fn new(stream: S, is_blocked: Arc<AtomicBool>) -> Self {
        Self {
            stream,
            unwritten: BytesMut::new(),
            is_blocked,
        }
    }

    /// Returns the wrapped stream.
    pub(super) fn into_inner(self) -> S {
        self.stream
    }

    fn note_blocked<T>(&self, result: Poll<T>) -> Poll<T> {
        self.is_blocked
            .store(result.is_pending(), Ordering::Relaxed);
        result
    }

    /// Writes the rest of the replacement.
    fn poll_unwritten(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unwritten.is_empty() {
            let count = ready!(Pin::new(&mut self.stream).poll_write(context, &self.unwritten))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unwritten.advance(count);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for RefusalRewriter<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for RefusalRewriter<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_unwritten(context))?;
        let Some((start, code)) = find_refusal(bytes) else {
            let written = Pin::new(&mut self.stream).poll_write(context, bytes);
            return self.note_blocked(written);
        };
        self.unwritten.extend_from_slice(&bytes[..start]);
        write_replacement(&bytes[start..], code, &mut self.unwritten);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_unwritten(context))?;
        let last = slices.iter().rfind(|slice| !slice.is_empty());
        if last.is_some_and(|last| find_refusal(last).is_some()) {
            let bytes = slices.iter().map(|slice| &**slice).collect::<Vec<_>>();
            return self.poll_write(context, &bytes.concat());
        }
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.note_blocked(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_unwritten(context))?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_unwritten(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Finds a bare refusal at the end of `bytes`, and returns its position and error code. hyper
/// writes nothing after a refusal.
fn find_refusal(bytes: &[u8]) -> Option<(usize, Code)> {
    if !bytes.ends_with(HEAD_END) {
        return None;
    }
    let from = bytes.len().saturating_sub(MAX_REFUSAL_BYTES);
    REFUSALS.into_iter().find_map(|(line, code)| {
        let start = from + rfind(&bytes[from..], line)?;
        rfind(&bytes[start..], NO_BODY).map(|_| (start, code))
    })
}

/// Appends hyper's refusal to `output`, with the API's headers and body.
fn write_replacement(head: &[u8], code: Code, output: &mut BytesMut) {
    let id = request_id(&HeaderMap::new());
    let error = match code {
        Code::TargetTooLong => ApiError::new(code, "The request target is too long."),
        _ => {
            let message = "This is not valid HTTP. In the target, spaces and all characters that \
                           are not ASCII must be percent-encoded.";
            ApiError::parameter(code, "request", message)
        }
    };
    let response = reply::to_http(api::Response::error(&error, &id), &id);
    let ReplyBody::Pieces(body) = response.body() else {
        return output.extend_from_slice(head);
    };
    let body = body.iter().flatten().copied().collect::<Vec<u8>>();
    // hyper's status line and date stay unchanged.
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        if line != NO_BODY && line != b"\r\n" {
            output.extend_from_slice(line);
        }
    }
    for (name, value) in response.headers() {
        output.extend_from_slice(name.as_str().as_bytes());
        output.extend_from_slice(b": ");
        output.extend_from_slice(value.as_bytes());
        output.extend_from_slice(b"\r\n");
    }
    output.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
    output.extend_from_slice(&body);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn find_refusal_finds_only_refusals_without_a_body() {
        let bare = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\ndate: x\r\n\r\n";
        let with_body = "HTTP/1.1 400 Bad Request\r\ncontent-type: x\r\ncontent-length: 9\r\n\r\n";
        let after_response = format!("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok{bare}");
        for (bytes, start) in [
            (bare, Some(0)),
            (with_body, None),
            (&after_response, Some(after_response.len() - bare.len())),
            ("HTTP/1.1 204 No Content\r\n\r\n", None),
            (&bare[..bare.len() - 2], None),
            ("\r\n\r\n", None),
            ("", None),
        ] {
            let found = find_refusal(bytes.as_bytes()).map(|(start, _)| start);
            assert_eq!(found, start, "{bytes:?}");
        }
    }
}
