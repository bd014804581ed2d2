//! A mirror of a PBX's queues: reads from memory.
//!
//! The mirror is loaded when the link comes up and follows Asterisk's events. Every queue
//! is listed again periodically, because Asterisk sends no event for some changes. Callers
//! and statistics are queried when someone reads them. A client that has received the
//! response to a change sees that change in its next read.
//!
//! [`state`] is the mirror and its rules, [`refresher`] keeps the mirror current, [`Pbx`]
//! answers reads, [`PbxRequest`] makes changes, and [`Follower`] follows changes.

mod follower;
mod metrics;
mod pbx;
mod prepare_read;
mod read;
mod read_request;
mod refresher;
mod request;
mod settings;
mod state;
mod statistics_refresh;
mod status;
mod store;

use tokio_util::sync::CancellationToken;
use tracing::{Instrument, info_span};

use self::refresher::Refresher;
use self::store::{Feed, Store};
use crate::ami::{LinkSettings, supervise};

pub use follower::Follower;
pub use metrics::{LATENCY_BOUNDS, Metrics};
pub use pbx::{Pbx, Pbxes};
pub use read_request::ReadRequest;
pub use request::{PauseAttempt, PbxRequest};
pub use settings::PbxOptions;
pub use state::{
    EventDelivery, MemberChange, ShowsQueue, StateChange, TOLERATED_OFFSET, clock_offset,
};
pub use status::PbxStatus;

/// Creates the handle of a PBX, and the task that maintains its link and its mirror until
/// `stop`.
pub fn connect(
    link: LinkSettings,
    settings: PbxOptions,
    stop: CancellationToken,
) -> (Pbx, impl Future<Output = ()> + Send) {
    let store = Store::new();
    let span = info_span!("live", pbx = link.name);
    let (client, supervisor) = supervise(link, Feed(store.clone()), stop.clone());
    let refresher = Refresher::new(store.clone(), client.clone(), settings.resync_interval);
    let pbx = Pbx::new(store, client, settings);
    let tasks = async move {
        let refresher = stop.run_until_cancelled(refresher.run());
        // The supervisor runs as a separate task, so that a slow refresh never delays it.
        let (supervisor, _) = tokio::join!(tokio::spawn(supervisor), refresher.instrument(span));
        supervisor.ok();
    };
    (pbx, tasks)
}
