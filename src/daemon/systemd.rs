//! Tells systemd how the daemon is: sd_notify(3). Where no service manager has asked
//! for it (`NOTIFY_SOCKET`, `WATCHDOG_USEC`), all of this does nothing.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::runtime::Handle;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::task::TaskTracker;
use tracing::warn;

use crate::queues::Pbxes;

/// The listeners are up, or a reload is over.
pub(crate) async fn ready() {
    notify(&[NotifyState::Ready]).await;
}

/// The configuration is read again; [`ready`] ends it.
pub(crate) async fn reloading() {
    match NotifyState::monotonic_usec_now() {
        // With the time, a unit of the type notify-reload knows which reload it is.
        Ok(now) => notify(&[NotifyState::Reloading, now]).await,
        Err(error) => warn!(%error, "the monotonic clock can't be read"),
    }
}

/// The daemon was told to end.
pub(crate) async fn stopping() {
    notify(&[NotifyState::Stopping]).await;
}

/// What has to go on for the daemon to be of any use.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) pbxes: Arc<Pbxes>,
    /// The tasks that keep the links, one each.
    pub(crate) supervisors: TaskTracker,
    /// Where they run.
    pub(crate) link_runtime: Handle,
}

impl Core {
    /// Whether every PBX still has the tasks that keep it. That a PBX is away is no
    /// fault of the core: a restart would not bring it back. A lock that is never
    /// given back keeps this from answering, which is an answer as well.
    fn is_alive(&self) -> bool {
        self.supervisors.len() == self.pbxes.len() && self.pbxes.values().all(|pbx| pbx.is_kept())
    }
}

/// Feeds the watchdog while the core is alive, twice as often as it must be: one
/// feed may come late. It is a task of the runtime as those that serve are, and asks that
/// of the links for a turn each time: so it stands still where either does.
pub(crate) async fn feed_watchdog(core: Core) {
    let Some(patience) = sd_notify::watchdog_enabled() else {
        return;
    };
    // A period of zero would be a panic.
    let mut ticks = interval((patience / 2).max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let turn = core.link_runtime.spawn(async {}).await;
        if turn.is_ok() && core.is_alive() {
            notify(&[NotifyState::Watchdog]).await;
        } else {
            warn!("a task that keeps a link has ended: the watchdog is not fed");
        }
    }
}

/// How long the service manager may leave its socket full.
const PATIENCE: Duration = Duration::from_secs(1);

/// Between two attempts at a full socket.
const RETRY_DELAY: Duration = Duration::from_millis(50);

/// Sends a notification, without ever blocking the thread: the service manager may hang.
async fn notify(state: &[NotifyState<'_>]) {
    let Some(name) = std::env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else {
        return;
    };
    let message: String = state.iter().map(|state| format!("{state}\n")).collect();
    let mut attempts = PATIENCE.as_millis() / RETRY_DELAY.as_millis();
    let sent = loop {
        match send(&name, message.as_bytes()) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && attempts > 0 => {
                attempts -= 1;
                sleep(RETRY_DELAY).await;
            }
            sent => break sent,
        }
    };
    if let Err(error) = sent {
        warn!(%error, "the service manager can't be told");
    }
}

/// Sends a datagram. A name that begins with `@` is in the abstract namespace, where
/// containers' managers often listen.
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

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::ami::value::HeaderValue;
    use crate::ami::{Address, LinkSettings};
    use crate::queues::mirror::{PbxSettings, keep};

    /// Nobody listens there: that the PBX is away is no fault of the core.
    fn kept(stop: &CancellationToken) -> Core {
        let link = LinkSettings {
            name: "main".into(),
            address: Address::parse("127.0.0.1:1").expect("an address"),
            username: HeaderValue::new("queuebridge").expect("a value"),
            secret: String::new().into(),
            tls: None,
            connect_timeout: Duration::from_secs(1),
            max_pending: 1,
        };
        let settings = PbxSettings {
            resync_interval: Duration::from_secs(60),
            serve_stale: true,
            action_timeout: Duration::from_secs(1),
        };
        let (pbx, tasks) = keep(link, settings, stop.clone());
        let supervisors = TaskTracker::new();
        supervisors.spawn(tasks);
        Core {
            pbxes: Arc::new([("main".to_owned(), pbx)].into()),
            supervisors,
            link_runtime: Handle::current(),
        }
    }

    #[tokio::test]
    async fn the_core_is_alive_until_a_task_that_keeps_a_link_has_ended() {
        let stop = CancellationToken::new();
        let core = kept(&stop);
        assert!(core.is_alive());
        stop.cancel();
        core.supervisors.close();
        core.supervisors.wait().await;
        assert!(!core.is_alive());
    }
}
