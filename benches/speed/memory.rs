//! Measures the memory of one bridge process after it has handled the other cells' requests.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::http::Connection;
use crate::read_all_queues::ALL;
use crate::report::{Quantity, Row, Target};
use crate::test_bed::{Read, TestBed};
use crate::turn::Turn;
use crate::{Result, interrupt};

pub(crate) fn measure(bed: &TestBed, name: String, limit: f64) -> Result<Vec<Row>> {
    let bridge = bed.start_bridge()?;
    let turn = |connections, changes| Turn {
        connections,
        duration: bed.turn_duration,
        changes,
    };
    let read = |fresh| bed.bridge_read(Read { all: false, fresh });
    if bed.config.name == "small" {
        let changes = bed.changes().into_iter();
        let changes: Vec<_> = changes.map(|change| bed.bridge_change(change)).collect();
        turn(32, true).on_bridge(bed, &bridge, &changes)?;
        turn(256, true).on_bridge(bed, &bridge, &changes)?;
    } else {
        let mut connection = Connection::open(bridge.address)?;
        let begin = Instant::now();
        while begin.elapsed() < 2 * bed.turn_duration {
            connection.get_size(&bed.bridge_read(ALL), "")?;
        }
    }
    interrupt::check()?;
    turn(32, false).on_bridge(bed, &bridge, &[read(false)])?;
    turn(32, false).on_bridge(bed, &bridge, &[read(true)])?;
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
        result: Quantity::Megabytes(memory.megabytes),
        target: Target::AtMost(Some(limit), None),
    }])
}
