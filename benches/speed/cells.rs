//! What is measured.

use crate::plan::Plan;
use crate::report::Row;
use crate::world::{Read, World};
use crate::{Result, everywhere, lists, memory, mixed, pauses, reads, seed};

/// Something that is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cell {
    /// Pausing and unpausing in turn, over so many connections.
    Pauses(usize),
    /// Pausing without naming queues, against naming them.
    Everywhere,
    /// One queue, over so many connections; and how many times faster than
    /// `/rawman` that must be, and is to become.
    Read {
        connections: usize,
        fresh: bool,
        must: f64,
        aim: f64,
    },
    /// Every queue at once, by so many clients.
    Lists(usize),
    /// Some changes, while someone reads every queue without a break.
    Mixed,
    /// From nothing to ready.
    Seed,
    /// What the bridge holds of the machine's, after all that; at most so many MB.
    Memory(f64),
}

pub(crate) const SMALL: &[Cell] = &[
    Cell::Pauses(1),
    Cell::Pauses(32),
    Cell::Pauses(256),
    Cell::Everywhere,
    Cell::Read {
        connections: 32,
        fresh: false,
        must: 5.0,
        aim: 10.0,
    },
    Cell::Read {
        connections: 32,
        fresh: true,
        must: 1.5,
        aim: 2.0,
    },
    Cell::Memory(15.0),
];

pub(crate) const LARGE: &[Cell] = &[
    Cell::Read {
        connections: 1,
        fresh: false,
        must: 4.0,
        aim: 10.0,
    },
    Cell::Read {
        connections: 32,
        fresh: false,
        must: 4.0,
        aim: 10.0,
    },
    Cell::Lists(1),
    Cell::Lists(4),
    Cell::Everywhere,
    Cell::Mixed,
    Cell::Seed,
    Cell::Memory(100.0),
];

impl Cell {
    pub(crate) fn name(&self, plan: &Plan) -> String {
        match self {
            Self::Pauses(1) => "pause, 1 connection".to_owned(),
            Self::Pauses(connections) => format!("pause, {connections} connections"),
            Self::Everywhere => format!(
                "pause without queue, {} PBX, against naming the agent's queues (right)",
                plan.name
            ),
            Self::Read {
                connections, fresh, ..
            } => {
                let members = plan.agents().len();
                let fresh = if *fresh { " fresh=1" } else { "" };
                let plural = if *connections == 1 { "" } else { "s" };
                format!("showqueue{fresh} of {members} members, {connections} connection{plural}")
            }
            Self::Lists(1) => "showqueue of 500 queues, 1 connection".to_owned(),
            Self::Lists(clients) => format!("showqueue of 500 queues, {clients} connections"),
            Self::Mixed => "20 pauses a second, while 500 queues are read".to_owned(),
            Self::Seed => "from dialling to ready, 500 queues".to_owned(),
            Self::Memory(_) => format!("memory, {} PBX", plan.name),
        }
    }

    pub(crate) fn run(&self, world: &World) -> Result<Vec<Row>> {
        let name = self.name(&world.plan);
        match *self {
            Self::Pauses(connections) => pauses::measure(world, &name, connections),
            Self::Everywhere => everywhere::measure(world, name),
            Self::Read {
                connections,
                fresh,
                must,
                aim,
            } => {
                let read = Read { all: false, fresh };
                reads::measure(world, name, read, connections, (must, aim))
            }
            Self::Lists(clients) => lists::measure(world, name, clients),
            Self::Mixed => mixed::measure(world, &name),
            Self::Seed => seed::measure(world, name),
            Self::Memory(most) => memory::measure(world, name, most),
        }
    }
}
