//! Opens the connection to Asterisk: TCP, socket options and TLS.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::address::Address;
use super::connection::Connection;
use super::tls::TlsSettings;

/// How long written bytes may stay unacknowledged before the operating system closes the
/// connection. Asterisk itself does not enable keep-alive.
const UNACKNOWLEDGED_TIMEOUT: Duration = Duration::from_secs(10);

/// A byte stream to Asterisk, over TCP or TLS.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Maximum number of unanswered actions over TLS.
///
/// Before Asterisk reads an action, it polls the socket but ignores bytes that OpenSSL
/// has already read from the socket. If several actions arrive together, Asterisk
/// executes only the first action until more bytes arrive (all versions up to 22).
const MAX_IN_FLIGHT_OVER_TLS: usize = 1;

/// Connects to Asterisk, over TLS if `tls` is set. Has no timeout.
///
/// # Errors
/// Returns the operating system's error, or the TLS error with advice for the operator.
pub(crate) async fn dial(
    address: &Address,
    tls: Option<&TlsSettings>,
) -> io::Result<Connection<Box<dyn Stream>>> {
    let stream = connect(address).await?;
    Ok(match tls {
        None => Connection::new(Box::new(stream), usize::MAX),
        Some(tls) => {
            let stream = tls.connect(stream).await?;
            Connection::new(Box::new(stream), MAX_IN_FLIGHT_OVER_TLS)
        }
    })
}

/// Connects over TLS and returns the DER encoding of the certificate that Asterisk
/// presents. Has no timeout.
///
/// # Errors
/// Returns the operating system's error, or the TLS error if the certificate is not
/// trusted.
pub async fn presented_certificate(address: &Address, tls: &TlsSettings) -> io::Result<Vec<u8>> {
    let stream = tls.connect(connect(address).await?).await?;
    let presented = stream.get_ref().1.peer_certificates();
    let certificate = presented.and_then(<[_]>::first);
    let certificate = certificate.ok_or(io::ErrorKind::InvalidData)?;
    Ok(certificate.to_vec())
}

/// Opens a TCP connection. Disables Nagle's algorithm, and enables keep-alive to detect a
/// dead peer.
async fn connect(address: &Address) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address.as_str()).await?;
    stream.set_nodelay(true)?;
    let socket = SockRef::from(&stream);
    socket.set_tcp_keepalive(
        &TcpKeepalive::new()
            .with_time(Duration::from_secs(5))
            .with_interval(Duration::from_secs(2))
            .with_retries(3),
    )?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED_TIMEOUT))?;
    Ok(stream)
}
