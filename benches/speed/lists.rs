//! Reading every queue at once: lists of many megabytes, a few in a second. wrk
//! counts only answers that are complete when its time is up, which would be too
//! coarse here; these clients finish what they began.

use std::thread;
use std::time::{Duration, Instant};

use crate::http::Connection;
use crate::load::{Load, Turns};
use crate::reads::{must_be_whole, verify};
use crate::report::{Figure, Row, Target};
use crate::world::{Read, World, to_bridge, to_rawman};
use crate::wrk::Requests;
use crate::{Result, stop};

pub(crate) const ALL: Read = Read {
    all: true,
    fresh: false,
};

pub(crate) fn measure(world: &World, name: String, clients: usize) -> Result<Vec<Row>> {
    let sizes = verify(world, ALL)?;
    let (mut bridge, mut rawman) = (Turns::default(), Turns::default());
    for round in 1..=world.rounds {
        stop::check()?;
        let running = world.bridge()?;
        let requests = to_bridge(&running, vec![world.bridge_read(ALL)]);
        let load = read(&requests, clients, world.round)?;
        drop(running);
        must_be_whole("the bridge", &load, sizes.bridge)?;
        bridge.push(load);
        world.pbx.settle()?;

        let _bystander = world.bystander()?;
        let session = world.rawman()?;
        let requests = to_rawman(&session, vec![world.rawman_read(ALL)]);
        let load = read(&requests, clients, world.round)?;
        must_be_whole("rawman", &load, sizes.rawman)?;
        rawman.push(load);
        world.pbx.settle()?;
        let rates = [&bridge, &rawman].map(|turns| turns.last(Load::rate));
        eprintln!("  round {round}: bridge, rawman: {rates:.2?} a second");
    }
    Ok(vec![Row {
        cell: name,
        bridge: bridge.rates(),
        rawman: rawman.rates(),
        bare: "–".to_owned(),
        figure: Figure::Ratio(bridge.against(&rawman, Load::rate)),
        target: Target::AtLeast(Some(4.0), Some(10.0)),
    }])
}

/// What one client saw.
#[derive(Default)]
struct Seen {
    times: Vec<Duration>,
    bytes: u64,
}

/// So many clients, each asking anew once it has its answer. The rate is that of
/// clients who wait as long as these did on average.
fn read(requests: &Requests, clients: usize, duration: Duration) -> Result<Load> {
    let seen: Result<Vec<Seen>> = thread::scope(|scope| {
        let clients: Vec<_> = (0..clients)
            .map(|_| scope.spawn(|| read_on(requests, duration)))
            .collect();
        let ends = clients.into_iter().map(|client| client.join());
        ends.map(|end| end.map_err(|_| "a client panicked")?)
            .collect()
    });
    let mut times = Vec::new();
    let mut bytes = 0;
    for seen in seen? {
        times.extend(seen.times);
        bytes += seen.bytes;
    }
    let waited: Duration = times.iter().sum();
    Ok(Load {
        bytes,
        ..Load::of(times, waited.div_f64(clients as f64))
    })
}

fn read_on(requests: &Requests, duration: Duration) -> Result<Seen> {
    let mut connection = Connection::open(requests.address)?;
    let mut seen = Seen::default();
    let begin = Instant::now();
    while begin.elapsed() < duration {
        let sent = Instant::now();
        seen.bytes += connection.get_size(&requests.targets[0], &requests.header)?;
        seen.times.push(sent.elapsed());
    }
    Ok(seen)
}
