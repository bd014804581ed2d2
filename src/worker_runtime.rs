//! A tokio runtime with its own thread, for work that must not wait for other tasks or make
//! them wait.

use std::fmt;
use std::io;

use tokio::runtime::{Builder, Handle, Runtime};

/// A runtime with one thread. Dropping it never blocks, so a task of another runtime may
/// drop it.
pub(crate) struct WorkerRuntime {
    handle: Handle,
    /// `None` only while this is dropped.
    runtime: Option<Runtime>,
}

impl WorkerRuntime {
    /// Starts the thread. `enable` selects the drivers, for example
    /// [`Builder::enable_all`].
    ///
    /// # Errors
    /// The operating system's error if it can't start the thread.
    pub(crate) fn start(
        thread_name: &str,
        enable: fn(&mut Builder) -> &mut Builder,
    ) -> io::Result<Self> {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).thread_name(thread_name);
        let runtime = enable(&mut builder).build()?;
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
        // Does not wait for blocking tasks: a name lookup can't be canceled.
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
