//! The simulated PBX on a loopback socket, and the handle by which it is moved.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::conf;
use super::event::Lines;
use super::habits::Habits;
use super::hub::{Hub, State};
use super::pbx::Pbx;
use super::session;

/// What a simulated PBX is like.
#[derive(Debug, Clone)]
pub struct Config {
    pub(super) queues: String,
    pub(super) manager: String,
    pub(super) habits: Habits,
    /// Everything that happens by itself follows from it.
    pub(super) seed: u64,
    /// Sets the scene.
    pub(super) prepare: fn(&mut Pbx),
    /// How long it has been at work already.
    pub(super) head_start: Duration,
}

impl Config {
    /// Queues and AMI users, in the formats of Asterisk's `queues.conf` and
    /// `manager.conf`. Nothing happens by itself there.
    #[must_use]
    pub fn new(queues: &str, manager: &str) -> Self {
        Self {
            queues: queues.to_owned(),
            manager: manager.to_owned(),
            habits: Habits::sample(),
            seed: 1,
            prepare: |_| {},
            head_start: Duration::ZERO,
        }
    }
}

/// What runs from a start to an end.
#[derive(Debug, Clone, Default)]
struct Running {
    /// Ends the listener.
    closed: CancellationToken,
    /// Ends the sessions wherever they are.
    crashed: CancellationToken,
    tasks: TaskTracker,
}

/// A simulated PBX; ends when it is dropped.
#[derive(Debug)]
pub struct Simulator {
    pub(super) hub: Arc<Hub>,
    queues: String,
    address: SocketAddr,
    runtime: Handle,
    life: AbortHandle,
    running: Running,
}

impl Simulator {
    /// Starts one on a free port; its tasks run on the runtime that this is called
    /// on.
    ///
    /// # Errors
    /// There is no port.
    pub async fn start(config: Config) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let pbx = |epoch| {
            let habits = config.habits.clone();
            let mut pbx = Pbx::new(&config.queues, habits, config.seed, epoch);
            (config.prepare)(&mut pbx);
            pbx.advance(config.head_start);
            // Nobody was there to be told.
            pbx.take_events();
            pbx
        };
        let users = conf::users(&config.manager);
        let hub = Arc::new(Hub::new(pbx, users, config.head_start));
        let simulator = Self {
            hub: Arc::clone(&hub),
            queues: config.queues,
            address,
            runtime: Handle::current(),
            running: Running::default(),
            life: tokio::spawn(async move { hub.live().await }).abort_handle(),
        };
        simulator.listen(listener);
        Ok(simulator)
    }

    /// Where AMI is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    fn listen(&self, listener: TcpListener) {
        let (hub, running) = (Arc::clone(&self.hub), self.running.clone());
        let accept = async move {
            let Running {
                closed,
                crashed,
                tasks,
            } = running;
            while let Some(Ok((stream, _))) = closed.run_until_cancelled(listener.accept()).await {
                let (hub, crashed) = (Arc::clone(&hub), crashed.clone());
                tasks.spawn(async move {
                    crashed
                        .run_until_cancelled(session::serve(&hub, stream))
                        .await;
                });
            }
        };
        self.running.tasks.spawn_on(accept, &self.runtime);
    }

    /// Ends at once, as a crash does.
    pub async fn kill(&self) {
        self.running.crashed.cancel();
        self.end().await;
    }

    /// `core stop now`: tells it, and ends.
    pub async fn stop(&self) {
        let body = Lines::default()
            .put("Shutdown", "Cleanly")
            .put("Restart", "False");
        self.hub.with(|state| {
            // Asterisk ends the calls first.
            state.pbx.hang_up_all();
            state.tell_system("Shutdown", &body);
        });
        self.end().await;
    }

    async fn end(&self) {
        self.running.closed.cancel();
        self.hub.with(State::end_sessions);
        self.running.tasks.close();
        self.running.tasks.wait().await;
    }

    /// Starts again on the same port, with the dynamic members that it had.
    ///
    /// # Errors
    /// The port can't be listened on.
    pub async fn start_again(&mut self) -> io::Result<()> {
        self.kill().await;
        self.running = Running::default();
        let listener = TcpListener::bind(self.address).await?;
        self.hub.frozen.send_replace(false);
        self.hub.with(|state| {
            state.stopping = false;
            state.loaded = true;
            state.pbx.restart(&self.queues);
        });
        self.listen(listener);
        Ok(())
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.life.abort();
        self.running.closed.cancel();
        self.running.crashed.cancel();
    }
}
