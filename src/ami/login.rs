//! The handshake: greeting, challenge, login with a digest, and the wait until
//! Asterisk can answer questions about queues.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until, timeout};
use tracing::warn;

use super::action::{Action, LoginKey};
use super::codec::{Frame, FrameError, PROXY};
use super::connection::Connection;
use super::error::{Exit, LoginError, NO_QUEUES};
use super::message::Message;
use super::refusal::Refusal;
use super::value::{HeaderValue, MemberValue};

/// How long to wait for `FullyBooted` before asking for a sign of app_queue: a
/// user without `read=system` never gets the event.
const BOOT_EVENT_WAIT: Duration = Duration::from_secs(5);

/// How long Asterisk has for the answer.
const PROBE_DEADLINE: Duration = Duration::from_secs(5);

/// Between two questions whether app_queue is there.
const BOOT_PROBE_PAUSE: Duration = Duration::from_secs(1);

/// How long Asterisk takes to close a session after it has denied an action
/// that came too early.
const DENIED_THEN_CLOSED: Duration = Duration::from_secs(1);

/// What a link turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// AMI version of the greeting, as `11.0.0`; of a proxy its own, as `proxy 1.28`.
    pub ami_version: String,
    /// Whether the user may change queues (`write=agent`).
    pub may_write: bool,
    /// Whether `FullyBooted` came, which needs `read=system`.
    pub tells_boot: bool,
}

impl Peer {
    /// The generation of Asterisk, from the AMI version (`5.` is 16, `11.` 22).
    #[must_use]
    pub fn generation(&self) -> Option<u32> {
        let major: u32 = self.ami_version.split('.').next()?.parse().ok()?;
        (2..=12).contains(&major).then_some(major + 11)
    }
}

/// Greets and logs in; returns the AMI version. Uses the ActionIDs 1 and 2
/// behind `last_id`.
pub(crate) async fn login<S: AsyncRead + AsyncWrite>(
    connection: &mut Connection<S>,
    username: &HeaderValue,
    secret: &str,
    last_id: &mut u64,
) -> Result<String, LoginError> {
    let Some(Frame::Banner(version)) = connection.receive().await? else {
        return Err(LoginError::Closed);
    };
    if version.starts_with(PROXY) {
        warn!(
            version,
            "the AMI is reached through a proxy: the bridge can't see what that does"
        );
    }
    let answer = call(connection, last_id, &Action::Challenge).await?;
    let Some(challenge) = answer.get("Challenge").filter(|_| answer.is_success()) else {
        return Err(login_error(&answer));
    };
    let login = Action::Login {
        username: username.clone(),
        key: LoginKey::new(challenge, secret),
    };
    let answer = call(connection, last_id, &login).await?;
    if answer.is_success() {
        Ok(version)
    } else {
        Err(login_error(&answer))
    }
}

fn login_error(answer: &Message) -> LoginError {
    match Refusal::of(answer) {
        Some(Refusal::AuthenticationFailed) => LoginError::Rejected,
        Some(Refusal::LoginInUse) => LoginError::AlreadyInUse,
        Some(Refusal::ShuttingDown) => LoginError::ShuttingDown,
        Some(refusal) => LoginError::Unexpected(refusal.to_string()),
        None => LoginError::Unexpected("no challenge".to_owned()),
    }
}

async fn call<S: AsyncRead + AsyncWrite>(
    connection: &mut Connection<S>,
    last_id: &mut u64,
    action: &Action,
) -> Result<Message, LoginError> {
    *last_id += 1;
    connection.send(*last_id, action).await?;
    loop {
        match connection.receive().await? {
            // Only answers are of interest; events may come before one.
            Some(Frame::Message(message)) if message.is_response() => return Ok(message),
            Some(Frame::Message(_)) => {}
            Some(Frame::Banner(_)) | None => return Err(LoginError::Closed),
        }
    }
}

