//! Serves one connection: the TLS handshake, the requests, and the shutdown.

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::rt::{Read, Write};
use hyper::server::conn::http1;
use hyper::service::{HttpService, service_fn};
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use super::bare_refusal::RefusalRewriter;
use super::busy_body::BusyBody;
use super::delivery::EventConnection;
use super::slots::ClientActivity;
use super::takeover::{EventResponse, Served, Takeover};
use super::tls::Tls;
use crate::http::body::ReplyBody;
use crate::http::handler::{Authenticated, Handler};
use crate::http::sse::prepare_socket;

/// Maximum size of a request head, in bytes. It must exceed the longest target that gets a 414
/// with a body.
const MAX_HEAD_BYTES: usize = 96 * 1024;

/// How long a client may leave a response unread (`TCP_USER_TIMEOUT`).
const UNREAD_REPLY_TIMEOUT: Duration = Duration::from_secs(30);

/// During shutdown, how long to wait for the first request on a new connection.
const FIRST_REQUEST_GRACE: Duration = Duration::from_millis(250);

/// How often to check for the first request during [`FIRST_REQUEST_GRACE`].
const FIRST_REQUEST_POLL: Duration = Duration::from_millis(10);

/// A listener's time limits.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// Time limit for receiving the complete first request on a connection.
    pub first_request: Duration,
    /// Time limit between two requests on a connection. The second request's head must be
    /// complete within this time.
    pub idle: Duration,
    /// Time limit for running requests during shutdown.
    pub drain: Duration,
}

/// An accepted connection.
pub(super) struct Connection<H> {
    pub(super) peer: IpAddr,
    pub(super) activity: Arc<ClientActivity>,
    pub(super) handler: Arc<H>,
    pub(super) timeouts: Timeouts,
    pub(super) stop: CancellationToken,
}

impl<H: Handler> Connection<H> {
    /// Serves the connection until it closes. If a client requests an event stream, returns the
    /// response and the connection for it.
    pub(super) async fn serve(
        self,
        stream: TcpStream,
        tls: Option<Tls>,
    ) -> Option<(EventResponse, EventConnection)> {
        // Responses are written in one piece, so Nagle's algorithm would only delay them.
        let _ = stream.set_nodelay(true);
        // Without this timeout, a client that does not read its responses would occupy its slot
        // forever.
        #[cfg(target_os = "linux")]
        let _ = SockRef::from(&stream).set_tcp_user_timeout(Some(UNREAD_REPLY_TIMEOUT));
        let Some(tls) = tls else {
            return self.serve_http1(stream, |stream| Some(stream)).await;
        };
        tokio::select! {
            _ = stream.readable() => {}
            () = self.stop.cancelled() => return None,
            () = self.activity.evicted() => return None,
        }
        // The handshake may have to wait for other clients' handshakes. The client counts as
        // busy during that time.
        let busy = self.activity.begin_handshake();
        let handshake = tokio::select! {
            handshake = tls.accept(stream) => handshake,
            () = self.stop.cancelled() => return None,
        };
        drop(busy);
        match handshake {
            Ok(stream) => {
                self.serve_http1(stream, |stream| Some(stream.get_ref().0))
                    .await
            }
            Err(error) => {
                debug!(peer = %self.peer, %error, "TLS handshake failed");
                None
            }
        }
    }

    /// `socket` returns the socket of the stream, if it has one.
    async fn serve_http1<S>(
        self,
        stream: S,
        socket: fn(&S) -> Option<&TcpStream>,
    ) -> Option<(EventResponse, EventConnection)>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self {
            peer,
            activity,
            handler,
            timeouts,
            stop,
        } = self;
        let takeover = Arc::<Takeover>::default();
        let service = service_fn({
            let (activity, takeover) = (Arc::clone(&activity), Arc::clone(&takeover));
            move |request| {
                let busy = activity.begin_request();
                let (handler, activity) = (Arc::clone(&handler), Arc::clone(&activity));
                let takeover = Arc::clone(&takeover);
                async move {
                    let response = respond(peer, handler, &activity, &takeover, request).await;
                    Ok::<_, Infallible>(response.map(|body| BusyBody::new(body, busy)))
                }
            }
        });
        let is_blocked = Arc::clone(&takeover.is_blocked);
        let mut connection = http1_builder(timeouts).serve_connection(
            TokioIo::new(RefusalRewriter::new(stream, is_blocked)),
            service,
        );
        let waits = Waits {
            activity: &activity,
            timeouts,
            stop: &stop,
        };
        match waits.serve(&takeover, &mut connection).await? {
            Served::Closed(result) => {
                if let Err(error) = result {
                    debug!(%peer, %error, "connection failed");
                }
                None
            }
            Served::Events(response) => {
                let stream = connection.into_parts().io.into_inner().into_inner();
                if let Some(socket) = socket(&stream) {
                    prepare_socket(socket);
                }
                Some((response, Box::pin(stream)))
            }
        }
    }
}

