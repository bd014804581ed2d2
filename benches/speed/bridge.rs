//! Runs the bridge, compiled with the same optimization as the packaged program. The bridge checks
//! credentials and logs every request to a file, as in production.

use std::fs::{File, read_to_string};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use crate::Result;
use crate::http::Connection;

pub(crate) const PATH: &str = "/API/UpdateAgentState.php";

const START_TIMEOUT: Duration = Duration::from_secs(60);

/// A running bridge. It is killed on drop.
pub(crate) struct Bridge {
    child: Child,
    pub(crate) address: SocketAddr,
    admin: SocketAddr,
    /// The time at which the bridge started to connect to Asterisk.
    pub(crate) dial_started: SystemTime,
    /// Contains the bridge's configuration and log.
    folder: tempfile::TempDir,
}

/// Resident memory of a process, now and at its peak.
pub(crate) struct Memory {
    pub(crate) megabytes: f64,
    pub(crate) peak_megabytes: f64,
}

impl Bridge {
    /// Starts a bridge and waits until it listens.
    pub(crate) fn start(configuration: &str) -> Result<Self> {
        Self::start_program(Path::new(env!("CARGO_BIN_EXE_ami-bridge")), configuration)
    }

    /// Starts this build of the bridge and waits until it listens.
    pub(crate) fn start_program(program: &Path, configuration: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("ami-bridge.toml");
        std::fs::write(&file, configuration)?;
        // Let the kernel kill the bridge if this program is killed. Otherwise the bridge would keep
        // running.
        let mut child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--"])
            .arg(program)
            .arg("--config")
            .arg(file)
            .env_remove("AMI_BRIDGE_CONFIG")
            .env("STATE_DIRECTORY", folder.path().join("state"))
            .stdin(Stdio::null())
            .stderr(File::create(folder.path().join("log"))?)
            .spawn()
            .map_err(|error| format!("setpriv (of util-linux): {error}"))?;
        let begin = Instant::now();
        loop {
            let log = read_to_string(folder.path().join("log"))?;
            let admin = find_listener(&log, "listening for operations");
            if let (Some((admin, _)), Some((address, dial_started))) =
                (admin, find_listener(&log, "listening for API requests"))
            {
                return Ok(Self {
                    child,
                    address,
                    admin,
                    dial_started,
                    folder,
                });
            }
            if child.try_wait()?.is_some() || begin.elapsed() > START_TIMEOUT {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("the bridge did not start: {log}").into());
            }
            sleep(Duration::from_millis(1));
        }
    }

    /// Waits until `/readyz` returns 200, and returns the time at which it did.
    pub(crate) fn wait_ready(&self) -> Result<SystemTime> {
        let begin = Instant::now();
        let mut admin = Connection::open(self.admin)?;
        loop {
            if admin.get("/readyz", "")?.status == 200 {
                return Ok(SystemTime::now());
            }
            if begin.elapsed() > START_TIMEOUT {
                return Err("the bridge was not ready within a minute".into());
            }
            sleep(Duration::from_millis(1));
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns the CPU time that the bridge has used since it started.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        Ok(Duration::from_millis(10 * cpu_ticks(self.pid())?))
    }

    /// Like [`Self::cpu`], but in nanoseconds. Does not count threads that have ended.
    pub(crate) fn precise_cpu(&self) -> Result<Duration> {
        let mut nanoseconds = 0;
        for thread in std::fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = read_to_string(thread?.path().join("schedstat"))?;
            let on_cpu = text.split(' ').next().ok_or("an empty schedstat")?;
            nanoseconds += on_cpu.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    pub(crate) fn memory(&self) -> Result<Memory> {
        let status = read_to_string(format!("/proc/{}/status", self.pid()))?;
        let megabytes = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key))?;
            let kilobytes: f64 = line.trim().split(' ').next()?.parse().ok()?;
            Some(kilobytes / 1024.0)
        };
        Ok(Memory {
            megabytes: megabytes("VmRSS:").ok_or("no VmRSS")?,
            peak_megabytes: megabytes("VmHWM:").ok_or("no VmHWM")?,
        })
    }

    /// Returns the number of lines in the bridge's log.
    pub(crate) fn logged_lines(&self) -> Result<u64> {
        let log = std::fs::read(self.folder.path().join("log"))?;
        Ok(memchr::memchr_iter(b'\n', &log).count() as u64)
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Finds the log line with this message. Returns its address and its time.
fn find_listener(log: &str, message: &str) -> Option<(SocketAddr, SystemTime)> {
    let line = log.lines().find(|line| line.contains(message))?;
    let line: Value = serde_json::from_str(line).ok()?;
    let time: jiff::Timestamp = line["timestamp"].as_str()?.parse().ok()?;
    Some((line["address"].as_str()?.parse().ok()?, time.into()))
}

/// Returns a process's CPU time in clock ticks. Linux has 100 ticks per second.
pub(crate) fn cpu_ticks(pid: u32) -> Result<u64> {
    let stat = read_to_string(format!("/proc/{pid}/stat"))?;
    // utime and stime are fields 14 and 15. Field 2 is the name in parentheses, which may
    // contain spaces.
    let (_, fields) = stat.rsplit_once(") ").ok_or("no stat")?;
    let fields: Vec<_> = fields.split(' ').collect();
    let field = |number: usize| fields.get(number - 3).ok_or("too few fields in stat");
    Ok(field(14)?.parse::<u64>()? + field(15)?.parse::<u64>()?)
}