/// Waits until Asterisk is booted and app_queue answers. Returns whether the
/// user may change queues, and whether `FullyBooted` came. A boot may take its
/// time, as long as each question is answered; that there are no queues yet is told
/// once.
pub(crate) async fn boot<S: AsyncRead + AsyncWrite>(
    connection: &mut Connection<S>,
    last_id: &mut u64,
    without_queues: impl FnOnce(),
) -> Result<(bool, bool), Exit> {
    let tells_boot = timeout(BOOT_EVENT_WAIT, fully_booted(connection)).await;
    let tells_boot = match tells_boot {
        Ok(result) => result.map(|()| true)?,
        Err(_) => false,
    };
    let mut without_queues = Some(without_queues);
    loop {
        let answer = timeout(PROBE_DEADLINE, probe(connection, last_id)).await;
        match answer.unwrap_or(Err(Exit::Unresponsive))? {
            Probe::Answered => return Ok((true, tells_boot)),
            Probe::Denied => {
                // Asterisk denies early actions while it loads, and then closes.
                return match timeout(DENIED_THEN_CLOSED, closed(connection)).await {
                    Ok(_) => Err(Exit::StillLoading),
                    Err(_) => Ok((false, tells_boot)),
                };
            }
            Probe::Unknown => {
                if let Some(tell) = without_queues.take() {
                    warn!(reason = NO_QUEUES, "Asterisk has no queues");
                    tell();
                }
            }
            Probe::NotYet => {}
        }
        let until = Instant::now() + BOOT_PROBE_PAUSE;
        tokio::select! {
            // Events in between are read, so that Asterisk never waits.
            error = closed(connection) => return Err(error),
            () = sleep_until(until) => {}
        }
    }
}

async fn fully_booted<S: AsyncRead + AsyncWrite>(
    connection: &mut Connection<S>,
) -> Result<(), Exit> {
    loop {
        let message = receive_message(connection).await?;
        if message.event() == Some(b"FullyBooted") {
            return Ok(());
        }
    }
}

async fn closed<S: AsyncRead + AsyncWrite>(connection: &mut Connection<S>) -> Exit {
    loop {
        if let Err(exit) = receive_message(connection).await {
            return exit;
        }
    }
}

async fn receive_message<S: AsyncRead + AsyncWrite>(
    connection: &mut Connection<S>,
) -> Result<Message, Exit> {
    match connection.receive().await? {
        Some(Frame::Message(message)) => Ok(message),
        Some(Frame::Banner(_)) => Err(FrameError::NotAmi.into()),
        None => Err(Exit::Closed),
    }
}

enum Probe {
    Answered,
    Denied,
    /// There are no such actions.
    Unknown,
    NotYet,
}

/// A QueuePause of a queue and an interface that exist nowhere: it changes and
/// logs nothing, and its refusal tells whether app_queue is there and whether
/// the user may write.
async fn probe<S: AsyncRead + AsyncWrite>(
    connection: &mut Connection<S>,
    last_id: &mut u64,
) -> Result<Probe, Exit> {
    let (Ok(queue), Ok(interface)) = (
        HeaderValue::new(NOWHERE),
        MemberValue::new("Local/nobody@ami-bridge-permission-check"),
    ) else {
        return Ok(Probe::NotYet);
    };
    *last_id += 1;
    let action = Action::QueuePause {
        queue,
        interface,
        paused: false,
        reason: None,
    };
    connection.send(*last_id, &action).await?;
    loop {
        let message = receive_message(connection).await?;
        if !message.is_response() {
            continue;
        }
        return Ok(match Refusal::of(&message) {
            Some(Refusal::PermissionDenied) => Probe::Denied,
            Some(Refusal::ShuttingDown) => Probe::NotYet,
            Some(Refusal::UnknownAction) => Probe::Unknown,
            _ => Probe::Answered,
        });
    }
}

/// A queue name that no PBX has.
const NOWHERE: &str = "ami-bridge-permission-check";
