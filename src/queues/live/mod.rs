//! The live state of a PBX's queues: reads from memory.
//!
//! It is seeded when the link comes up, follows Asterisk's events, and is asked
//! about again in turn, queue by queue, for what events don't tell. Callers and
//! figures are asked for when someone looks. Whoever was told that a change is
//! done sees it done.
//!
//! [`mirror`] is the state and its rules, [`keeper`] asks what is to be asked,
//! [`Live`] answers readers, [`Follower`] tells of changes.

mod answers;
mod clock;
mod delivery;
mod doubt;
mod drift;
mod entry;
mod event;
mod events;
mod figures;
mod follower;
mod journal;
mod keeper;
mod lists;
mod member_list;
mod memberships;
mod metrics;
mod mirror;
mod now;
mod order;
mod queries;
mod reader;
mod reported;
mod shared;
mod size;
mod wanted;
mod watched;
mod write;

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{Instrument, info_span};

use crate::ami::{LinkSettings, supervise};

pub use clock::{TOLERATED_OFFSET, clock_offset};
pub use delivery::Delivery;
pub use follower::Follower;
pub use journal::{Change, MemberChange};
pub use metrics::{Metrics, SECONDS};
pub use reader::{Live, Question};
use shared::{Feed, Shared};
pub use watched::Shows;

/// How the live state is kept.
#[derive(Debug, Clone, Copy)]
pub struct LiveSettings {
    /// Every queue is asked about once within this time.
    pub resync_interval: Duration,
    /// Whether to tell what was last known while the link is down.
    pub serve_stale: bool,
}

/// Makes the live state of a PBX, and the task that keeps it and its link until
/// `stop`.
pub fn keep(
    link: LinkSettings,
    settings: LiveSettings,
    stop: CancellationToken,
) -> (Live, impl Future<Output = ()> + Send) {
    let shared = Shared::new();
    let span = info_span!("live", pbx = link.name);
    let (client, supervisor) = supervise(link, Feed(shared.clone()), stop.clone());
    let keeper = keeper::keep(
        shared.clone(),
        client.clone(),
        settings.resync_interval,
        stop,
    );
    let live = Live::new(shared, client, settings.serve_stale);
    let tasks = async move {
        tokio::join!(tokio::spawn(supervisor), keeper.instrument(span))
            .0
            .ok();
    };
    (live, tasks)
}
