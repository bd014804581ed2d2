//! Opening the TCP connection to Asterisk.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

/// How long unacknowledged bytes may stand in the socket before the operating
/// system gives the connection up: Asterisk itself sets no keep-alive.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);

/// Connects to `host:port`, with Nagle off and a dead peer noticed.
///
/// # Errors
/// What the operating system says; the caller bounds the time.
pub(crate) async fn dial(address: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
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
