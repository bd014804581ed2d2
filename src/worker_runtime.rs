//! A tokio runtime with its own thread, for work that must neither wait for other tasks nor
//! delay them.

use std::fmt;
use std::io;

use tokio::runtime::{Builder, Handle, Runtime};

/// A runtime with one thread. Dropping the runtime never blocks, so tasks of other runtimes
/// may drop it.
pub(crate) struct WorkerRuntime {
    handle: Handle,
    /// `None` only during `drop`.
    runtime: Option<Runtime>,
}

impl WorkerRuntime {
    /// Starts the runtime and its thread. `enable_drivers` enables tokio's drivers, for
    /// example [`Builder::enable_all`].
    ///
    /// # Errors
    /// Returns the operating system's error if the runtime can't be started.
    pub(crate) fn start(
        thread_name: &str,
        enable_drivers: fn(&mut Builder) -> &mut Builder,
    ) -> io::Result<Self> {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).thread_name(thread_name);
        let runtime = enable_drivers(&mut builder).build()?;
        Ok(Self {
            handle: runtime.handle().clone(),
            runtime: Some(runtime),
        })
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for WorkerRuntime {
    fn drop(&mut self) {
        // Don't wait for blocking tasks: a name lookup, for example, can't be canceled.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for WorkerRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerRuntime").finish_non_exhaustive()
    }
}
