//! Tells systemd how the daemon is: sd_notify(3). Where no service manager has asked
//! for it (`NOTIFY_SOCKET`, `WATCHDOG_USEC`), all of this does nothing.

use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::task::TaskTracker;
use tracing::warn;

use crate::api::Links;

/// The listeners are up, or a reload is over.
pub(crate) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The configuration is read again; [`ready`] ends it.
pub(crate) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        // With the time, a unit of the type notify-reload knows which reload it is.
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => warn!(%error, "the monotonic clock can't be read"),
    }
}

/// The daemon was told to end.
pub(crate) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// What has to go on for the daemon to be of any use.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) links: Arc<Links>,
    /// The tasks that keep the links, one each.
    pub(crate) supervisors: TaskTracker,
}

impl Core {
    /// Whether every PBX still has the tasks that keep it. That a PBX is away is no
    /// fault of the core: a restart would not bring it back. A lock that is never
    /// given back keeps this from answering, which is an answer as well.
    fn is_alive(&self) -> bool {
        self.supervisors.len() == self.links.len()
            && self.links.values().all(|link| link.live.is_kept())
    }
}

/// Feeds the watchdog while the core is alive, twice as often as it must be: one
/// feed may come late. It is a task of the runtime as those that serve are, so it
/// stands still where they do.
pub(crate) async fn feed_watchdog(core: Core) {
    let Some(patience) = sd_notify::watchdog_enabled() else {
        return;
    };
    // A period of zero would be a panic.
    let mut ticks = interval((patience / 2).max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if core.is_alive() {
            tell(&[NotifyState::Watchdog]);
        } else {
            warn!("a task that keeps a link has ended: the watchdog is not fed");
        }
    }
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        warn!(%error, "the service manager can't be told");
    }
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::ami::LinkSettings;
    use crate::ami::value::HeaderValue;
    use crate::api::Link;
    use crate::queues::live::{LiveSettings, keep};

    /// Nobody listens there: that the PBX is away is no fault of the core.
    fn kept(stop: &CancellationToken) -> Core {
        let link = LinkSettings {
            name: "main".into(),
            address: "127.0.0.1:1".into(),
            username: HeaderValue::new("queuebridge").expect("a value"),
            secret: String::new().into(),
            tls: None,
            connect_timeout: Duration::from_secs(1),
            max_pending: 1,
        };
        let settings = LiveSettings {
            resync_interval: Duration::from_secs(60),
            serve_stale: true,
        };
        let (live, tasks) = keep(link, settings, stop.clone());
        let supervisors = TaskTracker::new();
        supervisors.spawn(tasks);
        let action_timeout = Duration::from_secs(1);
        let link = Link {
            live,
            action_timeout,
            kept: Arc::default(),
        };
        Core {
            links: Arc::new([("main".to_owned(), link)].into()),
            supervisors,
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