/// Returns hyper's settings for a connection.
fn http1_builder(timeouts: Timeouts) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(timeouts.idle)
        // A client that has shut down its sending side still gets its response. A
        // disconnected client's request keeps its slot, so there are never more running
        // requests than slots.
        .half_close(true)
        .max_buf_size(MAX_HEAD_BYTES);
    builder
}

/// Returns the response for hyper. Does not return if the response is an event stream.
async fn respond(
    peer: IpAddr,
    handler: Arc<impl Handler>,
    activity: &ClientActivity,
    takeover: &Takeover,
    request: Request<Incoming>,
) -> Response<ReplyBody> {
    let version = request.version();
    let response = handler.handle(peer, request).await;
    if response.extensions().get::<Authenticated>().is_some() {
        activity.mark_authenticated();
    }
    takeover.offer(response, version).await
}

/// The events that end hyper's work on a connection.
struct Waits<'a> {
    activity: &'a ClientActivity,
    timeouts: Timeouts,
    stop: &'a CancellationToken,
}

impl Waits<'_> {
    /// Lets hyper serve the connection. Returns `None` if the connection must be closed.
    async fn serve<I, S>(
        self,
        takeover: &Takeover,
        connection: &mut http1::Connection<I, S>,
    ) -> Option<Served>
    where
        I: Read + Write + Unpin,
        S: HttpService<Incoming, ResBody = BusyBody>,
        S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        tokio::select! {
            served = takeover.serve(connection) => return Some(served),
            () = first_request_timed_out(self.activity, self.timeouts.first_request) => return None,
            () = self.activity.evicted() => return None,
            () = self.stop.cancelled() => {}
        }
        // On graceful shutdown hyper closes a connection it has not read from,
        // even if a request is already in the socket buffer.
        tokio::select! {
            _ = timeout(FIRST_REQUEST_GRACE, first_request(self.activity)) => {}
            served = takeover.serve(connection) => return Some(served),
        }
        Pin::new(&mut *connection).graceful_shutdown();
        Some(takeover.serve(connection).await)
    }
}

/// Returns after `limit` if no complete request has arrived. Otherwise never returns.
async fn first_request_timed_out(activity: &ClientActivity, limit: Duration) {
    sleep(limit).await;
    if activity.has_sent_request() {
        std::future::pending::<()>().await;
    }
}

/// Waits for the first complete request.
async fn first_request(activity: &ClientActivity) {
    while !activity.has_sent_request() {
        sleep(FIRST_REQUEST_POLL).await;
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

    const TIMEOUTS: Timeouts = Timeouts {
        first_request: Duration::from_secs(30),
        idle: Duration::from_secs(75),
        drain: Duration::from_secs(8),
    };

    /// Serves a new connection in a task, and returns the client's end.
    fn connect() -> DuplexStream {
        let (client, server) = duplex(64 * 1024);
        tokio::spawn(async move {
            let slot = Slots::new("api", 1).try_take().expect("a free slot");
            let connection = Connection {
                peer: IpAddr::from([127, 0, 0, 1]),
                activity: slot.occupy(),
                handler: Arc::new(Hello),
                timeouts: TIMEOUTS,
                stop: CancellationToken::new(),
            };
            connection.serve_http1(server, |_| None).await;
        });
        client
    }

    async fn send_request(stream: &mut DuplexStream) {
        let request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        stream.write_all(request).await.expect("an open connection");
        let mut response = Vec::new();
        while !response.ends_with(b"hello") {
            let count = stream.read_buf(&mut response).await;
            assert!(count.expect("an open connection") > 0);
        }
    }

    /// Returns the time until the server closes the connection.
    async fn time_until_closed(stream: &mut DuplexStream) -> Duration {
        let start = Instant::now();
        assert_eq!(stream.read(&mut [0; 64]).await.expect("end of file"), 0);
        start.elapsed()
    }

    /// Proxies keep idle connections for 60 s, and may send a request at any time within these
    /// 60 s.
    #[tokio::test(start_paused = true)]
    async fn idle_connection_outlives_proxy_idle_timeouts() {
        let mut stream = connect();
        for _ in 0..3 {
            send_request(&mut stream).await;
            sleep(Duration::from_secs(61)).await;
        }
        send_request(&mut stream).await;
        let elapsed = time_until_closed(&mut stream).await;
        assert!(
            elapsed.abs_diff(TIMEOUTS.idle) < Duration::from_secs(1),
            "{elapsed:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn connection_without_a_complete_request_closes_after_the_first_request_timeout() {
        for sent in ["", "GET / HTT"] {
            let mut stream = connect();
            stream
                .write_all(sent.as_bytes())
                .await
                .expect("an open connection");
            let elapsed = time_until_closed(&mut stream).await;
            let expected = TIMEOUTS.first_request;
            assert!(
                elapsed.abs_diff(expected) < Duration::from_secs(1),
                "{elapsed:?}"
            );
        }
    }
}
