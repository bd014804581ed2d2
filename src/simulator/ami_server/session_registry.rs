//! The open AMI sessions, and event delivery to them.

use tokio::sync::mpsc;

use crate::simulator::event::AmiEvent;

/// The maximum number of undelivered events for each session. Asterisk has no such limit, but
/// closes a session that reads nothing for a tenth of a second.
const EVENT_QUEUE_CAPACITY: usize = 20_000;

/// Identifies an open session.
pub(crate) type SessionId = u64;

/// The open AMI sessions.
#[derive(Debug, Default)]
pub(crate) struct SessionRegistry {
    sessions: Vec<OpenSession>,
    last_id: SessionId,
}

#[derive(Debug)]
struct OpenSession {
    id: SessionId,
    /// The logged-in user.
    user: Option<String>,
    /// The event classes that the session receives, as Asterisk's bits.
    event_mask: u32,
    events: mpsc::Sender<String>,
}

impl SessionRegistry {
    /// Opens a session. Returns its ID, and a receiver for its events, which ends when the
    /// session is closed.
    pub(crate) fn open(&mut self) -> (SessionId, mpsc::Receiver<String>) {
        let (events, receiver) = mpsc::channel(EVENT_QUEUE_CAPACITY);
        self.last_id += 1;
        self.sessions.push(OpenSession {
            id: self.last_id,
            user: None,
            event_mask: 0,
            events,
        });
        (self.last_id, receiver)
    }

    pub(crate) fn close(&mut self, id: SessionId) {
        self.sessions.retain(|session| session.id != id);
    }

    pub(crate) fn close_all(&mut self) {
        self.sessions.clear();
    }

    pub(crate) fn set_user(&mut self, id: SessionId, user: &str) {
        if let Some(session) = self.session_mut(id) {
            session.user = Some(user.to_owned());
        }
    }

    pub(crate) fn set_event_mask(&mut self, id: SessionId, event_mask: u32) {
        if let Some(session) = self.session_mut(id) {
            session.event_mask = event_mask;
        }
    }

    /// Returns the users of the logged-in sessions.
    pub(crate) fn users(&self) -> Vec<String> {
        let sessions = self.sessions.iter();
        sessions
            .filter_map(|session| session.user.clone())
            .collect()
    }

    /// Sends an event to every session that receives its class. Closes a session whose
    /// event queue is full.
    pub(crate) fn deliver(&mut self, event: &AmiEvent) {
        self.sessions.retain(|session| {
            session.event_mask & event.class.bit() == 0
                || session.events.try_send(event.text.clone()).is_ok()
        });
    }

    fn session_mut(&mut self, id: SessionId) -> Option<&mut OpenSession> {
        self.sessions.iter_mut().find(|session| session.id == id)
    }
}
