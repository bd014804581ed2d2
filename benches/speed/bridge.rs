//! The bridge: the whole program in its release build, as it is in production.
//! It checks credentials, and logs every request into a file.

use std::fs::{File, read_to_string};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;

use crate::Result;
use crate::http::Connection;

pub(crate) const PATH: &str = "/API/UpdateAgentState.php";

const START: Duration = Duration::from_secs(60);

/// Is killed when it is dropped.
pub(crate) struct Bridge {
    child: Child,
    pub(crate) address: SocketAddr,
    admin: SocketAddr,
    /// When it began to dial Asterisk.
    pub(crate) dialled: SystemTime,
    /// Its configuration and its log.
    folder: tempfile::TempDir,
}

/// What a process uses.
pub(crate) struct Memory {
    pub(crate) megabytes: f64,
    pub(crate) peak_megabytes: f64,
}

impl Bridge {
    /// Starts it, and waits until it listens.
    pub(crate) fn start(configuration: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("ami-bridge.toml");
        std::fs::write(&file, configuration)?;
        // It has no standard input whose end it would see, so the kernel ends it
        // when this program is killed.
        let mut child = Command::new("setpriv")
            .args(["--pdeathsig", "KILL", "--"])
            .arg(env!("CARGO_BIN_EXE_ami-bridge"))
            .arg("--config")
            .arg(file)
            .env_remove("AMI_BRIDGE_CONFIG")
            .stdin(Stdio::null())
            .stderr(File::create(folder.path().join("log"))?)
            .spawn()
            .map_err(|error| format!("setpriv (of util-linux): {error}"))?;
        let begin = Instant::now();
        loop {
            let log = read_to_string(folder.path().join("log"))?;
            let admin = announced(&log, "listening for operations");
            if let (Some((admin, _)), Some((address, dialled))) =
                (admin, announced(&log, "listening for API requests"))
            {
                return Ok(Self {
                    child,
                    address,
                    admin,
                    dialled,
                    folder,
                });
            }
            if child.try_wait()?.is_some() || begin.elapsed() > START {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("the bridge does not start: {log}").into());
            }
            sleep(Duration::from_millis(1));
        }
    }

    /// Waits until it is ready; returns when that was.
    pub(crate) fn wait_ready(&self) -> Result<SystemTime> {
        let begin = Instant::now();
        let mut admin = Connection::open(self.admin)?;
        loop {
            if admin.get("/readyz", "")?.status == 200 {
                return Ok(SystemTime::now());
            }
            if begin.elapsed() > START {
                return Err("the bridge is not ready after a minute".into());
            }
            sleep(Duration::from_millis(1));
        }
    }

    /// The processor time that it has used.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        Ok(Duration::from_millis(10 * ticks(self.child.id())?))
    }

    pub(crate) fn memory(&self) -> Result<Memory> {
        let status = read_to_string(format!("/proc/{}/status", self.child.id()))?;
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

    /// How many lines it has logged.
    pub(crate) fn logged(&self) -> Result<u64> {
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

/// The address in the line of the log with that message, and the line's time.
fn announced(log: &str, message: &str) -> Option<(SocketAddr, SystemTime)> {
    let line = log.lines().find(|line| line.contains(message))?;
    let line: Value = serde_json::from_str(line).ok()?;
    let time: jiff::Timestamp = line["timestamp"].as_str()?.parse().ok()?;
    Some((line["address"].as_str()?.parse().ok()?, time.into()))
}

/// The processor time of a process, in clock ticks: on Linux a hundred a second.
pub(crate) fn ticks(pid: u32) -> Result<u64> {
    let stat = read_to_string(format!("/proc/{pid}/stat"))?;
    // Behind the name, which stands in parentheses; utime and stime are the 14th
    // and the 15th field of all.
    let (_, fields) = stat.rsplit_once(") ").ok_or("no stat")?;
    let fields: Vec<_> = fields.split(' ').collect();
    let field = |number: usize| fields.get(number - 3).ok_or("a short stat");
    Ok(field(14)?.parse::<u64>()? + field(15)?.parse::<u64>()?)
}
