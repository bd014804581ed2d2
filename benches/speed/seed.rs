//! How soon the bridge is ready on a large PBX, against a bare client that takes
//! the whole list. Both dial, log in and read; the bridge then knows what it read.

use std::time::{Duration, Instant};

use crate::ami::Ami;
use crate::answers::of_asterisk;
use crate::bridge::Bridge;
use crate::report::{Figure, Row, Target};
use crate::stats::{median, median_time, time};
use crate::world::World;
use crate::{Result, stop};

pub(crate) fn measure(world: &World, name: String) -> Result<Vec<Row>> {
    let (mut bridge, mut bare) = (Vec::new(), Vec::new());
    for round in 1..=world.rounds {
        stop::check()?;
        let running = Bridge::start(&world.plan.bridge(world.pbx.ami_port))?;
        let ready = running.wait_ready()?;
        bridge.push(ready.duration_since(running.dialled)?);
        drop(running);
        world.pbx.settle()?;

        let begin = Instant::now();
        let list = Ami::login(world.pbx.ami_port)?.queue_status("")?;
        bare.push(begin.elapsed());
        if of_asterisk(&list)?.len() != 500 {
            return Err("the bare client's list is not whole".into());
        }
        world.pbx.settle()?;
        if let (Some(bridge), Some(bare)) = (bridge.last(), bare.last()) {
            eprintln!("  round {round}: bridge {bridge:.1?}, bare {bare:.1?}");
        }
    }
    let ratios = bridge.iter().zip(&bare);
    let ratio = median(ratios.map(|(bridge, bare)| bridge.as_secs_f64() / bare.as_secs_f64()));
    let text = |times: &[Duration]| time(median_time(times.iter().copied()));
    Ok(vec![Row {
        cell: name,
        bridge: text(&bridge),
        rawman: "–".to_owned(),
        bare: text(&bare),
        figure: Figure::Ratio(ratio),
        target: Target::AtMost(Some(1.2), None),
    }])
}
