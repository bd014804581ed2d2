//! A listener with limits: connections, header and idle time, and an end that
//! no open connection can hold up.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use super::body::ReplyBody;
use super::tls::Tls;

/// Answers requests.
pub trait Handler: Send + Sync + 'static {
    /// Answers one request of a peer.
    fn handle(
        self: Arc<Self>,
        peer: IpAddr,
        request: Request<Incoming>,
    ) -> impl Future<Output = Response<ReplyBody>> + Send;
}

/// What a listener allows.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For the head of a request, and between two requests of a connection.
    pub header_timeout: Duration,
    /// For what runs when the listener ends.
    pub drain: Duration,
}

/// Room for the head of a request: more than the longest target that is
/// answered in words.
const MAX_HEAD: usize = 96 * 1024;

/// A pause where the system has no descriptors left, instead of a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The connections that a listener may have at once; beyond, new ones wait in the
/// operating system.
#[derive(Debug, Clone)]
pub struct Slots {
    free: Arc<Semaphore>,
    limit: usize,
    connections: TaskTracker,
}

impl Slots {
    /// So many.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(limit)),
            limit,
            connections: TaskTracker::new(),
        }
    }

    /// How many connections there are, and how many there may be. The slot that
    /// waits for the next one is none.
    #[must_use]
    pub fn taken(&self) -> (usize, usize) {
        (self.connections.len(), self.limit)
    }

    /// Takes one, as soon as one is free.
    async fn take(&self, told_at: &mut Option<Instant>) -> Option<OwnedSemaphorePermit> {
        let free = Arc::clone(&self.free);
        if let Ok(slot) = Arc::clone(&free).try_acquire_owned() {
            return Some(slot);
        }
        if told_at.is_none_or(|at| at.elapsed() > TELL_AGAIN) {
            warn!(
                limit = self.limit,
                "all connections are taken: further ones wait"
            );
            *told_at = Some(Instant::now());
        }
        free.acquire_owned().await.ok()
    }
}

/// Between two lines about the same shortage.
const TELL_AGAIN: Duration = Duration::from_secs(60);

/// A bound listener, with TLS where it is wanted.
#[derive(Debug)]
pub struct Listener {
    /// Where connections come from.
    pub socket: TcpListener,
    /// How many there may be.
    pub slots: Slots,
    /// With TLS.
    pub tls: Option<Tls>,
}

/// At the end, for the first request of a client that has just connected.
const FIRST_REQUEST: Duration = Duration::from_millis(250);

/// How long an answer may stand unread.
const UNREAD: Duration = Duration::from_secs(30);

/// Serves until `stop`, then finishes what is running within the limit.
pub async fn serve(
    Listener { socket, slots, tls }: Listener,
    handler: Arc<impl Handler>,
    limits: Limits,
    stop: CancellationToken,
) {
    let mut told_at = None;
    let connections = slots.connections.clone();
    let abort = CancellationToken::new();
    let begin = |(stream, peer, slot): Connection| {
        let (handler, stop, abort) = (Arc::clone(&handler), stop.clone(), abort.clone());
        let tls = tls.clone();
        connections.spawn(async move {
            tokio::select! {
                () = accepted(stream, tls, peer.ip(), handler, limits, stop) => {}
                () = abort.cancelled() => debug!(%peer, "connection ended at shutdown"),
            }
            drop(slot);
        });
    };
    while let Some(connection) = next_connection(&socket, &slots, &mut told_at, &stop).await {
        begin(connection);
    }
    at_the_door(socket, &slots).into_iter().for_each(begin);
    connections.close();
    tokio::select! {
        () = connections.wait() => {}
        () = sleep(limits.drain) => abort.cancel(),
    }
    connections.wait().await;
}

/// A client, and its slot among those that there may be.
type Connection = (TcpStream, SocketAddr, OwnedSemaphorePermit);

/// Connections that the operating system has taken already. Closing the listener
/// would reset them, with the requests that they may have sent. Nothing is waited
/// for: the listener is closed a moment later.
fn at_the_door(listener: TcpListener, slots: &Slots) -> Vec<Connection> {
    let mut found = Vec::new();
    let Ok(listener) = listener.into_std() else {
        return found;
    };
    while let Ok(slot) = Arc::clone(&slots.free).try_acquire_owned()
        && let Ok((stream, peer)) = listener.accept()
    {
        let stream = stream.set_nonblocking(true).map(|()| stream);
        if let Ok(stream) = stream.and_then(TcpStream::from_std) {
            found.push((stream, peer, slot));
        }
    }
    found
}

async fn next_connection(
    listener: &TcpListener,
    slots: &Slots,
    told_at: &mut Option<Instant>,
    stop: &CancellationToken,
) -> Option<Connection> {
    let mut told = false;
    loop {
        let accept = async {
            let slot = slots.take(told_at).await;
            (slot, listener.accept().await)
        };
        let (slot, accepted) = tokio::select! {
            accepted = accept => accepted,
            () = stop.cancelled() => return None,
        };
        match accepted {
            Ok((stream, peer)) => return Some((stream, peer, slot?)),
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                if !told {
                    warn!(%error, "no connection can be accepted");
                    told = true;
                }
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// The client was gone before it was accepted: the next one may be fine.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    )
}

/// Off the accepting loop, so that a slow handshake holds nobody up.
async fn accepted(
    stream: TcpStream,
    tls: Option<Tls>,
    peer: IpAddr,
    handler: Arc<impl Handler>,
    limits: Limits,
    stop: CancellationToken,
) {
    // Answers are small and whole; nothing is gained by waiting.
    let _ = stream.set_nodelay(true);
    // A client that does not read its answers would keep its slot for ever.
    #[cfg(target_os = "linux")]
    let _ = SockRef::from(&stream).set_tcp_user_timeout(Some(UNREAD));
    let Some(tls) = tls else {
        return connection(stream, peer, handler, limits, stop).await;
    };
    let handshake = tokio::select! {
        handshake = tls.accept(stream) => handshake,
        () = stop.cancelled() => return,
    };
    match handshake {
        Ok(stream) => connection(stream, peer, handler, limits, stop).await,
        Err(error) => debug!(%peer, %error, "TLS handshake failed"),
    }
}

async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    peer: IpAddr,
    handler: Arc<impl Handler>,
    limits: Limits,
    stop: CancellationToken,
) {
    let begun = Arc::new(Notify::new());
    let begins = Arc::clone(&begun);
    let service = service_fn(move |request| {
        begins.notify_one();
        let handler = Arc::clone(&handler);
        async move { Ok::<_, Infallible>(handler.handle(peer, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        // A client that has closed its sending side gets its answer. It also means
        // that a request runs to its end while its connection holds the slot: so
        // no more run than there may be connections.
        .half_close(true)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = stop.cancelled() => {
            // hyper closes at once what it has read nothing of, though the request may
            // be there.
            tokio::select! {
                _ = timeout(FIRST_REQUEST, begun.notified()) => {
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
