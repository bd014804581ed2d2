//! A real Asterisk with its own HTTP interface enabled.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::Result;
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

/// A running Asterisk. On drop, it is stopped, and its files are deleted.
pub(crate) struct Pbx {
    version: u32,
    name: String,
    pub(crate) ami_port: u16,
    /// The address of Asterisk's own HTTP interface.
    pub(crate) http: SocketAddr,
    pid: u32,
    running: Option<(Child, ChildStdin)>,
}

impl Pbx {
    pub(crate) fn start(options: &Options, pbx_config: &PbxConfig) -> Result<Self> {
        let version = options.asterisk;
        let (ami_port, http_port) = free_ports()?;
        let sample_file = |name: &str| -> Result<String> {
            let path = sample("config").join(name);
            let text = std::fs::read_to_string(&path);
            text.map_err(|error| format!("{}: {error}", path.display()).into())
        };
        let (user, secret) = USER;
        let manager = sample_file("manager.conf")?.replace("webenabled = no", WEB)
            + &format!("\n[{user}]\nsecret = {secret}\nread = agent\nwrite = agent\n");
        let mut files = pbx_config.files(sample_file)?;
        files.push(("manager.conf", manager));
        files.push(("http.conf", format!("{HTTP}bindport = {http_port}\n")));
        let overlay = tempfile::tempdir()?;
        for (name, text) in files {
            std::fs::write(overlay.path().join(name), text)?;
        }

        let name = format!("bench-{}-{}", std::process::id(), pbx_config.name);
        let mut child = Command::new(sample("start"))
            .arg(version.to_string())
            .args(["--port", &ami_port.to_string(), "--name", &name])
            // Asterisk's HTTP interface creates a file in /tmp for every response. On ext4,
            // recently deleted files slow this down, to as little as a quarter of the speed.
            .args((!options.disk_tmp).then_some("--tmpfs"))
            .arg("--until-eof")
            .arg("--overlay")
            .arg(overlay.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdin = child.stdin.take().ok_or("piped")?;
        let stdout = child.stdout.take().ok_or("piped")?;
        let mut pbx = Self {
            version,
            name,
            ami_port,
            http: (Ipv4Addr::LOCALHOST, http_port).into(),
            pid: 0,
            running: Some((child, stdin)),
        };
        // "ready: Asterisk 22, pid 1234, AMI at …"
        let mut lines = BufReader::new(stdout).lines().map_while(|line| line.ok());
        let ready = lines.find(|line| line.starts_with("ready"));
        pbx.pid = ready
            .and_then(|line| line.split("pid ").nth(1)?.split(',').next()?.parse().ok())
            .ok_or("Asterisk did not start")?;
        Ok(pbx)
    }

    /// Returns the exact version, such as "Asterisk 22.10.1".
    pub(crate) fn version(&self) -> Result<String> {
        let output = Command::new(sample("cli"))
            .args([&self.version.to_string(), &self.name, "core show version"])
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let build: Vec<_> = text.split(' ').take(2).collect();
        Ok(build.join(" "))
    }

    /// Returns the number of pauses and unpauses in `queue_log`, and truncates the file.
    pub(crate) fn take_logged_pauses(&self) -> Result<u64> {
        let roots = std::env::var_os("AMI_BRIDGE_ASTERISK_ROOTS")
            .map_or_else(|| sample("../.asterisk"), PathBuf::from);
        let log = format!("{}/instances/{}/log/queue_log", self.version, self.name);
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
        let mut before = crate::bridge::cpu_ticks(self.pid)?;
        while begin.elapsed() < Duration::from_secs(10) {
            sleep(STEP);
            let now = crate::bridge::cpu_ticks(self.pid)?;
            // A tick is a tenth of a step, so Asterisk was almost idle.
            if now - before <= 1 {
                return Ok(());
            }
            before = now;
        }
        Ok(())
    }
}

impl Drop for Pbx {
    fn drop(&mut self) {
        if let Some((mut child, stdin)) = self.running.take() {
            drop(stdin);
            let _ = child.wait();
        }
        let _ = Command::new(sample("remove"))
            .args([&self.version.to_string(), &self.name])
            .status();
    }
}

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("asterisk-sample")
        .join(name)
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
