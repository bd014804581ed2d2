//! Opening the connection to Asterisk.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::address::Address;
use super::connection::Connection;
use super::tls::TlsSettings;

/// How long unacknowledged bytes may stand in the socket before the operating
/// system gives the connection up: Asterisk itself sets no keep-alive.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

/// A byte stream to Asterisk, whatever is below it.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Over TLS Asterisk looks at the socket and not at what OpenSSL has read ahead:
/// of several actions in one record, or read together, the later ones wait for
/// bytes that never come (in all versions up to 22). One at a time is safe.
const MOST_IN_FLIGHT_OVER_TLS: usize = 1;

/// Connects to `host:port`, over TLS where it is wanted.
///
/// # Errors
/// What the operating system or TLS says; the caller bounds the time.
pub(crate) async fn dial(
    address: &Address,
    tls: Option<&TlsSettings>,
) -> io::Result<Connection<Box<dyn Stream>>> {
    let stream = connect(address).await?;
    Ok(match tls {
        None => Connection::new(Box::new(stream), usize::MAX),
        Some(tls) => {
            let stream = tls.connect(stream).await?;
            Connection::new(Box::new(stream), MOST_IN_FLIGHT_OVER_TLS)
        }
    })
}

/// The certificate that Asterisk presents, in DER, where it can be trusted.
///
/// # Errors
/// As [`dial`]; the caller bounds the time.
pub async fn presented_certificate(address: &Address, tls: &TlsSettings) -> io::Result<Vec<u8>> {
    let stream = tls.connect(connect(address).await?).await?;
    let presented = stream.get_ref().1.peer_certificates();
    let certificate = presented.and_then(<[_]>::first);
    let certificate = certificate.ok_or(io::ErrorKind::InvalidData)?;
    Ok(certificate.to_vec())
}

/// Connects, with Nagle off and a dead peer noticed.
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
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
    Ok(stream)
}
