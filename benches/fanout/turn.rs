//! One turn of one side: opens all streams, makes the changes, and measures the server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::Result;
use crate::changes::Changes;
use crate::process::Server;
use crate::stats::percentile;
use crate::streams::{Client, Received, Recorded, Streams};

/// The server of a side, and what its clients request.
pub(crate) struct Side {
    pub(crate) server: Server,
    pub(crate) address: SocketAddr,
    pub(crate) clients: Vec<Client>,
    /// A text that each stream receives before any change.
    pub(crate) first_text: &'static str,
}

/// The measurements of one turn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TurnResult {
    pub(crate) opened_within: Duration,
    pub(crate) open_cpu: Duration,
    pub(crate) flow_cpu: Duration,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) kilobytes_per_stream: f64,
    /// How much the memory has grown while events flowed.
    pub(crate) kilobytes_grown: f64,
    pub(crate) lost: u64,
    /// The number of changes that streams showed after a later one.
    pub(crate) late: u64,
    /// The number of streams that showed another snapshot.
    pub(crate) snapshots: u64,
}

/// Runs a turn. `send` makes the changes. Also returns what the first stream received.
pub(crate) fn run(
    side: Side,
    changes: &Arc<Changes>,
    duration: Duration,
    send: impl FnOnce() -> Result<()> + Send,
) -> Result<(TurnResult, Vec<Recorded>)> {
    let count = side.clients.len();
    let (cpu_at_start, memory_at_start) = (side.server.cpu()?, side.server.kilobytes()?);
    let streams = Streams::open(side.address, side.clients, side.first_text)?;
    let opened_within = streams.opened_within;
    let (cpu_when_open, memory_when_open) = (side.server.cpu()?, side.server.kilobytes()?);
    let received = thread::scope(|scope| {
        let sending = scope.spawn(send);
        let received = streams.follow(changes, duration);
        sending.join().map_err(|_| "the sender has panicked")??;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(received)
    })?;
    let flow_cpu = side.server.cpu()?.saturating_sub(cpu_when_open);
    let Received {
        mut times,
        lost,
        late,
        snapshots,
        recorded,
    } = received;
    let result = TurnResult {
        opened_within,
        open_cpu: cpu_when_open.saturating_sub(cpu_at_start),
        flow_cpu,
        p50: percentile(&mut times, 50),
        p99: percentile(&mut times, 99),
        kilobytes_per_stream: (memory_when_open - memory_at_start) / count as f64,
        kilobytes_grown: side.server.kilobytes()? - memory_when_open,
        lost,
        late,
        snapshots,
    };
    eprintln!(
        "  opened within {:.2?}, CPU {:.2?} for opening and {:.2?} for events, p99 {:.0?}, {:.1} KB \
         a stream and then {:.0} KB, {lost} lost, {late} late, {snapshots} snapshots",
        result.opened_within,
        result.open_cpu,
        result.flow_cpu,
        result.p99,
        result.kilobytes_per_stream,
        result.kilobytes_grown,
    );
    Ok((result, recorded))
}
