//! One turn of a side under the load of wrk, and whether it did what it answered.

use std::time::Duration;

use crate::ami::Ami;
use crate::bridge::Bridge;
use crate::load::Load;
use crate::world::{World, to_bridge, to_rawman};
use crate::{Result, wrk};

/// What wrk is told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn {
    pub(crate) connections: usize,
    pub(crate) duration: Duration,
    /// Whether what is asked are changes, which Asterisk logs.
    pub(crate) changes: bool,
}

impl Turn {
    /// Returns the processor time that the bridge used, too.
    pub(crate) fn of_bridge(
        self,
        world: &World,
        bridge: &Bridge,
        targets: &[String],
    ) -> Result<(Load, Duration)> {
        let (cpu, logged) = (bridge.cpu()?, bridge.logged()?);
        world.pbx.take_logged_pauses()?;
        let requests = to_bridge(bridge, targets.to_vec());
        let load = wrk::run(&requests, self.connections, self.duration)?;
        let cpu = bridge.cpu()?.saturating_sub(cpu);
        self.check(world, "the bridge", &load)?;
        let logged = bridge.logged()? - logged;
        if logged < load.answered {
            let answered = load.answered;
            return Err(format!("the bridge logged {logged} of {answered} requests").into());
        }
        Ok((load, cpu))
    }

    pub(crate) fn of_rawman(self, world: &World, targets: &[String]) -> Result<Load> {
        let _bystander = world.bystander()?;
        let rawman = world.rawman()?;
        world.pbx.take_logged_pauses()?;
        let requests = to_rawman(&rawman, targets.to_vec());
        let load = wrk::run(&requests, self.connections, self.duration)?;
        self.check(world, "rawman", &load)?;
        Ok(load)
    }

    /// Over one session, with as many under way as there are connections, up to 32.
    pub(crate) fn of_bare(self, world: &World, actions: &[String], events: bool) -> Result<Load> {
        let _bystander = world.bystander()?;
        let mut ami = Ami::login(world.pbx.ami_port)?;
        if events {
            ami.follow_events()?;
        }
        world.pbx.take_logged_pauses()?;
        let load = ami.pipeline(actions, self.connections.min(32), self.duration)?;
        self.check(world, "bare AMI", &load)?;
        Ok(load)
    }

    /// Every change that was answered has happened, and nothing else, but for what
    /// was under way when the turn ended.
    fn check(self, world: &World, side: &str, load: &Load) -> Result<()> {
        world.pbx.settle()?;
        if !self.changes {
            return Ok(());
        }
        let logged = world.pbx.take_logged_pauses()?;
        let under_way = self.connections as u64;
        if (load.answered..=load.answered + under_way).contains(&logged) {
            return Ok(());
        }
        let answered = load.answered;
        Err(format!("{side} answered {answered} changes, and Asterisk logged {logged}").into())
    }
}
