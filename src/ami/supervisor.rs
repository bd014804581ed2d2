//! Keeps one link up: connects, logs in, waits until Asterisk has booted, runs a session,
//! and retries after a delay. Publishes the link's state, and logs why the link is lost.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, error, info, info_span, warn};
use zeroize::Zeroizing;

use super::address::Address;
use super::backoff::Backoff;
use super::client::{Client, LinkState, LinkUpdate};
use super::connection::Connection;
use super::dial::{Stream, dial};
use super::error::{LoginError, SessionEnd};
use super::login::{self, Peer};
use super::observer::Observer;
use super::pending::Request;
use super::session;
use super::tls::TlsSettings;
use super::value::HeaderValue;

/// Settings of a link.
#[derive(Clone)]
pub struct LinkSettings {
    /// The PBX's name in the configuration.
    pub name: String,
    /// Address of the PBX's AMI port.
    pub address: Address,
    /// AMI user name.
    pub username: HeaderValue,
    /// The AMI user's secret.
    pub secret: Zeroizing<String>,
    /// TLS settings; `None` for a connection without TLS.
    pub tls: Option<TlsSettings>,
    /// Timeout for connecting. Logging in has its own timeout of the same length.
    pub connect_timeout: Duration,
    /// Maximum number of pending exchanges.
    pub max_pending: usize,
}

impl std::fmt::Debug for LinkSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LinkSettings")
            .field("name", &self.name)
            .field("address", &self.address)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// Creates a link's handle, and the future that keeps the link up until `stop` is
/// canceled. The observer receives everything that happens on the link.
pub fn supervise(
    settings: LinkSettings,
    observer: impl Observer + 'static,
    stop: CancellationToken,
) -> (Client, impl Future<Output = ()> + Send) {
    let (link_updates, receiver) = watch::channel(LinkUpdate {
        state: LinkState::Connecting,
        requests: None,
    });
    let client = Client::new(
        Arc::from(settings.name.as_str()),
        receiver,
        settings.max_pending,
    );
    let span = info_span!("link", pbx = settings.name);
    let supervisor = Supervisor {
        settings,
        link_updates,
        last_id: 0,
        observer: Box::new(observer),
    };
    (client, supervisor.run(stop).instrument(span))
}

struct Supervisor {
    settings: LinkSettings,
    link_updates: watch::Sender<LinkUpdate>,
    /// The last ActionID that any session of the link has used.
    last_id: u64,
    observer: Box<dyn Observer>,
}

/// The reason connecting failed or the link was lost.
enum LinkFailure {
    Connect(std::io::Error),
    Login(LoginError),
    Session(SessionEnd),
}

impl Supervisor {
    async fn run(mut self, stop: CancellationToken) {
        let mut backoff = Backoff::default();
        loop {
            let connected = tokio::select! {
                connected = self.connect() => connected,
                () = stop.cancelled() => return,
            };
            let failure = match connected {
                Ok((mut connection, peer)) => {
                    let ready_at = Instant::now();
                    let end = self.serve(&mut connection, peer, &stop).await;
                    backoff.reset_if_stable(Instant::now() - ready_at);
                    LinkFailure::Session(end)
                }
                Err(failure) => failure,
            };
            if stop.is_cancelled() {
                info!("link closed");
                return;
            }
            let delay = match &failure {
                // A quick retry would fail again, and Asterisk logs every attempt.
                LinkFailure::Login(LoginError::Rejected) => Backoff::max_delay(),
                _ => backoff.next_delay(fastrand::f64()),
            };
            let reason = self.log_failure(&failure, delay);
            publish(
                &self.link_updates,
                LinkState::Down {
                    next_attempt: Instant::now() + delay,
                    reason,
                },
                None,
            );
            tokio::select! {
                () = sleep(delay) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Connects, logs in, and waits until Asterisk has booted.
    async fn connect(&mut self) -> Result<(Connection<Box<dyn Stream>>, Peer), LinkFailure> {
        let limit = self.settings.connect_timeout;
        let dial = dial(&self.settings.address, self.settings.tls.as_ref());
        let mut connection = timeout(limit, dial)
            .await
            .unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
            .map_err(LinkFailure::Connect)?;
        let settings = &self.settings;
        let login = login::login(
            &mut connection,
            &settings.username,
            &settings.secret,
            &mut self.last_id,
        );
        let ami_version = timeout(limit, login)
            .await
            .unwrap_or(Err(LoginError::TimedOut))
            .map_err(LinkFailure::Login)?;
        let link_updates = &self.link_updates;
        let on_no_app_queue = || publish(link_updates, LinkState::Booting, None);
        let booted = login::wait_for_boot(&mut connection, &mut self.last_id, on_no_app_queue)
            .await
            .map_err(LinkFailure::Session)?;
        let peer = Peer {
            ami_version,
            may_write: booted.may_write,
            sends_boot_event: booted.sends_boot_event,
            restarts: booted.restarts,
        };
        Ok((connection, peer))
    }

    async fn serve(
        &mut self,
        connection: &mut Connection<Box<dyn Stream>>,
        peer: Peer,
        stop: &CancellationToken,
    ) -> SessionEnd {
        info!(
            ami_version = peer.ami_version,
            asterisk = peer.asterisk_version(),
            may_write = peer.may_write,
            "link ready"
        );
        if !peer.may_write {
            error!(
                user = self.settings.username.as_str(),
                "the AMI user may not change queues: add write=agent to the user in manager.conf, \
                 run manager reload, and restart the bridge"
            );
        }
        if !peer.sends_boot_event {
            warn!(
                user = self.settings.username.as_str(),
                "no FullyBooted event: add read=agent,system to the AMI user in manager.conf"
            );
        }
        self.observer.booted(peer.restarts);
        let (sender, requests) = mpsc::unbounded_channel();
        publish(&self.link_updates, LinkState::Ready(peer), Some(sender));
        let mut last_id = self.last_id;
        let end = session::run(
            connection,
            requests,
            &mut last_id,
            stop,
            &self.link_updates,
            &mut *self.observer,
        )
        .await;
        self.last_id = last_id;
        end
    }

    /// Logs why the link is down, and returns the reason as a message for the operator.
    fn log_failure(&self, failure: &LinkFailure, delay: Duration) -> String {
        let retry_in_ms = delay.as_millis() as u64;
        let address = self.settings.address.as_str();
        match failure {
            LinkFailure::Connect(error) if error.kind() == ErrorKind::InvalidData => {
                error!(address, %error, retry_in_ms, "TLS with Asterisk failed");
                format!("TLS failed: {error}")
            }
            LinkFailure::Connect(error) => {
                warn!(address, %error, retry_in_ms, "Asterisk is not reachable");
                format!(
                    "not reachable ({error}): is Asterisk running, with enabled=yes and this port \
                     in [general] of manager.conf?"
                )
            }
            LinkFailure::Login(LoginError::Rejected) => {
                error!(
                    address,
                    user = self.settings.username.as_str(),
                    retry_in_ms,
                    "{}",
                    LoginError::Rejected
                );
                LoginError::Rejected.to_string()
            }
            LinkFailure::Login(error) => {
                warn!(address, %error, retry_in_ms, "login failed");
                error.to_string()
            }
            LinkFailure::Session(end) => {
                warn!(address, reason = %end, retry_in_ms, "link lost");
                end.to_string()
            }
        }
    }
}

fn publish(
    link_updates: &watch::Sender<LinkUpdate>,
    state: LinkState,
    requests: Option<mpsc::UnboundedSender<Request>>,
) {
    link_updates.send_replace(LinkUpdate { state, requests });
}
