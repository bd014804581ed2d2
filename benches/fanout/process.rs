//! CPU time and memory of processes.

use std::fs::{read_dir, read_to_string};
use std::time::Duration;

use crate::Result;
use crate::bridge::cpu_ticks;

/// A server: a process with its child processes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Server(pub(crate) u32);

impl Server {
    /// Returns the CPU time that the processes have used since they started.
    pub(crate) fn cpu(self) -> Result<Duration> {
        let mut ticks = 0;
        for pid in self.pids()? {
            ticks += cpu_ticks(pid)?;
        }
        Ok(Duration::from_millis(10 * ticks))
    }

    /// Returns the resident memory in kilobytes. Counts memory that processes share once.
    pub(crate) fn kilobytes(self) -> Result<f64> {
        let mut kilobytes = 0.0;
        for pid in self.pids()? {
            let rollup = read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
            let pss = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
            let pss = pss.and_then(|text| text.split_whitespace().next());
            kilobytes += pss.ok_or("no Pss")?.parse::<f64>()?;
        }
        Ok(kilobytes)
    }

    fn pids(self) -> Result<Vec<u32>> {
        let mut pids = vec![self.0];
        for task in read_dir(format!("/proc/{}/task", self.0))? {
            let children = read_to_string(task?.path().join("children"))?;
            for child in children.split_whitespace() {
                pids.push(child.parse()?);
            }
        }
        Ok(pids)
    }
}
