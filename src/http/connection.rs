//! One connection: its handshake, its requests one after another, and how it ends.

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Frame, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::body::ReplyBody;
use super::explain::Explained;
use super::server::{Handler, Limits};
use super::slots::{Busy, Presence};
use super::tls::Tls;

/// Room for the head of a request: more than the longest target that is
/// answered in words.
const MAX_HEAD: usize = 96 * 1024;

/// How long an answer may stand unread.
const UNREAD_REPLY_TIMEOUT: Duration = Duration::from_secs(30);

/// During shutdown, how long to wait for the first request on a new connection.
const FIRST_REQUEST_GRACE: Duration = Duration::from_millis(250);

/// How often to look during that time.
const FIRST_REQUEST_POLL: Duration = Duration::from_millis(10);

/// Marks an answer to a client that has shown who it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known;

/// A client that was accepted, and what serves it.
pub(super) struct Client<H> {
    pub(super) peer: IpAddr,
    pub(super) presence: Arc<Presence>,
    pub(super) handler: Arc<H>,
    pub(super) limits: Limits,
    pub(super) stop: CancellationToken,
}

impl<H: Handler> Client<H> {
    /// Serves the connection to its end; apart from the accept loop, so that a slow
    /// handshake holds nobody up.
    pub(super) async fn serve(self, stream: TcpStream, tls: Option<Tls>) {
        // Answers are small and whole; nothing is gained by waiting.
        let _ = stream.set_nodelay(true);
        // A client that does not read its answers would keep its slot for ever.
        #[cfg(target_os = "linux")]
        let _ = SockRef::from(&stream).set_tcp_user_timeout(Some(UNREAD_REPLY_TIMEOUT));
        let Some(tls) = tls else {
            return self.serve_http(stream).await;
        };
        tokio::select! {
            _ = stream.readable() => {}
            () = self.stop.cancelled() => return,
            () = self.presence.unwanted() => return,
        }
        // Others' handshakes may come first: that is no idleness.
        let busy = self.presence.shakes_hands();
        let handshake = tokio::select! {
            handshake = tls.accept(stream) => handshake,
            () = self.stop.cancelled() => return,
        };
        drop(busy);
        match handshake {
            Ok(stream) => self.serve_http(stream).await,
            Err(error) => debug!(peer = %self.peer, %error, "TLS handshake failed"),
        }
    }

    async fn serve_http(self, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let Self {
            peer,
            presence,
            handler,
            limits,
            stop,
        } = self;
        let own = Arc::clone(&presence);
        let service = service_fn(move |request| {
            let busy = own.asks();
            let (handler, presence) = (Arc::clone(&handler), Arc::clone(&own));
            async move {
                let response = handler.handle(peer, request).await;
                if response.extensions().get::<Known>().is_some() {
                    presence.is_known();
                }
                Ok::<_, Infallible>(response.map(|body| HeldBody { body, _busy: busy }))
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.idle)
            // A client that has closed its sending side gets its answer. It also means
            // that a request runs to its end while its connection holds the slot: so
            // no more run than there may be connections.
            .half_close(true)
            .max_buf_size(MAX_HEAD)
            .serve_connection(TokioIo::new(Explained::new(stream)), service);
        let mut connection = pin!(connection);
        let result = tokio::select! {
            result = connection.as_mut() => result,
            () = never_asks(&presence, limits.first_request) => return,
            () = presence.unwanted() => return,
            () = stop.cancelled() => {
                // On graceful shutdown hyper closes a connection it has not read from,
                // even if a request is already in the socket buffer.
                tokio::select! {
                    _ = timeout(FIRST_REQUEST_GRACE, asks(&presence)) => {
                        connection.as_mut().graceful_shutdown();
                        connection.await
                    }
                    result = connection.as_mut() => result,
                }
            }
        };
        if let Err(error) = result {
            debug!(%peer, %error, "connection ended early");
        }
    }
}

/// Ends if no whole request has come within that time.
async fn never_asks(presence: &Presence, within: Duration) {
    sleep(within).await;
    if presence.has_asked() {
        std::future::pending::<()>().await;
    }
}

/// Ends when a whole request has come.
async fn asks(presence: &Presence) {
    while !presence.has_asked() {
        sleep(FIRST_REQUEST_POLL).await;
    }
}

/// The body of an answer; until it is sent, its client is busy.
struct HeldBody {
    body: ReplyBody,
    _busy: Busy,
}

impl Body for HeldBody {
    type Data = <ReplyBody as Body>::Data;
    type Error = <ReplyBody as Body>::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use hyper::body::Incoming;
    use hyper::{Request, Response};
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio::time::Instant;

    use super::super::slots::Slots;
    use super::*;

    struct Hello;

    impl Handler for Hello {
        async fn handle(
            self: Arc<Self>,
            _peer: IpAddr,
            _request: Request<Incoming>,
        ) -> Response<ReplyBody> {
            Response::new(ReplyBody::whole("hello"))
        }
    }

    const LIMITS: Limits = Limits {
        first_request: Duration::from_secs(30),
        idle: Duration::from_secs(75),
        drain: Duration::from_secs(8),
    };

    fn connected() -> DuplexStream {
        let (ours, theirs) = duplex(64 * 1024);
        tokio::spawn(async move {
            let slot = Slots::new(1).try_take().expect("a slot");
            let client = Client {
                peer: IpAddr::from([127, 0, 0, 1]),
                presence: slot.occupy(),
                handler: Arc::new(Hello),
                limits: LIMITS,
                stop: CancellationToken::new(),
            };
            client.serve_http(theirs).await;
        });
        ours
    }

    async fn ask(stream: &mut DuplexStream) {
        let request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        stream.write_all(request).await.expect("open");
        let mut answer = Vec::new();
        while !answer.ends_with(b"hello") {
            assert!(stream.read_buf(&mut answer).await.expect("open") > 0);
        }
    }

    /// How long it stays open.
    async fn lasts(stream: &mut DuplexStream) -> Duration {
        let begun = Instant::now();
        assert_eq!(stream.read(&mut [0; 64]).await.expect("an end"), 0);
        begun.elapsed()
    }

    /// Proxies keep connections for 60 s, and ask again on one at any time within it.
    #[tokio::test(start_paused = true)]
    async fn a_connection_is_kept_for_longer_than_proxies_keep_theirs() {
        let mut stream = connected();
        for _ in 0..3 {
            ask(&mut stream).await;
            sleep(Duration::from_secs(61)).await;
        }
        ask(&mut stream).await;
        let lasted = lasts(&mut stream).await;
        assert!(
            lasted.abs_diff(LIMITS.idle) < Duration::from_secs(1),
            "{lasted:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_never_asks_goes_sooner() {
        for sent in ["", "GET / HTT"] {
            let mut stream = connected();
            stream.write_all(sent.as_bytes()).await.expect("open");
            let lasted = lasts(&mut stream).await;
            let expected = LIMITS.first_request;
            assert!(
                lasted.abs_diff(expected) < Duration::from_secs(1),
                "{lasted:?}"
            );
        }
    }
}
