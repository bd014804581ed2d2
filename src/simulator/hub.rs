//! What the sessions share: the PBX, its users, and who gets its events.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;

use super::conf::User;
use super::event::{Class, Event, Lines};
use super::pbx::Pbx;

/// Events that may wait for a session. Asterisk has no such limit, but ends a
/// session that does not read for a tenth of a second.
const WAITING: usize = 20_000;

/// Shared by everything that runs.
#[derive(Debug)]
pub(super) struct Hub {
    state: Mutex<State>,
    begun: Instant,
    /// The time of the PBX at that moment.
    head_start: Duration,
    /// Something new may be due.
    pub(super) changed: Notify,
    /// Nothing moves while it is true, as on a machine that hangs.
    pub(super) frozen: watch::Sender<bool>,
}

/// The state behind the lock.
#[derive(Debug)]
pub(super) struct State {
    pub(super) pbx: Pbx,
    pub(super) users: Vec<User>,
    sessions: Vec<Session>,
    last_session: u64,
    /// app_queue is loaded.
    pub(super) loaded: bool,
    /// `core stop gracefully` waits for the last call.
    pub(super) stopping: bool,
}

/// A session, as the PBX sees it.
#[derive(Debug)]
struct Session {
    id: u64,
    user: Option<String>,
    /// The classes of events that it gets.
    mask: u32,
    events: mpsc::Sender<String>,
}

impl Hub {
    pub(super) fn new(
        pbx: impl FnOnce(Duration) -> Pbx,
        users: Vec<User>,
        head_start: Duration,
    ) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default();
        let state = State {
            pbx: pbx(now.saturating_sub(head_start)),
            users,
            sessions: Vec::new(),
            last_session: 0,
            loaded: true,
            stopping: false,
        };
        Self {
            state: Mutex::new(state),
            begun: Instant::now(),
            head_start,
            changed: Notify::new(),
            frozen: watch::Sender::new(false),
        }
    }

    /// Works on the state of now; the events of that go to the sessions.
    pub(super) fn with<R>(&self, work: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.lock();
        state.pbx.advance(self.now());
        let result = work(&mut state);
        state.deliver();
        self.changed.notify_one();
        result
    }

    /// The time of the PBX.
    fn now(&self) -> Duration {
        self.head_start + self.begun.elapsed()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets happen what is due; when the next thing is.
    fn run(&self) -> Option<Instant> {
        let mut state = self.lock();
        state.pbx.advance(self.now());
        state.deliver();
        let due = state.pbx.next_due()?;
        Some(self.begun + due.saturating_sub(self.head_start))
    }

    /// Lets everything happen in its time.
    pub(super) async fn live(&self) {
        let mut frozen = self.frozen.subscribe();
        loop {
            // The sender lives as long as self.
            let _ = frozen.wait_for(|frozen| !frozen).await;
            let next = self.run();
            let due = async {
                match next {
                    Some(due) => tokio::time::sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = due => {}
                () = self.changed.notified() => {}
            }
        }
    }
}

impl State {
    /// A session begins.
    pub(super) fn open(&mut self) -> (u64, mpsc::Receiver<String>) {
        let (events, receiver) = mpsc::channel(WAITING);
        self.last_session += 1;
        self.sessions.push(Session {
            id: self.last_session,
            user: None,
            mask: 0,
            events,
        });
        (self.last_session, receiver)
    }

    pub(super) fn close(&mut self, id: u64) {
        self.sessions.retain(|session| session.id != id);
    }

    pub(super) fn set_user(&mut self, id: u64, user: &str) {
        for session in self.sessions.iter_mut().filter(|session| session.id == id) {
            session.user = Some(user.to_owned());
        }
    }

    pub(super) fn set_mask(&mut self, id: u64, mask: u32) {
        for session in self.sessions.iter_mut().filter(|session| session.id == id) {
            session.mask = mask;
        }
    }

    /// The users of the sessions that are logged in.
    pub(super) fn connected(&self) -> Vec<String> {
        let sessions = self.sessions.iter();
        sessions
            .filter_map(|session| session.user.clone())
            .collect()
    }

    /// Ends every session when it has got what was told it.
    pub(super) fn end_sessions(&mut self) {
        self.deliver();
        self.sessions.clear();
    }

    fn deliver(&mut self) {
        for event in self.pbx.take_events() {
            self.sessions.retain(|session| {
                session.mask & event.class.bit() == 0
                    || session.events.try_send(event.text.clone()).is_ok()
            });
        }
    }

    /// Tells of a module, as of a boot or an end.
    pub(super) fn tell_system(&mut self, name: &str, body: &Lines) {
        self.pbx.tell(Event::system(name, body));
    }

    /// The event that greets a user who may read the class.
    pub(super) fn fully_booted(&self) -> String {
        let uptime = self.pbx.now.as_secs();
        let body = Lines::default()
            .put("Uptime", uptime)
            .put("LastReload", uptime)
            .put("Status", "Fully Booted");
        Event::new("FullyBooted", Class::System, &body).text
    }

    /// What Ping answers: seconds and microseconds.
    pub(super) fn timestamp(&self) -> String {
        let time = self.pbx.time();
        format!("{}.{:06}", time.as_secs(), time.subsec_micros())
    }
}
