//! Reads all queues in one request: lists of many megabytes, at a few per second. wrk counts only
//! responses that are complete when its time is up, so its rates would be too coarse here. These
//! clients complete their last request.

use std::thread;
use std::time::{Duration, Instant};

use crate::http::Connection;
use crate::read_queue::{verify, verify_size};
use crate::report::{Quantity, Row, Target};
use crate::test_bed::{Read, TestBed, to_bridge, to_rawman};
use crate::turn_result::{SideResults, TurnResult};
use crate::wrk::Requests;
use crate::{Result, interrupt};

pub(crate) const ALL: Read = Read {
    all: true,
    fresh: false,
};

pub(crate) fn measure(bed: &TestBed, name: String, clients: usize) -> Result<Vec<Row>> {
    let sizes = verify(bed, ALL)?;
    let (mut bridge, mut rawman) = (SideResults::default(), SideResults::default());
    for round in 1..=bed.rounds {
        interrupt::check()?;
        let running = bed.start_bridge()?;
        let requests = to_bridge(&running, vec![bed.bridge_read(ALL)]);
        let result = run_clients(&requests, clients, bed.turn_duration)?;
        drop(running);
        verify_size("the bridge", &result, sizes.bridge)?;
        bridge.push(result);
        bed.pbx.wait_until_idle()?;

        let _idle_bridge = bed.idle_bridge()?;
        let session = bed.login_to_rawman()?;
        let requests = to_rawman(&session, vec![bed.rawman_read(ALL)]);
        let result = run_clients(&requests, clients, bed.turn_duration)?;
        verify_size("rawman", &result, sizes.rawman)?;
        rawman.push(result);
        bed.pbx.wait_until_idle()?;
        let rates = [&bridge, &rawman].map(|turns| turns.last(TurnResult::rate));
        eprintln!("  round {round}: bridge, rawman: {rates:.2?} a second");
    }
    Ok(vec![Row {
        cell: name,
        bridge: bridge.rates(),
        rawman: rawman.rates(),
        bare: "–".to_owned(),
        result: Quantity::Ratio(bridge.ratio_to(&rawman, TurnResult::rate)),
        target: Target::AtLeast(Some(4.0), Some(10.0)),
    }])
}

/// The responses that one client received.
#[derive(Default)]
struct ClientResult {
    times: Vec<Duration>,
    bytes: u64,
}

/// Runs clients, each of which sends its next request after it has received the previous response.
/// Derives the rate from their average response time.
fn run_clients(requests: &Requests, clients: usize, duration: Duration) -> Result<TurnResult> {
    let results: Result<Vec<ClientResult>> = thread::scope(|scope| {
        let clients: Vec<_> = (0..clients)
            .map(|_| scope.spawn(|| run_client(requests, duration)))
            .collect();
        let ends = clients.into_iter().map(|client| client.join());
        ends.map(|end| end.map_err(|_| "a client panicked")?)
            .collect()
    });
    let mut times = Vec::new();
    let mut bytes = 0;
    for result in results? {
        times.extend(result.times);
        bytes += result.bytes;
    }
    let waited: Duration = times.iter().sum();
    Ok(TurnResult {
        bytes,
        ..TurnResult::new(times, waited.div_f64(clients as f64))
    })
}

fn run_client(requests: &Requests, duration: Duration) -> Result<ClientResult> {
    let mut connection = Connection::open(requests.address)?;
    let mut result = ClientResult::default();
    let begin = Instant::now();
    while begin.elapsed() < duration {
        let sent = Instant::now();
        result.bytes += connection.get_size(&requests.targets[0], &requests.header)?;
        result.times.push(sent.elapsed());
    }
    Ok(result)
}
