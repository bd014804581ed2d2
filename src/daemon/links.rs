//! The links to all PBXes, on a dedicated thread.

use std::io;
use std::pin::Pin;
use std::sync::Arc;

use tokio::runtime::Builder;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::watchdog::Watchdog;
use crate::config;
use crate::queues::mirror::{PbxOptions, connect};
use crate::queues::{PauseServices, Pbxes};
use crate::worker_runtime::WorkerRuntime;

type LinkTask = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The links to all PBXes. They run on a dedicated thread, so the bridge reads from Asterisk
/// without delay even if many clients connect, do TLS handshakes and log in at the same time.
/// Asterisk waits while an AMI client does not read.
pub(super) struct Links {
    pbxes: Arc<Pbxes>,
    runtime: WorkerRuntime,
    unstarted_tasks: Vec<LinkTask>,
    /// One task for each PBX.
    supervisors: TaskTracker,
    stop: CancellationToken,
}

impl Links {
    /// Creates a handle for each PBX. [`Self::start`] connects to the PBXes.
    ///
    /// # Errors
    /// Returns the operating system's error if it can't start the thread.
    pub(super) fn new(
        settings: Vec<config::PbxSettings>,
        serve_stale: bool,
        services: &PauseServices,
    ) -> io::Result<Self> {
        let runtime = WorkerRuntime::start("ami", Builder::enable_all)?;
        let stop = CancellationToken::new();
        let mut pbxes = Pbxes::new();
        let mut unstarted_tasks: Vec<LinkTask> = Vec::new();
        for pbx in settings {
            let options = PbxOptions {
                resync_interval: pbx.resync_interval,
                serve_stale,
                action_timeout: pbx.action_timeout,
            };
            let name = pbx.link.name.clone();
            let (handle, task) = connect(pbx.link, options, services.clone(), stop.clone());
            unstarted_tasks.push(Box::pin(task));
            pbxes.insert(name, handle);
        }
        Ok(Self {
            pbxes: Arc::new(pbxes),
            runtime,
            unstarted_tasks,
            supervisors: TaskTracker::new(),
            stop,
        })
    }

    pub(super) fn pbxes(&self) -> &Arc<Pbxes> {
        &self.pbxes
    }

    pub(super) fn start(&mut self) {
        for task in self.unstarted_tasks.drain(..) {
            self.supervisors.spawn_on(task, self.runtime.handle());
        }
    }

    /// Creates a watchdog for the links. Call this after [`Self::start`].
    pub(super) fn watchdog(&self) -> Watchdog {
        Watchdog {
            pbxes: Arc::clone(&self.pbxes),
            supervisors: self.supervisors.clone(),
            link_runtime: self.runtime.handle().clone(),
        }
    }

    /// Logs off from all PBXes.
    pub(super) async fn close(self) {
        self.stop.cancel();
        self.supervisors.close();
        self.supervisors.wait().await;
    }
}
