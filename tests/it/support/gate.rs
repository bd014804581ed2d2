//! Holds AMI bytes back in a [`Proxy`](super::Proxy), so that a test can choose the moment at
//! which the bridge dies.

use std::sync::{Condvar, Mutex};
use std::time::Duration;

/// The bytes that a [`Gate`] holds back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// The action. Asterisk does not receive it.
    Action,
    /// Everything that Asterisk sends after it has received the action.
    Reply,
}

/// The fate of held bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeldBytes {
    Forward,
    /// The gate discards the bytes and closes the connection.
    Discard,
}

/// A gate for the bytes of a proxy's connections. Initially it lets all bytes pass.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Open,
    /// Waits for an action that contains all of these texts.
    Armed(Hold, Vec<String>),
    Holding(Hold),
    Discarding,
}

/// How long [`Gate::wait_until_holding`] waits.
const HOLD_TIMEOUT: Duration = Duration::from_secs(20);

impl Gate {
    /// Makes the gate hold bytes from the next action that contains all of `texts`.
    pub(crate) fn arm(&self, hold: Hold, texts: &[&str]) {
        let texts = texts.iter().map(ToString::to_string).collect();
        *self.state.lock().expect("an unpoisoned lock") = State::Armed(hold, texts);
    }

    /// Waits for the action.
    pub(crate) fn wait_until_holding(&self, action: &str) {
        let state = self.state.lock().expect("an unpoisoned lock");
        let wait = self
            .changed
            .wait_timeout_while(state, HOLD_TIMEOUT, |state| {
                !matches!(state, State::Holding(_))
            });
        let (state, timeout) = wait.expect("an unpoisoned lock");
        assert!(
            !timeout.timed_out(),
            "the bridge did not send {action} within {HOLD_TIMEOUT:?}: {state:?}"
        );
    }

    /// Lets all bytes pass again.
    pub(crate) fn open(&self, held: HeldBytes) {
        let mut state = self.state.lock().expect("an unpoisoned lock");
        *state = match held {
            HeldBytes::Forward => State::Open,
            HeldBytes::Discard => State::Discarding,
        };
        self.changed.notify_all();
    }

    /// Waits while the gate holds these bytes back. Returns whether to forward them.
    pub(super) fn pass(&self, bytes: &[u8], is_from_asterisk: bool) -> bool {
        let mut state = self.state.lock().expect("an unpoisoned lock");
        if !is_from_asterisk {
            let contains = |text: &String| memchr::memmem::find(bytes, text.as_bytes()).is_some();
            if let State::Armed(hold, texts) = &*state
                && texts.iter().all(contains)
            {
                *state = State::Holding(*hold);
                self.changed.notify_all();
            }
        }
        let own_hold = if is_from_asterisk {
            Hold::Reply
        } else {
            Hold::Action
        };
        let is_held = |state: &State| matches!(state, State::Holding(hold) if *hold == own_hold);
        if !is_held(&state) {
            return true;
        }
        let wait = self.changed.wait_while(state, |state| is_held(state));
        let state = wait.expect("an unpoisoned lock");
        !matches!(*state, State::Discarding)
    }
}
