//! The benchmark's cells, each of which is one measurement.

use crate::pbx_config::PbxConfig;
use crate::report::Row;
use crate::test_bed::{Read, TestBed};
use crate::{
    Result, memory, pause_all_queues, pauses, pauses_during_lists, pauses_during_reads,
    read_all_queues, read_queue, startup, timed_pauses,
};

/// One measurement.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cell {
    /// Pauses and unpauses members, over this number of connections.
    Pauses(usize),
    /// Pauses members with an end, over this number of connections.
    TimedPauses(usize),
    /// Pauses an agent without naming queues, compared with naming them.
    PauseAllQueues,
    /// Reads one queue. `must` and `aim` are the required and the desired ratio to `/rawman`.
    ReadQueue {
        connections: usize,
        fresh: bool,
        must: f64,
        aim: f64,
    },
    /// Reads all queues in one request, with this number of clients.
    ReadAllQueues(usize),
    /// Pauses members at a fixed rate while another client reads all queues continuously.
    PausesDuringReads,
    /// Pauses members one at a time while another user pauses lists of agents continuously.
    PausesDuringLists,
    /// The time from the connection attempt until the bridge is ready.
    Startup,
    /// The bridge's memory after it has handled the other cells' requests. The limit is in MB.
    Memory(f64),
}

pub(crate) const SMALL: &[Cell] = &[
    Cell::Pauses(1),
    Cell::Pauses(32),
    Cell::Pauses(256),
    Cell::TimedPauses(32),
    Cell::PauseAllQueues,
    Cell::ReadQueue {
        connections: 32,
        fresh: false,
        must: 5.0,
        aim: 10.0,
    },
    Cell::ReadQueue {
        connections: 32,
        fresh: true,
        must: 1.5,
        aim: 2.0,
    },
    Cell::Memory(15.0),
];

pub(crate) const LISTS: &[Cell] = &[Cell::PausesDuringLists];

pub(crate) const LARGE: &[Cell] = &[
    Cell::ReadQueue {
        connections: 1,
        fresh: false,
        must: 4.0,
        aim: 10.0,
    },
    Cell::ReadQueue {
        connections: 32,
        fresh: false,
        must: 4.0,
        aim: 10.0,
    },
    Cell::ReadAllQueues(1),
    Cell::ReadAllQueues(4),
    Cell::PauseAllQueues,
    Cell::PausesDuringReads,
    Cell::Startup,
    Cell::Memory(100.0),
];

impl Cell {
    /// Returns the label in the table. The command line selects cells by this label.
    pub(crate) fn name(&self, pbx_config: &PbxConfig) -> String {
        match self {
            Self::Pauses(1) => "pause, 1 connection".to_owned(),
            Self::Pauses(connections) => format!("pause, {connections} connections"),
            Self::TimedPauses(connections) => {
                format!("pause with a duration, {connections} connections")
            }
            Self::PauseAllQueues => format!(
                "pause without queue, {} PBX, against naming the agent's queues (right)",
                pbx_config.name
            ),
            Self::ReadQueue {
                connections, fresh, ..
            } => {
                let members = pbx_config.agents().len();
                let fresh = if *fresh { " fresh=1" } else { "" };
                let plural = if *connections == 1 { "" } else { "s" };
                format!("showqueue{fresh} of {members} members, {connections} connection{plural}")
            }
            Self::ReadAllQueues(1) => "showqueue of 500 queues, 1 connection".to_owned(),
            Self::ReadAllQueues(clients) => {
                format!("showqueue of 500 queues, {clients} connections")
            }
            Self::PausesDuringReads => "20 pauses a second, while 500 queues are read".to_owned(),
            Self::PausesDuringLists => {
                let memberships = pbx_config.static_queues.map(|one| one.queues * one.members);
                let memberships = memberships.unwrap_or_default();
                format!("100 pauses a second during lists of agents, {memberships} memberships")
            }
            Self::Startup => "from dialing to ready, 500 queues".to_owned(),
            Self::Memory(_) => format!("memory, {} PBX", pbx_config.name),
        }
    }

    pub(crate) fn run(&self, bed: &TestBed) -> Result<Vec<Row>> {
        let name = self.name(&bed.config);
        match *self {
            Self::Pauses(connections) => pauses::measure(bed, &name, connections),
            Self::TimedPauses(connections) => timed_pauses::measure(bed, &name, connections),
            Self::PauseAllQueues => pause_all_queues::measure(bed, name),
            Self::ReadQueue {
                connections,
                fresh,
                must,
                aim,
            } => {
                let read = Read { all: false, fresh };
                read_queue::measure(bed, name, read, connections, (must, aim))
            }
            Self::ReadAllQueues(clients) => read_all_queues::measure(bed, name, clients),
            Self::PausesDuringReads => pauses_during_reads::measure(bed, &name),
            Self::PausesDuringLists => pauses_during_lists::measure(bed, &name),
            Self::Startup => startup::measure(bed, name),
            Self::Memory(limit) => memory::measure(bed, name, limit),
        }
    }
}
