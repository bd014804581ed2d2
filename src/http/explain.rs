//! hyper refuses what is no HTTP (a target with a blank or a raw Latin-1 letter, as careless
//! clients send it) with a bare status, before any handler. Here that gets the interface's
//! JSON: hyper has no hook for it, so its bytes are replaced on their way out.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use hyper::HeaderMap;
use memchr::memmem::rfind;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::body::ReplyBody;
use super::incoming::request_id;
use super::reply::answered;
use crate::api::{ApiError, Code, Response as ApiResponse};

/// hyper's refusals that are explained, and the code for each.
const REFUSALS: [(&[u8], Code); 2] = [
    (b"HTTP/1.1 400 Bad Request\r\n", Code::InvalidParameter),
    (b"HTTP/1.1 414 URI Too Long\r\n", Code::TargetTooLong),
];

/// A bare refusal is shorter: it has only a length and a date.
const LONGEST_REFUSAL: usize = 256;

/// The header of a refusal without a body. An answer of ours with such a status has one.
const NO_BODY: &[u8] = b"content-length: 0\r\n";

const HEAD_END: &[u8] = b"\r\n\r\n";

/// A stream on which hyper's bare refusals get a body.
pub(super) struct Explained<S> {
    stream: S,
    /// What stands in for what hyper has written.
    pending: BytesMut,
}

impl<S: AsyncWrite + Unpin> Explained<S> {
    pub(super) fn new(stream: S) -> Self {
        Self {
            stream,
            pending: BytesMut::new(),
        }
    }

    /// Writes what stands in for a refusal.
    fn poll_pending(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.pending.is_empty() {
            let count = ready!(Pin::new(&mut self.stream).poll_write(context, &self.pending))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.pending.advance(count);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Explained<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Explained<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_pending(context))?;
        let Some((start, code)) = bare_refusal(bytes) else {
            return Pin::new(&mut self.stream).poll_write(context, bytes);
        };
        self.pending.extend_from_slice(&bytes[..start]);
        explain(&bytes[start..], code, &mut self.pending);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_pending(context))?;
        let last = slices.iter().rfind(|slice| !slice.is_empty());
        if last.is_some_and(|last| bare_refusal(last).is_some()) {
            let bytes = slices.iter().map(|slice| &**slice).collect::<Vec<_>>();
            return self.poll_write(context, &bytes.concat());
        }
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_pending(context))?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_pending(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Where a bare refusal begins: nothing comes after one.
fn bare_refusal(bytes: &[u8]) -> Option<(usize, Code)> {
    if !bytes.ends_with(HEAD_END) {
        return None;
    }
    let from = bytes.len().saturating_sub(LONGEST_REFUSAL);
    REFUSALS.into_iter().find_map(|(line, code)| {
        let start = from + rfind(&bytes[from..], line)?;
        rfind(&bytes[start..], NO_BODY).map(|_| (start, code))
    })
}

/// The same refusal with the headers and the body of the interface.
fn explain(head: &[u8], code: Code, to: &mut BytesMut) {
    let id = request_id(&HeaderMap::new());
    let error = match code {
        Code::TargetTooLong => ApiError::new(code, "The request target is too long."),
        _ => {
            let message = "This is no valid HTTP. In the target, everything that is not ASCII has \
                           to be percent-encoded, and blanks too.";
            ApiError::parameter(code, "request", message)
        }
    };
    let answer = answered(ApiResponse::error(&error, &id), &id);
    let ReplyBody::Pieces(body) = answer.body() else {
        return to.extend_from_slice(head);
    };
    let body = body.iter().flatten().copied().collect::<Vec<u8>>();
    // The status line and the date are hyper's.
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        if line != NO_BODY && line != b"\r\n" {
            to.extend_from_slice(line);
        }
    }
    for (name, value) in answer.headers() {
        to.extend_from_slice(name.as_str().as_bytes());
        to.extend_from_slice(b": ");
        to.extend_from_slice(value.as_bytes());
        to.extend_from_slice(b"\r\n");
    }
    to.extend_from_slice(format!("content-length: {}\r\n\r\n", body.len()).as_bytes());
    to.extend_from_slice(&body);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bare_refusal_is_one() {
        let bare = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\ndate: x\r\n\r\n";
        let own = "HTTP/1.1 400 Bad Request\r\ncontent-type: x\r\ncontent-length: 9\r\n\r\n";
        let behind = format!("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok{bare}");
        for (bytes, start) in [
            (bare, Some(0)),
            (own, None),
            (&behind, Some(behind.len() - bare.len())),
            ("HTTP/1.1 204 No Content\r\n\r\n", None),
            (&bare[..bare.len() - 2], None),
            ("\r\n\r\n", None),
            ("", None),
        ] {
            let found = bare_refusal(bytes.as_bytes()).map(|(start, _)| start);
            assert_eq!(found, start, "{bytes:?}");
        }
    }
}
