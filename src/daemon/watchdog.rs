//! Notifies systemd's watchdog while the links to the PBXes are healthy.

use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::runtime::Handle;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::task::TaskTracker;
use tracing::warn;

use super::systemd;
use crate::queues::Pbxes;

/// Checks the links and the runtime that they run on.
#[derive(Debug)]
pub(super) struct Watchdog {
    pub(super) pbxes: Arc<Pbxes>,
    /// The link tasks, one for each PBX.
    pub(super) supervisors: TaskTracker,
    pub(super) link_runtime: Handle,
}

impl Watchdog {
    /// Notifies systemd while the links are healthy. Does nothing if the service manager
    /// has not set `WATCHDOG_USEC`.
    ///
    /// Runs on the main runtime. Before each notification, it runs an empty task on the links'
    /// runtime and waits until the task has finished. If either runtime hangs, the
    /// notifications stop, and systemd restarts the daemon.
    pub(super) async fn run(self) {
        let Some(watchdog_timeout) = sd_notify::watchdog_enabled() else {
            return;
        };
        // Notifies twice as often as systemd requires, so that one notification may be late.
        // `interval` panics if the period is zero.
        let period = (watchdog_timeout / 2).max(Duration::from_millis(1));
        let mut ticks = interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let empty_task = self.link_runtime.spawn(async {});
            if empty_task.await.is_ok() && self.links_are_healthy() {
                systemd::notify(&[NotifyState::Watchdog]).await;
            } else {
                warn!("a link task has ended; systemd's watchdog is no longer notified");
            }
        }
    }

    /// Returns whether every PBX's tasks are still running. An unreachable PBX counts as
    /// healthy, because restarting the daemon would not help. If a lock is never released, this
    /// function never returns, which also stops the notifications.
    fn links_are_healthy(&self) -> bool {
        self.supervisors.len() == self.pbxes.len() && self.pbxes.values().all(|pbx| pbx.is_alive())
    }
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::queues::mirror::unreachable_pbx;

    /// Creates a watchdog for an unreachable PBX.
    fn watchdog(stop: &CancellationToken) -> Watchdog {
        let (pbx, tasks) = unreachable_pbx(stop.clone());
        let supervisors = TaskTracker::new();
        supervisors.spawn(tasks);
        Watchdog {
            pbxes: Arc::new([("main".to_owned(), pbx)].into()),
            supervisors,
            link_runtime: Handle::current(),
        }
    }

    #[tokio::test]
    async fn links_are_healthy_until_a_link_task_has_ended() {
        let stop = CancellationToken::new();
        let watchdog = watchdog(&stop);
        assert!(watchdog.links_are_healthy());
        stop.cancel();
        watchdog.supervisors.close();
        watchdog.supervisors.wait().await;
        assert!(!watchdog.links_are_healthy());
    }
}
