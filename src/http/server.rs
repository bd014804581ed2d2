//! A listener with limits: connections, header and idle time, and an end that
//! no open connection can hold up.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::{Request, Response};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::body::ReplyBody;
use super::connection::Client;
use super::slots::{Slot, Slots};
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
    /// Until the first request of a connection has come as a whole.
    pub first_request: Duration,
    /// Between two requests of a connection, the head of the second included.
    pub idle: Duration,
    /// For what runs when the listener ends.
    pub drain: Duration,
}

/// A pause where the system has no descriptors left, instead of a busy loop.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

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

/// Listens, with the longest queue of connections that the system allows: panels that
/// reconnect come all at once.
///
/// # Errors
/// What the operating system says.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    // Cut to net.core.somaxconn.
    socket.listen(i32::MAX as u32)
}

/// Serves until `stop`, then finishes what is running within the limit.
pub async fn serve(
    Listener { socket, slots, tls }: Listener,
    handler: Arc<impl Handler>,
    limits: Limits,
    stop: CancellationToken,
) {
    let connections = slots.connections().clone();
    let abort = CancellationToken::new();
    let begin = |(stream, peer, slot): Connection| {
        let client = Client {
            peer: peer.ip(),
            presence: slot.occupy(),
            handler: Arc::clone(&handler),
            limits,
            stop: stop.clone(),
        };
        let (tls, abort) = (tls.clone(), abort.clone());
        connections.spawn(async move {
            tokio::select! {
                () = client.serve(stream, tls) => {}
                () = abort.cancelled() => debug!(%peer, "connection ended at shutdown"),
            }
            drop(slot);
        });
    };
    let accept = async {
        let mut warned_at = None;
        while let Some(connection) = next_connection(&socket, &slots, &mut warned_at, &stop).await {
            begin(connection);
        }
    };
    tokio::select! {
        () = accept => {}
        () = slots.make_room() => {}
    }
    drain_accept_queue(socket, &slots)
        .into_iter()
        .for_each(begin);
    connections.close();
    tokio::select! {
        () = connections.wait() => {}
        () = sleep(limits.drain) => abort.cancel(),
    }
    connections.wait().await;
}

/// A client, and its slot among those that there may be.
type Connection = (TcpStream, SocketAddr, Slot);

/// Connections that the operating system has taken already. Closing the listener
/// would reset them, with the requests that they may have sent. Nothing is waited
/// for: the listener is closed a moment later.
fn drain_accept_queue(listener: TcpListener, slots: &Slots) -> Vec<Connection> {
    let mut found = Vec::new();
    let Ok(listener) = listener.into_std() else {
        return found;
    };
    while let Some(slot) = slots.try_take()
        && let Ok((stream, peer)) = listener.accept()
    {
        let stream = stream.set_nonblocking(true).map(|()| stream);
        if let Ok(stream) = stream.and_then(TcpStream::from_std) {
            found.push((stream, peer, slot));
        }
    }
    found
}

/// The next client. While some wait to be accepted, this never waits itself, so a storm
/// of them is taken in one go.
async fn next_connection(
    listener: &TcpListener,
    slots: &Slots,
    warned_at: &mut Option<Instant>,
    stop: &CancellationToken,
) -> Option<Connection> {
    let mut warned = false;
    loop {
        let accept = async {
            let slot = slots.take(warned_at).await;
            (slot, listener.accept().await)
        };
        let (slot, accepted) = tokio::select! {
            accepted = accept => accepted,
            () = stop.cancelled() => return None,
        };
        match accepted {
            Ok((stream, peer)) => return Some((stream, peer, slot?)),
            Err(error) if is_connection_error(&error) => {}
            Err(error) => {
                if !warned {
                    warn!(%error, "no connection can be accepted");
                    warned = true;
                }
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// The client was gone before it was accepted: the next one may be fine.
fn is_connection_error(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    )
}
