//! The handshake. Reads the greeting, logs in with an MD5 challenge, and waits until Asterisk
//! executes queue actions.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until, timeout};
use tracing::warn;

use super::action::{Action, LoginKey};
use super::codec::{Frame, FrameError, PROXY_VERSION_PREFIX};
use super::connection::Connection;
use super::error::{LoginError, NO_APP_QUEUE, SessionEnd};
use super::message::Message;
use super::refusal::Refusal;
use super::value::{HeaderValue, MemberValue};

/// How long the handshake waits for the `FullyBooted` event before the first probe. An
/// AMI user without `read=system` never receives the event.
const BOOT_EVENT_TIMEOUT: Duration = Duration::from_secs(5);

/// Maximum time for Asterisk to answer a probe.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// Delay between two probes.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);

/// How long to wait for Asterisk to close the connection after a denied probe. Asterisk
/// closes the connection if it was still loading app_queue.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// The queue in the probe. No PBX has a queue with this name.
const PROBE_QUEUE: &str = "ami-bridge-permission-check";

/// The interface in the probe. No queue has a member with this interface.
const PROBE_INTERFACE: &str = "Local/nobody@ami-bridge-permission-check";

/// Facts about Asterisk and the AMI user, determined by the handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// AMI version from the greeting (`11.0.0`), or a proxy's version (`proxy 1.28`).
    pub ami_version: String,
    /// Whether the AMI user may change queues (`write=agent`).
    pub may_write: bool,
    /// Whether Asterisk sent the `FullyBooted` event, which requires `read=system`.
    pub sends_boot_event: bool,
    /// When Asterisk was started and last reloaded; `None` without a `FullyBooted` event.
    pub restarts: Option<Restarts>,
}

/// When Asterisk was started and last reloaded, as `FullyBooted` reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restarts {
    /// Seconds since Asterisk was started (`Uptime`).
    pub uptime_seconds: i64,
    /// Seconds since Asterisk or one of its modules was last reloaded (`LastReload`).
    pub since_reload_seconds: i64,
}

impl Restarts {
    fn of(fully_booted: &Message) -> Option<Self> {
        let seconds = |name| fully_booted.text(name)?.parse().ok();
        Some(Self {
            uptime_seconds: seconds("Uptime")?,
            since_reload_seconds: seconds("LastReload")?,
        })
    }
}

impl Peer {
    /// Returns Asterisk's major version, derived from the AMI version (`5.` is 16, `11.` is
    /// 22). Returns `None` if the AMI version is unknown, or if the greeting is from a proxy.
    #[must_use]
    pub fn asterisk_version(&self) -> Option<u32> {
        let major: u32 = self.ami_version.split('.').next()?.parse().ok()?;
        (2..=12).contains(&major).then_some(major + 11)
    }
}

/// Reads the greeting, logs in, and returns the AMI version. Uses the next two ActionIDs
/// after `last_id`, and updates `last_id`.
pub(crate) async fn login<S: AsyncRead + AsyncWrite>(
    connection: &mut Connection<S>,
    username: &HeaderValue,
    secret: &str,
    last_id: &mut u64,
) -> Result<String, LoginError> {
    let Some(Frame::Banner(version)) = connection.receive().await? else {
        return Err(LoginError::Closed);
    };
    if version.starts_with(PROXY_VERSION_PREFIX) {
        warn!(
            version,
            "the AMI is reached through a proxy: the bridge can't see what the proxy does"
        );
    }
    let response = call(connection, last_id, &Action::Challenge).await?;
    let challenge = response.get("Challenge").filter(|_| response.is_success());
    let Some(challenge) = challenge else {
        return Err(login_error(&response));
    };
    let login = Action::Login {
        username: username.clone(),
        key: LoginKey::new(challenge, secret),
    };
    let response = call(connection, last_id, &login).await?;
    if response.is_success() {
        Ok(version)
    } else {
        Err(login_error(&response))
    }
}

fn login_error(response: &Message) -> LoginError {
    match Refusal::of(response) {
        Some(Refusal::AuthenticationFailed) => LoginError::Rejected,
        Some(Refusal::LoginInUse) => LoginError::AlreadyInUse,
        Some(Refusal::ShuttingDown) => LoginError::ShuttingDown,
        Some(_) => LoginError::Unexpected(response.text("Message").unwrap_or_default().into()),
        None => LoginError::Unexpected("no challenge".to_owned()),
    }
}

