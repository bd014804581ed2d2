//! Puts a side under load for one turn, and checks that it made the changes that it acknowledged.

use std::time::Duration;

use crate::ami::Ami;
use crate::bridge::Bridge;
use crate::test_bed::{TestBed, to_bridge, to_rawman};
use crate::turn_result::TurnResult;
use crate::{Result, wrk};

/// The load of a turn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn {
    pub(crate) connections: usize,
    pub(crate) duration: Duration,
    /// Whether the requests are changes, which Asterisk logs in its `queue_log`.
    pub(crate) changes: bool,
}

impl Turn {
    /// Sends load to the bridge with wrk. Also returns the CPU time that the bridge used.
    pub(crate) fn on_bridge(
        self,
        bed: &TestBed,
        bridge: &Bridge,
        targets: &[String],
    ) -> Result<(TurnResult, Duration)> {
        let (cpu, logged) = (bridge.cpu()?, bridge.logged_lines()?);
        bed.pbx.take_logged_pauses()?;
        let requests = to_bridge(bridge, targets.to_vec());
        let result = wrk::run(&requests, self.connections, self.duration)?;
        let cpu = bridge.cpu()?.saturating_sub(cpu);
        self.check(bed, "the bridge", &result)?;
        let logged = bridge.logged_lines()? - logged;
        if logged < result.responses {
            let responses = result.responses;
            return Err(format!("the bridge logged {logged} of {responses} requests").into());
        }
        Ok((result, cpu))
    }

    /// Sends load to `/rawman` with wrk.
    pub(crate) fn on_rawman(self, bed: &TestBed, targets: &[String]) -> Result<TurnResult> {
        let _idle_bridge = bed.idle_bridge()?;
        let rawman = bed.login_to_rawman()?;
        bed.pbx.take_logged_pauses()?;
        let requests = to_rawman(&rawman, targets.to_vec());
        let result = wrk::run(&requests, self.connections, self.duration)?;
        self.check(bed, "rawman", &result)?;
        Ok(result)
    }

    /// Sends actions over one AMI session. Keeps `connections` actions in flight, but at most 32.
    pub(crate) fn on_bare_ami(
        self,
        bed: &TestBed,
        actions: &[String],
        events: bool,
    ) -> Result<TurnResult> {
        let _idle_bridge = bed.idle_bridge()?;
        let mut ami = Ami::login(bed.pbx.ami_port)?;
        if events {
            ami.enable_events()?;
        }
        bed.pbx.take_logged_pauses()?;
        let result = ami.pipeline(actions, self.connections.min(32), self.duration)?;
        self.check(bed, "bare AMI", &result)?;
        Ok(result)
    }

    /// Checks that Asterisk has made each acknowledged change, and no others except those in
    /// flight at the end of the turn.
    fn check(self, bed: &TestBed, side: &str, result: &TurnResult) -> Result<()> {
        bed.pbx.wait_until_idle()?;
        if !self.changes {
            return Ok(());
        }
        let logged = bed.pbx.take_logged_pauses()?;
        let in_flight = self.connections as u64;
        if (result.responses..=result.responses + in_flight).contains(&logged) {
            return Ok(());
        }
        let responses = result.responses;
        Err(format!("{side} acknowledged {responses} changes, but Asterisk logged {logged}").into())
    }
}
