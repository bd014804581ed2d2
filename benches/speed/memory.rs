//! What the bridge holds of the machine's memory once it has done, in one life,
//! what the other cells let it do.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::http::Connection;
use crate::lists::ALL;
use crate::report::{Figure, Row, Target};
use crate::turns::Turn;
use crate::world::{Read, World};
use crate::{Result, stop};

pub(crate) fn measure(world: &World, name: String, most: f64) -> Result<Vec<Row>> {
    let bridge = world.bridge()?;
    let turn = |connections, changes| Turn {
        connections,
        duration: world.round,
        changes,
    };
    let read = |fresh| world.bridge_read(Read { all: false, fresh });
    if world.plan.name == "small" {
        let changes = world.changes().into_iter();
        let changes: Vec<_> = changes.map(|change| world.bridge_change(change)).collect();
        turn(32, true).of_bridge(world, &bridge, &changes)?;
        turn(256, true).of_bridge(world, &bridge, &changes)?;
    } else {
        let mut connection = Connection::open(bridge.address)?;
        let begin = Instant::now();
        while begin.elapsed() < 2 * world.round {
            connection.get_size(&world.bridge_read(ALL), "")?;
        }
    }
    stop::check()?;
    turn(32, false).of_bridge(world, &bridge, &[read(false)])?;
    turn(32, false).of_bridge(world, &bridge, &[read(true)])?;
    sleep(Duration::from_secs(2));
    let memory = bridge.memory()?;
    Ok(vec![Row {
        cell: name,
        bridge: format!(
            "{:.1} MB (at its peak {:.1})",
            memory.megabytes, memory.peak_megabytes
        ),
        rawman: "–".to_owned(),
        bare: "–".to_owned(),
        figure: Figure::Megabytes(memory.megabytes),
        target: Target::AtMost(Some(most), None),
    }])
}
