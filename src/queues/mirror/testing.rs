//! A PBX for unit tests.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{PauseServices, Pbx, PbxOptions, connect};
use crate::ami::value::HeaderValue;
use crate::ami::{Address, LinkSettings};
use crate::storage::Storage;

/// Creates the handle of an unreachable PBX named `main`, and the future that maintains its
/// link.
pub(crate) fn unreachable_pbx(stop: CancellationToken) -> (Pbx, impl Future<Output = ()> + Send) {
    let link = LinkSettings {
        name: "main".into(),
        address: Address::parse("127.0.0.1:1").expect("an address"),
        username: HeaderValue::new("queuebridge").expect("a valid value"),
        secret: String::new().into(),
        tls: None,
        connect_timeout: Duration::from_secs(1),
        max_pending: 1,
    };
    let options = PbxOptions {
        resync_interval: Duration::from_secs(60),
        serve_stale: true,
        action_timeout: Duration::from_secs(1),
    };
    let (ended, _) = mpsc::unbounded_channel();
    let storage = Storage::in_memory();
    connect(link, options, PauseServices { storage, ended }, stop)
}
