//! Writes one event stream to its connection.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::AsyncWrite;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tracing::debug;

use super::slots::Slot;
use super::takeover::EventResponse;
use crate::http::sse::{EventBody, is_chunked, response_head};

/// A connection that sends an event stream.
pub(super) type EventConnection = Pin<Box<dyn AsyncWrite + Send>>;

/// An event stream and the connection that sends it. Dropping it closes the connection.
pub(super) struct Delivery {
    pub(super) body: Box<EventBody>,
    connection: EventConnection,
    is_chunked: bool,
    /// The bytes to write before the stream's next text.
    unsent: VecDeque<Bytes>,
    /// Whether the connection holds bytes that it has not passed to the socket, as TLS can.
    needs_flush: bool,
    /// Whether the stream has ended.
    has_ended: bool,
    _slot: Slot,
    /// Counts the connection until it closes.
    _token: TaskTrackerToken,
}

impl Delivery {
    /// Begins the response. The first call of [`Self::poll`] writes its head.
    pub(super) fn new(
        response: EventResponse,
        connection: EventConnection,
        slot: Slot,
        token: TaskTrackerToken,
    ) -> Self {
        let EventResponse {
            headers,
            version,
            body,
        } = response;
        Self {
            unsent: VecDeque::from([response_head(&headers, version).into()]),
            is_chunked: is_chunked(version),
            body,
            connection,
            needs_flush: false,
            has_ended: false,
            _slot: slot,
            _token: token,
        }
    }

    /// Writes the changes that the client has missed, which are rendered for this client alone.
    /// Returns `None` if the stream has ended or the client has disconnected.
    pub(super) async fn catch_up(mut self) -> Option<Self> {
        let is_open = poll_fn(|context| {
            if !self.body.events.is_catching_up() {
                return Poll::Ready(true);
            }
            if self.poll(context).is_ready() {
                return Poll::Ready(false);
            }
            if self.body.events.is_catching_up() {
                return Poll::Pending;
            }
            Poll::Ready(true)
        });
        is_open.await.then_some(self)
    }

    /// Writes as much as the connection accepts. Returns `Ready` after the stream has ended or the
    /// client has disconnected. See [`EventStream::poll_next`](crate::api::EventStream::poll_next).
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Err(error) = ready!(self.poll_send(context)) {
            let request_id = &self.body.request_id;
            debug!(request_id, %error, "event stream failed");
        }
        Poll::Ready(())
    }

    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.poll_unsent(context))?;
            if self.has_ended {
                return self.connection.as_mut().poll_shutdown(context);
            }
            match ready!(self.body.events.poll_next(context)) {
                Some(frame) if self.is_chunked => self.unsent.extend(frame.chunk()),
                Some(frame) => self.unsent.extend(frame.text()),
                None => {
                    self.has_ended = true;
                    if self.is_chunked {
                        self.unsent.push_back(Bytes::from_static(b"0\r\n\r\n"));
                    }
                }
            }
        }
    }

    fn poll_unsent(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(piece) = self.unsent.front_mut() {
            if piece.is_empty() {
                self.unsent.pop_front();
                continue;
            }
            let count = ready!(self.connection.as_mut().poll_write(context, piece))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.needs_flush = true;
            piece.advance(count);
        }
        if self.needs_flush {
            ready!(self.connection.as_mut().poll_flush(context))?;
            self.needs_flush = false;
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::super::testing::{TestStreams, read_to_end};
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn empty_piece_does_not_end_the_stream() {
        let streams = TestStreams::new();
        let (mut client, server) = duplex(1024);
        let mut delivery = streams.delivery(server);
        delivery.unsent.extend([Bytes::new(), "text".into()]);
        let result = poll_fn(|context| Poll::Ready(delivery.poll(context))).await;
        assert!(result.is_pending());
        drop(delivery);
        let text = read_to_end(&mut client).await;
        assert!(text.ends_with("\r\n\r\ntext"), "{text}");
    }
}
