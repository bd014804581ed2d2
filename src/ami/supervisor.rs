//! Keeps one link up: dial, log in, wait for the boot, serve, back off, again.

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
use super::client::{Client, Link, LinkState};
use super::connection::Connection;
use super::dial::{Stream, dial};
use super::error::{Exit, LoginError};
use super::login::{self, Peer};
use super::observer::Observer;
use super::pending::Request;
use super::session;
use super::tls::TlsSettings;
use super::value::HeaderValue;

/// What is needed to keep a link.
pub struct LinkSettings {
    /// The PBX's name in the configuration.
    pub name: String,
    /// Where the PBX listens for AMI.
    pub address: Address,
    /// AMI user.
    pub username: HeaderValue,
    /// Its secret.
    pub secret: Zeroizing<String>,
    /// Over TLS, where it is wanted.
    pub tls: Option<TlsSettings>,
    /// For connecting and logging in, each.
    pub connect_timeout: Duration,
    /// Exchanges under way at once.
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

/// Makes the handle of a link, and the task that keeps it until `stop`. What it
/// reads is told to the observer.
pub fn supervise(
    settings: LinkSettings,
    observer: impl Observer + 'static,
    stop: CancellationToken,
) -> (Client, impl Future<Output = ()> + Send) {
    let (link, receiver) = watch::channel(Link {
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
        link,
        last_id: 0,
        observer: Box::new(observer),
    };
    (client, supervisor.run(stop).instrument(span))
}

struct Supervisor {
    settings: LinkSettings,
    link: watch::Sender<Link>,
    last_id: u64,
    observer: Box<dyn Observer>,
}

/// Why an attempt to link, or a link, ended.
enum End {
    Unreachable(std::io::Error),
    Login(LoginError),
    Session(Exit),
}

impl Supervisor {
    async fn run(mut self, stop: CancellationToken) {
        let mut backoff = Backoff::default();
        loop {
            let linked = tokio::select! {
                linked = self.establish() => linked,
                () = stop.cancelled() => return,
            };
            let end = match linked {
                Ok((mut connection, peer)) => {
                    let since = Instant::now();
                    let exit = self.serve(&mut connection, peer, &stop).await;
                    backoff.reset_after(Instant::now() - since);
                    End::Session(exit)
                }
                Err(end) => end,
            };
            if stop.is_cancelled() {
                info!("link closed");
                return;
            }
            let delay = match &end {
                // Trying again soon can't help, and Asterisk logs each attempt.
                End::Login(LoginError::Rejected) => Backoff::longest(),
                _ => backoff.next(fastrand::f64()),
            };
            let reason = self.report(&end, delay);
            publish(
                &self.link,
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

    /// From nothing to a session that can be used.
    async fn establish(&mut self) -> Result<(Connection<Box<dyn Stream>>, Peer), End> {
        let limit = self.settings.connect_timeout;
        let dialling = dial(&self.settings.address, self.settings.tls.as_ref());
        let mut connection = timeout(limit, dialling)
            .await
            .unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
            .map_err(End::Unreachable)?;
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
            .map_err(End::Login)?;
        let link = &self.link;
        let without_queues = || publish(link, LinkState::Booting, None);
        let (may_write, tells_boot) =
            login::boot(&mut connection, &mut self.last_id, without_queues)
                .await
                .map_err(End::Session)?;
        let peer = Peer {
            ami_version,
            may_write,
            tells_boot,
        };
        Ok((connection, peer))
    }

    async fn serve(
        &mut self,
        connection: &mut Connection<Box<dyn Stream>>,
        peer: Peer,
        stop: &CancellationToken,
    ) -> Exit {
        info!(
            ami_version = peer.ami_version,
            asterisk = peer.generation(),
            may_write = peer.may_write,
            "link ready"
        );
        if !peer.may_write {
            error!(
                user = self.settings.username.as_str(),
                "the AMI user may not change queues: add write=agent to it in manager.conf, \
                 then manager reload, and restart the bridge"
            );
        }
        if !peer.tells_boot {
            warn!(
                user = self.settings.username.as_str(),
                "no FullyBooted event: add read=agent,system to the AMI user in manager.conf"
            );
        }
        let (sender, requests) = mpsc::unbounded_channel();
        publish(&self.link, LinkState::Ready(peer), Some(sender));
        let mut last_id = self.last_id;
        let exit = session::run(
            connection,
            requests,
            &mut last_id,
            stop,
            &self.link,
            &mut *self.observer,
        )
        .await;
        self.last_id = last_id;
        exit
    }

    /// Says in the log why there is no link, with the cure where one is known.
    fn report(&self, end: &End, delay: Duration) -> String {
        let retry_in_ms = delay.as_millis() as u64;
        let address = self.settings.address.as_str();
        match end {
            End::Unreachable(error) if error.kind() == ErrorKind::InvalidData => {
                error!(address, %error, retry_in_ms, "TLS with Asterisk fails");
                format!("TLS fails: {error}")
            }
            End::Unreachable(error) => {
                warn!(address, %error, retry_in_ms, "Asterisk is not reachable");
                format!(
                    "not reachable ({error}): does Asterisk run, with enabled=yes and this port \
                     in [general] of manager.conf?"
                )
            }
            End::Login(LoginError::Rejected) => {
                error!(
                    address,
                    user = self.settings.username.as_str(),
                    retry_in_ms,
                    "{}",
                    LoginError::Rejected
                );
                LoginError::Rejected.to_string()
            }
            End::Login(error) => {
                warn!(address, %error, retry_in_ms, "login failed");
                error.to_string()
            }
            End::Session(exit) => {
                warn!(address, reason = %exit, retry_in_ms, "link lost");
                exit.to_string()
            }
        }
    }
}

fn publish(
    link: &watch::Sender<Link>,
    state: LinkState,
    requests: Option<mpsc::UnboundedSender<Request>>,
) {
    link.send_replace(Link { state, requests });
}