/// Sends an action and waits for its response. Ignores events.
async fn call<S: AsyncRead + AsyncWrite>(
    connection: &mut Connection<S>,
    last_id: &mut u64,
    action: &Action,
) -> Result<Message, LoginError> {
    *last_id += 1;
    connection.send(*last_id, action).await?;
    loop {
        match connection.receive().await? {
            Some(Frame::Message(message)) if message.is_response() => return Ok(message),
            Some(Frame::Message(_)) => {}
            Some(Frame::Banner(_)) | None => return Err(LoginError::Closed),
        }
    }
}

/// The AMI user's permissions, determined once Asterisk has booted. [`Peer`] describes the
/// fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Booted {
    pub(crate) may_write: bool,
    pub(crate) sends_boot_event: bool,
    pub(crate) restarts: Option<Restarts>,
}

/// Waits until Asterisk has booted and executes queue actions. There is no time limit as long
/// as Asterisk answers every probe. Calls `on_no_app_queue` once if Asterisk does not know
/// the queue actions yet.
pub(crate) async fn wait_for_boot<S: AsyncRead + AsyncWrite>(
    connection: &mut Connection<S>,
    last_id: &mut u64,
    on_no_app_queue: impl FnOnce(),
) -> Result<Booted, SessionEnd> {
    let boot_event = timeout(BOOT_EVENT_TIMEOUT, fully_booted(connection)).await;
    let boot_event = boot_event.ok().transpose()?;
    let booted = |may_write| Booted {
        may_write,
        sends_boot_event: boot_event.is_some(),
        restarts: boot_event.as_ref().and_then(Restarts::of),
    };
    let mut on_no_app_queue = Some(on_no_app_queue);
    loop {
        let result = timeout(PROBE_TIMEOUT, probe(connection, last_id)).await;
        match result.unwrap_or(Err(SessionEnd::Unresponsive))? {
            ProbeResult::Allowed => return Ok(booted(true)),
            // Asterisk also denies actions while it is loading app_queue, but closes the
            // connection after such a denial.
            ProbeResult::Denied => {
                return match timeout(CLOSE_TIMEOUT, closed(connection)).await {
                    Ok(_) => Err(SessionEnd::StillLoading),
                    Err(_) => Ok(booted(false)),
                };
            }
            ProbeResult::UnknownAction => {
                if let Some(on_no_app_queue) = on_no_app_queue.take() {
                    warn!(
                        reason = NO_APP_QUEUE,
                        "Asterisk does not know the queue actions"
                    );
                    on_no_app_queue();
                }
            }
            ProbeResult::ShuttingDown => {}
        }
        let next_probe = Instant::now() + PROBE_INTERVAL;
        tokio::select! {
            // Reads events during the delay, so that Asterisk is never blocked while
            // writing an event.
            end = closed(connection) => return Err(end),
            () = sleep_until(next_probe) => {}
        }
    }
}

async fn fully_booted<S: AsyncRead + AsyncWrite>(
    connection: &mut Connection<S>,
) -> Result<Message, SessionEnd> {
    loop {
        let message = receive_message(connection).await?;
        if message.event() == Some(b"FullyBooted") {
            return Ok(message);
        }
    }
}

/// Discards messages until the connection closes, and returns the reason.
async fn closed<S: AsyncRead + AsyncWrite>(connection: &mut Connection<S>) -> SessionEnd {
    loop {
        if let Err(end) = receive_message(connection).await {
            return end;
        }
    }
}

async fn receive_message<S: AsyncRead + AsyncWrite>(
    connection: &mut Connection<S>,
) -> Result<Message, SessionEnd> {
    match connection.receive().await? {
        Some(Frame::Message(message)) => Ok(message),
        Some(Frame::Banner(_)) => Err(FrameError::NotAmi.into()),
        None => Err(SessionEnd::Closed),
    }
}

enum ProbeResult {
    /// app_queue executed the action but did not find the queue.
    Allowed,
    Denied,
    /// app_queue is not loaded.
    UnknownAction,
    ShuttingDown,
}

/// Sends a `QueuePause` for an interface and a queue that do not exist. Asterisk changes
/// and logs nothing. Its refusal shows whether app_queue is loaded and whether the AMI
/// user may change queues.
async fn probe<S: AsyncRead + AsyncWrite>(
    connection: &mut Connection<S>,
    last_id: &mut u64,
) -> Result<ProbeResult, SessionEnd> {
    let (Ok(queue), Ok(interface)) = (
        HeaderValue::new(PROBE_QUEUE),
        MemberValue::new(PROBE_INTERFACE),
    ) else {
        unreachable!("both constants are valid values");
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
            Some(Refusal::PermissionDenied) => ProbeResult::Denied,
            Some(Refusal::ShuttingDown) => ProbeResult::ShuttingDown,
            Some(Refusal::UnknownAction) => ProbeResult::UnknownAction,
            _ => ProbeResult::Allowed,
        });
    }
}

#[cfg(test)]
mod tests;
