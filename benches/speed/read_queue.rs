//! Reads one queue through the bridge and `/rawman`, in turn.

use crate::ami::Ami;
use crate::http::{Connection, Response};
use crate::replies::{parse_queue_status, parse_showqueue, verify_equal};
use crate::report::{Quantity, Row, Target};
use crate::test_bed::{Read, TestBed};
use crate::turn::Turn;
use crate::turn_result::{SideResults, TurnResult};
use crate::{Result, interrupt};

pub(crate) fn measure(
    bed: &TestBed,
    name: String,
    read: Read,
    connections: usize,
    (must, aim): (f64, f64),
) -> Result<Vec<Row>> {
    let sizes = verify(bed, read)?;
    let turn = Turn {
        connections,
        duration: bed.turn_duration,
        changes: false,
    };
    let (mut bridge, mut rawman) = (SideResults::default(), SideResults::default());
    for round in 1..=bed.rounds {
        interrupt::check()?;
        let running = bed.start_bridge()?;
        let (result, _) = turn.on_bridge(bed, &running, &[bed.bridge_read(read)])?;
        drop(running);
        verify_size("the bridge", &result, sizes.bridge)?;
        bridge.push(result);
        let result = turn.on_rawman(bed, &[bed.rawman_read(read)])?;
        verify_size("rawman", &result, sizes.rawman)?;
        rawman.push(result);
        let rates = [&bridge, &rawman].map(|turns| turns.last(TurnResult::rate));
        eprintln!("  round {round}: bridge, rawman: {rates:.0?} a second");
    }
    Ok(vec![Row {
        cell: name,
        bridge: bridge.rates(),
        rawman: rawman.rates(),
        bare: "–".to_owned(),
        result: Quantity::Ratio(bridge.ratio_to(&rawman, TurnResult::rate)),
        target: Target::AtLeast(Some(must), Some(aim)),
    }])
}

/// The sizes of correct responses, in bytes.
pub(crate) struct Sizes {
    pub(crate) bridge: u64,
    pub(crate) rawman: u64,
}

/// Compares a few responses of each side with the reply to a bare client.
pub(crate) fn verify(bed: &TestBed, read: Read) -> Result<Sizes> {
    let list = Ami::login(bed.pbx.ami_port)?.queue_status(&bed.bare_read(read))?;
    let expected = parse_queue_status(&list)?;
    let bridge = bed.start_bridge()?;
    let rawman = bed.login_to_rawman()?;
    let mut to_bridge = Connection::open(bridge.address)?;
    let mut to_rawman = Connection::open(rawman.address)?;
    let mut sizes = Sizes {
        bridge: 0,
        rawman: 0,
    };
    for _ in 0..3 {
        let response = require_ok(to_bridge.get(&bed.bridge_read(read), "")?)?;
        verify_equal("the bridge", &parse_showqueue(&response.body)?, &expected)?;
        sizes.bridge = response.size();
        let response = require_ok(to_rawman.get(&bed.rawman_read(read), &rawman.cookie)?)?;
        verify_equal("rawman", &parse_queue_status(response.text()?)?, &expected)?;
        sizes.rawman = response.size();
    }
    Ok(sizes)
}

/// Returns the response if its status is 200.
pub(crate) fn require_ok(response: Response) -> Result<Response> {
    if response.status == 200 {
        return Ok(response);
    }
    let body = String::from_utf8_lossy(&response.body);
    Err(format!(
        "status {}: {}",
        response.status,
        crate::replies::excerpt(&body)
    )
    .into())
}

/// Checks that the measured responses are as large as the verified ones. Numbers such as waiting
/// times may have more or fewer digits, so a difference of 2 % is tolerated.
pub(crate) fn verify_size(side: &str, result: &TurnResult, size: u64) -> Result<()> {
    let expected = result.responses * size / 100 * 98;
    if result.bytes >= expected {
        return Ok(());
    }
    let (responses, bytes) = (result.responses, result.bytes);
    Err(
        format!("{side}: {responses} responses of {size} bytes had only {bytes} bytes in total")
            .into(),
    )
}
