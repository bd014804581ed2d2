//! Reports the daemon's state to systemd, as described in sd_notify(3). Does nothing if the
//! service manager has not set `NOTIFY_SOCKET`.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::warn;

/// How long to retry while the service manager's socket is full.
const RETRY_TIMEOUT: Duration = Duration::from_secs(1);

const RETRY_DELAY: Duration = Duration::from_millis(50);

/// Reports that the daemon accepts requests, at startup and after a reload.
pub(super) async fn ready() {
    notify(&[NotifyState::Ready]).await;
}

/// Reports that a reload has begun. [`ready`] reports that it has ended.
pub(super) async fn reloading() {
    match NotifyState::monotonic_usec_now() {
        // systemd requires the time for units with `Type=notify-reload`.
        Ok(now) => notify(&[NotifyState::Reloading, now]).await,
        Err(error) => warn!(%error, "can't read the monotonic clock"),
    }
}

/// Waits until `stop` is canceled, then reports that the daemon is stopping.
pub(super) async fn report_stop(stop: CancellationToken) {
    stop.cancelled().await;
    notify(&[NotifyState::Stopping]).await;
}

/// Sends a notification. Never blocks, even if the service manager hangs.
pub(super) async fn notify(state: &[NotifyState<'_>]) {
    let Some(name) = std::env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else {
        return;
    };
    let message: String = state.iter().map(|state| format!("{state}\n")).collect();
    let mut retries = RETRY_TIMEOUT.as_millis() / RETRY_DELAY.as_millis();
    let sent = loop {
        match send(&name, message.as_bytes()) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && retries > 0 => {
                retries -= 1;
                sleep(RETRY_DELAY).await;
            }
            sent => break sent,
        }
    };
    if let Err(error) = sent {
        warn!(%error, "can't notify the service manager");
    }
}

/// Sends a datagram. A name that begins with `@` is in Linux's abstract namespace, where
/// container managers often listen.
fn send(name: &OsStr, message: &[u8]) -> io::Result<()> {
    let address = match name.as_bytes().strip_prefix(b"@") {
        #[cfg(target_os = "linux")]
        Some(name) => <SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(name)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.send_to_addr(message, &address).map(|_| ())
}
