//! One login to the PBX, and the reading of its queues.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::proposal::{SeenMember, SeenQueue, SeenQueues};
use crate::ami::value::HeaderValue;
use crate::ami::{Address, Client, LinkSettings, LinkState, NO_APP_QUEUE, Peer, supervise};
use crate::distribution::Distribution;
use crate::queues::{Queue, QueueError, QueueQueries};

/// Timeout for connecting, and again for logging in.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Time for Asterisk to boot, in addition to the time for connecting and logging in.
const BOOT_TIMEOUT: Duration = Duration::from_secs(15);

/// Timeout for listing all queues.
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// Maximum number of pending exchanges; setup has only one.
const MAX_PENDING: usize = 16;

/// A login to the PBX.
pub(super) struct Link {
    client: Client,
    stop: CancellationToken,
    supervisor: JoinHandle<()>,
    /// What the login has shown about Asterisk.
    pub(super) peer: Peer,
}

/// An AMI user with which setup has logged in.
pub(super) struct AmiUser {
    pub(super) secret: Zeroizing<String>,
    pub(super) link: Link,
}

impl Link {
    /// Logs in once, without TLS.
    ///
    /// # Errors
    /// Returns the reason if the login fails.
    pub(super) async fn open(
        address: &Address,
        username: &str,
        secret: &Zeroizing<String>,
    ) -> Result<Self, String> {
        let settings = LinkSettings {
            name: "main".to_owned(),
            address: address.clone(),
            username: HeaderValue::new(username)
                .map_err(|error| format!("the AMI user {error}"))?,
            secret: secret.clone(),
            tls: None,
            connect_timeout: CONNECT_TIMEOUT,
            max_pending: MAX_PENDING,
        };
        Self::open_with(settings).await
    }

    /// Logs in once, with these settings.
    ///
    /// # Errors
    /// Returns the reason if the login fails.
    pub(super) async fn open_with(settings: LinkSettings) -> Result<Self, String> {
        let limit = settings.connect_timeout * 2 + BOOT_TIMEOUT;
        let stop = CancellationToken::new();
        let (mut client, supervisor) = supervise(settings, (), stop.clone());
        let supervisor = tokio::spawn(supervisor);
        let reason = match client.wait_until_settled(limit).await {
            LinkState::Ready(peer) => {
                return Ok(Self {
                    client,
                    stop,
                    supervisor,
                    peer,
                });
            }
            LinkState::Down { reason, .. } => reason,
            LinkState::ShuttingDown => "Asterisk is shutting down".to_owned(),
            LinkState::Booting => NO_APP_QUEUE.to_owned(),
            LinkState::Connecting => "no answer".to_owned(),
        };
        stop.cancel();
        let _ = supervisor.await;
        Err(reason)
    }

    /// Lists the queues and their members, on a PBX of this distribution.
    ///
    /// # Errors
    /// Returns the reason if Asterisk does not list them.
    pub(super) async fn read_queues(
        &self,
        distribution: Distribution,
    ) -> Result<SeenQueues, QueueError> {
        let deadline = Instant::now() + READ_TIMEOUT;
        let queries = QueueQueries::new(self.client.begin_internal(deadline, "setup")?);
        let names = queries.names().await?;
        let queues = queries.all_queues().await?;
        let queues = queues.iter().map(seen_queue).collect();
        Ok(SeenQueues::new(queues, names.unusable_names, distribution))
    }

    /// Logs off.
    pub(super) async fn close(self) {
        self.stop.cancel();
        let _ = self.supervisor.await;
    }
}

fn seen_queue(queue: &Queue) -> SeenQueue {
    let members = queue.members.iter().map(|member| SeenMember {
        interface: member.interface.to_string(),
        state_interface: member.state_interface.to_string(),
    });
    SeenQueue {
        name: queue.name.to_string(),
        members: members.collect(),
    }
}

/// Returns the address from which this machine connects to the PBX, or `None` if there is no route
/// to it. Sends nothing.
pub(super) fn own_address(pbx: &Address) -> Option<IpAddr> {
    address_towards(pbx.as_str().to_socket_addrs().ok()?.next()?)
}

/// Returns the address from which this machine connects to another one, or `None` if there is no
/// route to it. Sends nothing.
pub(super) fn address_towards(remote: SocketAddr) -> Option<IpAddr> {
    let any: IpAddr = match remote {
        SocketAddr::V4(_) => [0; 4].into(),
        SocketAddr::V6(_) => [0; 16].into(),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(remote).ok()?;
    Some(socket.local_addr().ok()?.ip())
}
