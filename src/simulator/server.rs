//! Runs a simulated PBX: its timers, its listener and its AMI connections.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::ami_server::{ServerState, SharedPbx, parse_users, serve_connection};
use super::config::Config;
use super::headers::Headers;

/// A running simulated PBX. Dropping it stops all its tasks.
#[derive(Debug)]
pub struct Simulator {
    pub(super) pbx: Arc<SharedPbx>,
    queues_conf: String,
    address: SocketAddr,
    runtime: Handle,
    timer_task: AbortHandle,
    connections: Connections,
}

/// The listener and the connections between one start and stop of the PBX.
#[derive(Debug, Clone, Default)]
struct Connections {
    /// Canceled to close the listener.
    stop_listening: CancellationToken,
    /// Canceled to drop every connection immediately.
    abort: CancellationToken,
    tasks: TaskTracker,
}

impl Simulator {
    /// Starts a simulated PBX. Its tasks run on the current tokio runtime.
    ///
    /// # Errors
    /// Returns an error if the port can't be bound.
    pub async fn start(config: Config) -> io::Result<Self> {
        let listener = TcpListener::bind(config.listen).await?;
        let address = listener.local_addr()?;
        let unix_time = SystemTime::now().duration_since(UNIX_EPOCH);
        let start_time = unix_time.unwrap_or_default().saturating_sub(config.elapsed);
        let mut pbx = config.build_pbx(start_time);
        pbx.advance(config.elapsed);
        // Discard these events, because no session is connected yet.
        pbx.take_events();
        let state = ServerState::new(pbx, parse_users(&config.manager_conf));
        let pbx = Arc::new(SharedPbx::new(state, config.elapsed));
        let timers = Arc::clone(&pbx);
        let simulator = Self {
            pbx,
            queues_conf: config.queues_conf,
            address,
            runtime: Handle::current(),
            connections: Connections::default(),
            timer_task: tokio::spawn(async move { timers.run_timers().await }).abort_handle(),
        };
        simulator.listen(listener);
        Ok(simulator)
    }

    /// Returns the address of the AMI port.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn listen(&self, listener: TcpListener) {
        let (pbx, connections) = (Arc::clone(&self.pbx), self.connections.clone());
        let accept_loop = async move {
            let Connections {
                stop_listening,
                abort,
                tasks,
            } = connections;
            while let Some(Ok((stream, _))) =
                stop_listening.run_until_cancelled(listener.accept()).await
            {
                let (pbx, abort) = (Arc::clone(&pbx), abort.clone());
                tasks.spawn(async move {
                    abort
                        .run_until_cancelled(serve_connection(&pbx, stream))
                        .await;
                });
            }
        };
        self.connections.tasks.spawn_on(accept_loop, &self.runtime);
    }

    /// Stops the PBX immediately, like a crash: sessions receive no Shutdown event.
    pub async fn kill(&self) {
        self.connections.abort.cancel();
        self.close_connections().await;
    }

    /// Stops the PBX like `core stop now`: hangs up all calls, sends a Shutdown event
    /// and closes the connections.
    pub async fn stop(&self) {
        let headers = Headers::default()
            .with("Shutdown", "Cleanly")
            .with("Restart", "False");
        self.pbx.with_state(|state| {
            // Asterisk hangs up all calls before it sends the event.
            state.pbx.hang_up_all();
            state.emit_system_event("Shutdown", &headers);
        });
        self.close_connections().await;
    }

    async fn close_connections(&self) {
        self.connections.stop_listening.cancel();
        self.pbx.with_state(ServerState::close_sessions);
        self.connections.tasks.close();
        self.connections.tasks.wait().await;
    }

    /// Kills the PBX if it is running, and starts it again on the same port. Dynamic members
    /// are retained, as Asterisk retains them in its database.
    ///
    /// # Errors
    /// Returns an error if the port can't be bound.
    pub async fn restart(&mut self) -> io::Result<()> {
        self.kill().await;
        self.connections = Connections::default();
        let listener = TcpListener::bind(self.address).await?;
        self.pbx.set_frozen(false);
        self.pbx.with_state(|state| {
            state.is_shutting_down = false;
            state.is_app_queue_loaded = true;
            state.pbx.restart(&self.queues_conf);
        });
        self.listen(listener);
        Ok(())
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.timer_task.abort();
        self.connections.stop_listening.cancel();
        self.connections.abort.cancel();
    }
}
