//! Reading one queue: the bridge and `/rawman` in turn.

use crate::ami::Ami;
use crate::answers::{must_equal, of_asterisk, of_bridge};
use crate::http::{Connection, Response};
use crate::load::{Load, Turns};
use crate::report::{Figure, Row, Target};
use crate::turns::Turn;
use crate::world::{Read, World};
use crate::{Result, stop};

pub(crate) fn measure(
    world: &World,
    name: String,
    read: Read,
    connections: usize,
    (must, aim): (f64, f64),
) -> Result<Vec<Row>> {
    let sizes = verify(world, read)?;
    let turn = Turn {
        connections,
        duration: world.round,
        changes: false,
    };
    let (mut bridge, mut rawman) = (Turns::default(), Turns::default());
    for round in 1..=world.rounds {
        stop::check()?;
        let running = world.bridge()?;
        let (load, _) = turn.of_bridge(world, &running, &[world.bridge_read(read)])?;
        drop(running);
        must_be_whole("the bridge", &load, sizes.bridge)?;
        bridge.push(load);
        let load = turn.of_rawman(world, &[world.rawman_read(read)])?;
        must_be_whole("rawman", &load, sizes.rawman)?;
        rawman.push(load);
        let rates = [&bridge, &rawman].map(|turns| turns.last(Load::rate));
        eprintln!("  round {round}: bridge, rawman: {rates:.0?} a second");
    }
    Ok(vec![Row {
        cell: name,
        bridge: bridge.rates(),
        rawman: rawman.rates(),
        bare: "–".to_owned(),
        figure: Figure::Ratio(bridge.against(&rawman, Load::rate)),
        target: Target::AtLeast(Some(must), Some(aim)),
    }])
}

/// Of an answer that was found right.
pub(crate) struct Sizes {
    pub(crate) bridge: u64,
    pub(crate) rawman: u64,
}

/// A few answers of each side, held against what a bare client is told.
pub(crate) fn verify(world: &World, read: Read) -> Result<Sizes> {
    let list = Ami::login(world.pbx.ami_port)?.queue_status(&world.bare_read(read))?;
    let expected = of_asterisk(&list)?;
    let bridge = world.bridge()?;
    let rawman = world.rawman()?;
    let mut to_bridge = Connection::open(bridge.address)?;
    let mut to_rawman = Connection::open(rawman.address)?;
    let mut sizes = Sizes {
        bridge: 0,
        rawman: 0,
    };
    for _ in 0..3 {
        let answer = ok(to_bridge.get(&world.bridge_read(read), "")?)?;
        must_equal("the bridge", &of_bridge(&answer.body)?, &expected)?;
        sizes.bridge = answer.size();
        let answer = ok(to_rawman.get(&world.rawman_read(read), &rawman.cookie)?)?;
        must_equal("rawman", &of_asterisk(answer.text()?)?, &expected)?;
        sizes.rawman = answer.size();
    }
    Ok(sizes)
}

pub(crate) fn ok(answer: Response) -> Result<Response> {
    if answer.status == 200 {
        return Ok(answer);
    }
    let body = String::from_utf8_lossy(&answer.body);
    Err(format!(
        "status {}: {}",
        answer.status,
        crate::answers::beginning(&body)
    )
    .into())
}

/// The answers that were timed have the size of those that were looked at. Only
/// numbers like the seconds of a wait may differ in length.
pub(crate) fn must_be_whole(side: &str, load: &Load, size: u64) -> Result<()> {
    let expected = load.answered * size / 100 * 98;
    if load.bytes >= expected {
        return Ok(());
    }
    let (answered, bytes) = (load.answered, load.bytes);
    Err(format!("{side}: {answered} answers of {size} bytes came as {bytes} bytes").into())
}
