//! A real Asterisk with its own HTTP interface enabled.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::Result;
use crate::asterisk::{Asterisk, sample, sample_file};
use crate::options::Options;
use crate::pbx_config::PbxConfig;

/// The AMI user for `/rawman` and the bare client, with the user's secret.
pub(crate) const USER: (&str, &str) = ("bench", "bench-secret");

/// By default, an HTTP session expires after a minute.
const WEB: &str = "webenabled = yes\nhttptimeout = 3600";
/// By default, Asterisk accepts only 100 HTTP connections.
const HTTP: &str = "[general]
enabled = yes
bindaddr = 127.0.0.1
sessionlimit = 1000
session_keep_alive = 60000
";

/// A running Asterisk with its HTTP interface.
pub(crate) struct Pbx {
    asterisk: Asterisk,
    pub(crate) ami_port: u16,
    /// The address of Asterisk's own HTTP interface.
    pub(crate) http: SocketAddr,
}

impl Pbx {
    pub(crate) fn start(options: &Options, pbx_config: &PbxConfig) -> Result<Self> {
        let version = options.asterisk;
        let (ami_port, http_port) = free_ports()?;
        let (user, secret) = USER;
        let manager = sample_file("manager.conf")?.replace("webenabled = no", WEB)
            + &format!("\n[{user}]\nsecret = {secret}\nread = agent\nwrite = agent\n");
        let mut files = pbx_config.files(sample_file)?;
        files.push(("manager.conf", manager));
        files.push(("http.conf", format!("{HTTP}bindport = {http_port}\n")));
        let name = format!("bench-{}-{}", std::process::id(), pbx_config.name);
        // Asterisk's HTTP interface creates a file in /tmp for every response. On ext4, recently
        // deleted files slow this down, to as little as a quarter of the speed.
        let arguments: &[&str] = if options.disk_tmp { &[] } else { &["--tmpfs"] };
        Ok(Self {
            asterisk: Asterisk::start(version, name, ami_port, &files, arguments)?,
            ami_port,
            http: (Ipv4Addr::LOCALHOST, http_port).into(),
        })
    }

    /// Returns the exact version, such as "Asterisk 22.10.1".
    pub(crate) fn version(&self) -> Result<String> {
        let output = Command::new(sample("cli"))
            .args([
                &self.asterisk.version.to_string(),
                &self.asterisk.name,
                "core show version",
            ])
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let build: Vec<_> = text.split(' ').take(2).collect();
        Ok(build.join(" "))
    }

    /// Returns the number of pauses and unpauses in `queue_log`, and truncates the file.
    pub(crate) fn take_logged_pauses(&self) -> Result<u64> {
        let roots = std::env::var_os("AMI_BRIDGE_ASTERISK_ROOTS")
            .map_or_else(|| sample("../.asterisk"), PathBuf::from);
        let log = format!(
            "{}/instances/{}/log/queue_log",
            self.asterisk.version, self.asterisk.name
        );
        let path = roots.join(log);
        // The member names and reasons of this benchmark contain no "|".
        let text = std::fs::read_to_string(&path)?;
        let pauses = |line: &&str| line.contains("|PAUSE|") || line.contains("|UNPAUSE|");
        let count = text.lines().filter(pauses).count();
        // Asterisk opens the file for appending, so it writes its next line at the new end.
        let file = std::fs::OpenOptions::new().write(true).open(&path)?;
        file.set_len(0)?;
        Ok(count as u64)
    }

    /// Waits until Asterisk has processed all changes. It acknowledges a pause before it has
    /// updated every membership.
    pub(crate) fn wait_until_idle(&self) -> Result<()> {
        const STEP: Duration = Duration::from_millis(100);
        let begin = Instant::now();
        let mut before = crate::bridge::cpu_ticks(self.asterisk.pid)?;
        while begin.elapsed() < Duration::from_secs(10) {
            sleep(STEP);
            let now = crate::bridge::cpu_ticks(self.asterisk.pid)?;
            // A tick is a tenth of a step, so Asterisk was almost idle.
            if now - before <= 1 {
                return Ok(());
            }
            before = now;
        }
        Ok(())
    }
}

/// Returns two ports that are free now.
fn free_ports() -> Result<(u16, u16)> {
    let listeners = (
        TcpListener::bind("127.0.0.1:0")?,
        TcpListener::bind("127.0.0.1:0")?,
    );
    Ok((
        listeners.0.local_addr()?.port(),
        listeners.1.local_addr()?.port(),
    ))
}
