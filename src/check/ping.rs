//! Measures a PBX's round-trip time and clock offset.

use std::time::{SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use super::report::{PbxReport, Report};
use crate::ami::{Action, Client};
use crate::queues::mirror::{TOLERATED_OFFSET, clock_offset};

/// Sends a `Ping`. Warns if the PBX's clock differs too much from the local clock.
pub(super) async fn check(
    client: &Client,
    deadline: Instant,
    pbx: &mut PbxReport,
    report: &mut Report,
) {
    let Ok(exchange) = client.begin(deadline, "check") else {
        return;
    };
    let sent_at = Instant::now();
    let Ok(reply) = exchange.send(Action::Ping).await else {
        return;
    };
    let round_trip = sent_at.elapsed();
    pbx.latency_ms = Some(round_trip.as_secs_f64() * 1000.0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let offset = clock_offset(&reply.response, round_trip, now.unwrap_or_default());
    pbx.clock_offset_seconds = offset.map(|offset| (offset * 1000.0).round() / 1000.0);
    if let Some(offset) = pbx.clock_offset_seconds
        && offset.abs() > TOLERATED_OFFSET
    {
        report.warn(format!(
            "pbx {}: the PBX's clock is {:.1} s {} this machine's clock; the bridge converts \
             times, but NTP should set both clocks",
            pbx.name,
            offset.abs(),
            if offset > 0.0 { "ahead of" } else { "behind" }
        ));
    }
}
