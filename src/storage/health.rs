//! Whether the database works. Logs when that changes.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::{error, info};

use super::lock;

/// Whether the storage works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorageStatus {
    /// The storage is in memory, so nothing survives a restart.
    Memory,
    /// The storage is on disk and works.
    Ready,
    /// The storage is on disk and does not work now.
    Unavailable {
        /// The reason, for example `/var/lib/ami-bridge/state.db: database or disk is full`.
        reason: String,
    },
}

#[derive(Debug, Default)]
pub(super) struct Health {
    state: Mutex<State>,
    errors: AtomicU64,
    database_number: AtomicU64,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Opening,
    Ready,
    Unavailable(String),
}

impl Health {
    /// Counts an error and sets the reason. Logs the reason unless the storage was already
    /// unavailable.
    pub(super) fn fail(&self, reason: String) {
        self.errors.fetch_add(1, Ordering::Relaxed);
        let mut state = lock(&self.state);
        if !matches!(*state, State::Unavailable(_)) {
            error!(
                reason,
                "the state can't be stored: pauses with an end are refused until it can"
            );
        }
        *state = State::Unavailable(reason);
    }

    /// Notes that the database works. Logs that if the storage was unavailable.
    pub(super) fn recover(&self) {
        let mut state = lock(&self.state);
        if matches!(*state, State::Unavailable(_)) {
            info!("the state can be stored again");
        }
        *state = State::Ready;
    }

    pub(super) fn status(&self) -> StorageStatus {
        match &*lock(&self.state) {
            State::Opening => StorageStatus::Unavailable {
                reason: "the database is being opened".to_owned(),
            },
            State::Ready => StorageStatus::Ready,
            State::Unavailable(reason) => StorageStatus::Unavailable {
                reason: reason.clone(),
            },
        }
    }

    /// Returns the reason if the last attempt to use the database failed. While the database is
    /// being opened for the first time, returns `None`.
    pub(super) fn unavailable_reason(&self) -> Option<String> {
        match &*lock(&self.state) {
            State::Unavailable(reason) => Some(reason.clone()),
            State::Opening | State::Ready => None,
        }
    }

    /// Notes that the database is a new file, or another one.
    pub(super) fn count_database(&self) {
        self.database_number.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn database_number(&self) -> u64 {
        self.database_number.load(Ordering::Relaxed)
    }

    pub(super) fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }
}
