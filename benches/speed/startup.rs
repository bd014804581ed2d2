//! Measures how soon the bridge is ready on a large PBX, compared with a bare client that reads
//! the complete list. Both connect, log in and read; the bridge also builds its mirror.

use std::time::{Duration, Instant};

use crate::ami::Ami;
use crate::bridge::Bridge;
use crate::replies::parse_queue_status;
use crate::report::{Quantity, Row, Target};
use crate::stats::{median, median_time, time};
use crate::test_bed::TestBed;
use crate::{Result, interrupt};

pub(crate) fn measure(bed: &TestBed, name: String) -> Result<Vec<Row>> {
    let (mut bridge, mut bare) = (Vec::new(), Vec::new());
    for round in 1..=bed.rounds {
        interrupt::check()?;
        let running = Bridge::start(&bed.config.bridge_config(bed.pbx.ami_port))?;
        let ready = running.wait_ready()?;
        bridge.push(ready.duration_since(running.dial_started)?);
        drop(running);
        bed.pbx.wait_until_idle()?;

        let begin = Instant::now();
        let list = Ami::login(bed.pbx.ami_port)?.queue_status("")?;
        bare.push(begin.elapsed());
        if parse_queue_status(&list)?.len() != 500 {
            return Err("the list of the bare client is incomplete".into());
        }
        bed.pbx.wait_until_idle()?;
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
        result: Quantity::Ratio(ratio),
        target: Target::AtMost(Some(1.2), None),
    }])
}
