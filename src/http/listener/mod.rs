//! Accepts connections up to a limit, serves them, and shuts down within a bounded time.

mod bare_refusal;
mod busy_body;
mod connection;
mod delivery;
mod delivery_groups;
mod slots;
mod takeover;
#[cfg(test)]
mod testing;
mod tls;
mod usage;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use self::connection::Connection;
pub use self::connection::Timeouts;
use self::delivery::Delivery;
use self::delivery_groups::DeliveryGroups;
use self::slots::Slot;
pub use self::slots::Slots;
pub use self::tls::{CertificateFiles, Tls};
#[cfg(test)]
pub(crate) use self::usage::CONNECTION_WARNING_PERCENT;
use super::handler::Handler;

/// Pause after a failed accept, for example when the process has no file descriptors left.
/// Without the pause, the accept loop would spin.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(50);

/// A listening socket, with the settings for its connections.
#[derive(Debug)]
pub struct Listener {
    /// The listening socket.
    pub socket: TcpListener,
    /// Limits the number of connections.
    pub slots: Slots,
    /// Encrypts the connections; `None` for plain HTTP.
    pub tls: Option<Tls>,
}

/// Opens a listening socket, with the longest backlog that the kernel allows, because all
/// panels reconnect at the same time after an outage.
///
/// # Errors
/// Returns the operating system's error if the address can't be bound.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    // The kernel caps this at net.core.somaxconn.
    socket.listen(i32::MAX as u32)
}

/// Serves connections until `stop` is canceled, then waits up to `timeouts.drain` for
/// running requests.
pub async fn serve(
    listener: Listener,
    handler: Arc<impl Handler>,
    timeouts: Timeouts,
    stop: CancellationToken,
) {
    let Listener { socket, slots, tls } = listener;
    let server = Server {
        handler,
        tls,
        timeouts,
        stop,
        event_streams: Arc::default(),
        connections: slots.connections().clone(),
    };
    tokio::select! {
        () = server.accept_until_stopped(&socket, &slots) => {}
        () = slots.supervise() => {}
    }
    for accepted in drain_accept_backlog(socket, &slots) {
        server.handle_accepted(accepted);
    }
    server.drain().await;
}

/// An accepted connection, and the slot that it occupies.
struct Accepted {
    stream: TcpStream,
    peer: SocketAddr,
    slot: Slot,
}

struct Server<H> {
    handler: Arc<H>,
    tls: Option<Tls>,
    timeouts: Timeouts,
    stop: CancellationToken,
    event_streams: Arc<DeliveryGroups>,
    connections: TaskTracker,
}

impl<H: Handler> Server<H> {
    async fn accept_until_stopped(&self, socket: &TcpListener, slots: &Slots) {
        let mut limit_warned_at = None;
        loop {
            tokio::select! {
                accepted = accept(socket, slots, &mut limit_warned_at) => {
                    self.handle_accepted(accepted);
                }
                () = self.stop.cancelled() => return,
            }
        }
    }

    /// Spawns a task that serves the connection.
    fn handle_accepted(&self, Accepted { stream, peer, slot }: Accepted) {
        let connection = Connection {
            peer: peer.ip(),
            activity: slot.occupy(),
            handler: Arc::clone(&self.handler),
            timeouts: self.timeouts,
            stop: self.stop.clone(),
        };
        let tls = self.tls.clone();
        let event_streams = Arc::clone(&self.event_streams);
        let token = self.connections.token();
        tokio::spawn(async move {
            // A future that is created here is stored once. One that is moved here would be stored
            // twice, which is 5 KB for each connection.
            let delivery = tokio::select! {
                delivery = async {
                    let (response, connection) = connection.serve(stream, tls).await?;
                    let delivery = Delivery::new(response, connection, slot, token);
                    // A group would delay its other streams by this work.
                    delivery.catch_up().await
                } => delivery,
                () = event_streams.abort.cancelled() => {
                    return debug!(%peer, "connection aborted at shutdown");
                }
            };
            if let Some(delivery) = delivery {
                event_streams.add(delivery);
            }
        });
    }

    async fn drain(self) {
        self.connections.close();
        tokio::select! {
            () = self.connections.wait() => {}
            () = sleep(self.timeouts.drain) => self.event_streams.abort.cancel(),
        }
        self.connections.wait().await;
    }
}

/// Accepts the next connection as soon as a slot is free.
async fn accept(
    socket: &TcpListener,
    slots: &Slots,
    limit_warned_at: &mut Option<Instant>,
) -> Accepted {
    let mut has_logged_error = false;
    loop {
        let slot = slots.take(limit_warned_at).await;
        match socket.accept().await {
            Ok((stream, peer)) => return Accepted { stream, peer, slot },
            Err(error) if is_connection_error(&error) => {}
            Err(error) => {
                if !has_logged_error {
                    warn!(%error, "can't accept connections");
                    has_logged_error = true;
                }
                sleep(ACCEPT_RETRY_DELAY).await;
            }
        }
    }
}

/// Returns whether the client disconnected before its connection was accepted. The next
/// connection can then be accepted immediately.
fn is_connection_error(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
    )
}

/// Accepts the connections in the backlog without waiting, as long as slots are free, then
/// closes the listener. Closing the listener first would reset these connections, some of
/// which may already have sent a request.
fn drain_accept_backlog(socket: TcpListener, slots: &Slots) -> Vec<Accepted> {
    let mut accepted = Vec::new();
    let Ok(socket) = socket.into_std() else {
        return accepted;
    };
    while let Some(slot) = slots.try_take()
        && let Ok((stream, peer)) = socket.accept()
    {
        let stream = stream.set_nonblocking(true).map(|()| stream);
        if let Ok(stream) = stream.and_then(TcpStream::from_std) {
            accepted.push(Accepted { stream, peer, slot });
        }
    }
    accepted
}
