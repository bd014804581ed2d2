//! Starts and controls the real program with a temporary configuration file.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::asterisk::send_signal;
use super::log_file::LogFile;
use super::queue_name_checker::{QueueNameRecord, route_through_checkers};
use super::{ACME, Response, User, eventually, request};

/// Returns a command that runs the program under test.
pub(crate) fn bridge_command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ami-bridge"));
    command.env_remove("AMI_BRIDGE_CONFIG");
    command.env_remove("STATE_DIRECTORY");
    command
}

/// The resource usage of a process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ResourceUsage {
    pub(crate) resident_kilobytes: u64,
    pub(crate) descriptors: usize,
    /// Processor time in clock ticks.
    pub(crate) cpu_ticks: u64,
}

/// A running bridge. Dropping it kills the bridge and fails the test if the bridge misspelled
/// a queue name.
pub(crate) struct Bridge {
    child: Mutex<Child>,
    pid: u32,
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
    log: LogFile,
    is_frozen: AtomicBool,
    configuration_file: tempfile::NamedTempFile,
    /// The records of the PBXes' queue name checkers. They include the actions that other
    /// bridges send to the same PBXes.
    name_records: Vec<QueueNameRecord>,
}

pub(crate) const API_PATH: &str = "/API/UpdateAgentState.php";

impl Bridge {
    /// Starts the bridge and waits until `/readyz` returns 200.
    pub(crate) fn start(configuration: &str) -> Self {
        let bridge = Self::start_unready(configuration);
        bridge.wait_ready();
        bridge
    }

    /// Starts the bridge and waits until it listens, even if Asterisk is not reachable.
    pub(crate) fn start_unready(configuration: &str) -> Self {
        Self::start_command(bridge_command(), configuration)
    }

    pub(crate) fn start_command(command: Command, configuration: &str) -> Self {
        let log = LogFile::new();
        let stderr = log.stdio();
        Self::start_with_log(command, configuration, log, stderr)
    }

    /// Starts the bridge with `stderr` as its standard error. [`Self::log`] reads `log`.
    pub(super) fn start_with_log(
        mut command: Command,
        configuration: &str,
        log: LogFile,
        stderr: Stdio,
    ) -> Self {
        let mut configuration_file = tempfile::NamedTempFile::new().expect("a temporary file");
        let (configuration, name_records) = route_through_checkers(configuration);
        configuration_file
            .write_all(configuration.as_bytes())
            .expect("written");
        let child = command
            .arg("--config")
            .arg(configuration_file.path())
            .stderr(stderr)
            .spawn()
            .expect("an executable bridge");
        let address = |message: &str| {
            eventually(message, || {
                let log = log.text();
                let line = log.lines().find(|line| line.contains(message))?;
                // `"address":"127.0.0.1:1"` in JSON, `address=127.0.0.1:1` in the text format.
                let text = line.split("address").nth(1)?;
                let text = text.trim_start_matches(['"', ':', '=']);
                text.split(['"', ' ']).next()?.parse().ok()
            })
        };
        Self {
            admin: address("listening for operations"),
            address: address("listening for API requests"),
            pid: child.id(),
            child: Mutex::new(child),
            log,
            is_frozen: AtomicBool::new(false),
            configuration_file,
            name_records,
        }
    }

    pub(crate) fn wait_ready(&self) {
        eventually("the link is ready", || self.is_ready().then_some(()));
    }

    pub(crate) fn is_ready(&self) -> bool {
        request(self.admin, "GET", "/readyz", &[], b"").status == 200
    }

    /// Sends a request as `user`. Appends `query` to the credentials in the query string.
    pub(crate) fn get_as(&self, user: User, query: &str) -> Response {
        let User { username, password } = user;
        self.get(&format!("username={username}&password={password}&{query}"))
    }

    /// Sends a request as [`ACME`], asserts status 200 and returns the body.
    pub(crate) fn acme_ok(&self, query: &str) -> Value {
        self.get_ok(ACME, query)
    }

    /// Sends a request as `user`, asserts status 200 and returns the body.
    pub(crate) fn get_ok(&self, user: User, query: &str) -> Value {
        let response = self.get_as(user, query);
        assert_eq!(response.status, 200, "{query}: {response:?}");
        response.json()
    }

    pub(crate) fn get(&self, query: &str) -> Response {
        request(
            self.address,
            "GET",
            &format!("{API_PATH}?{query}"),
            &[],
            b"",
        )
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Returns the lines that are already in the log file, without waiting for the bridge to write
    /// the remaining lines. Use this if the bridge can't respond to requests.
    pub(crate) fn log_so_far(&self) -> String {
        self.log.text()
    }

    /// Returns everything that the bridge has logged.
    pub(crate) fn log(&self) -> String {
        self.wait_for_log();
        self.log.text()
    }

    /// Waits until the bridge's log writer has written all lines. Returns immediately if the
    /// bridge is frozen or has exited.
    fn wait_for_log(&self) {
        let deadline = Instant::now() + Duration::from_secs(5);
        while !self.is_frozen.load(Ordering::SeqCst) && Instant::now() < deadline {
            match self.unwritten_log_lines() {
                Ok(count) if count > 0 => std::thread::yield_now(),
                _ => return,
            }
        }
    }

    fn unwritten_log_lines(&self) -> std::io::Result<u64> {
        let mut stream = TcpStream::connect(self.admin)?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n")?;
        let mut response = String::new();
        stream.read_to_string(&mut response)?;
        let body = response.split("\r\n\r\n").nth(1).unwrap_or_default();
        let body: Value = serde_json::from_str(body)?;
        Ok(body["log_lines"]["waiting"].as_u64().expect("a number"))
    }

    /// Counts the sent actions whose text in the log starts with `action`.
    pub(crate) fn sent_count(&self, action: &str) -> usize {
        let log = self.log();
        let lines = log.lines().filter(|line| line.contains("\"sent\""));
        lines
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|line| line["message"] == "sent")
            .filter(|line| {
                line["action"]
                    .as_str()
                    .is_some_and(|text| text.starts_with(action))
            })
            .count()
    }

    /// Returns the bridge's current resource usage.
    pub(crate) fn usage(&self) -> ResourceUsage {
        let proc = format!("/proc/{}", self.pid);
        let status = std::fs::read_to_string(format!("{proc}/status")).expect("status");
        let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let memory = memory.and_then(|text| text.trim().split(' ').next()?.parse().ok());
        let stat = std::fs::read_to_string(format!("{proc}/stat")).expect("stat");
        // utime and stime are fields 14 and 15. The text after the process name starts with
        // field 3.
        let fields: Vec<_> = stat
            .rsplit(") ")
            .next()
            .unwrap_or_default()
            .split(' ')
            .collect();
        let ticks = |field: usize| fields[field - 3].parse::<u64>().expect("ticks");
        ResourceUsage {
            resident_kilobytes: memory.expect("VmRSS"),
            descriptors: std::fs::read_dir(format!("{proc}/fd")).expect("fd").count(),
            cpu_ticks: ticks(14) + ticks(15),
        }
    }

    /// Suspends the bridge with SIGSTOP until [`Self::resume`].
    pub(crate) fn freeze(&self) {
        self.is_frozen.store(true, Ordering::SeqCst);
        send_signal(self.pid, "STOP");
    }

    /// Resumes a frozen bridge.
    pub(crate) fn resume(&self) {
        send_signal(self.pid, "CONT");
        self.is_frozen.store(false, Ordering::SeqCst);
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) {
        send_signal(self.pid, "TERM");
    }

    /// Replaces the configuration file and reloads it. Returns the log line with the result.
    pub(crate) fn reconfigure(&self, configuration: &str) -> Value {
        let (configuration, _) = route_through_checkers(configuration);
        std::fs::write(self.configuration_file.path(), configuration).expect("written");
        self.reload()
    }

    /// Sends SIGHUP and waits for the reload. Returns the log line with the result.
    pub(crate) fn reload(&self) -> Value {
        let reload_lines = |log: &str| {
            // Parsing every line would take most of a test's time.
            let lines = log.lines().filter(|line| line.contains("reload"));
            let lines = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let reloads = lines.filter(|line| {
                let message = line["message"].as_str().unwrap_or_default();
                message == "configuration reloaded"
                    || message == "reload failed; the old configuration stays in use"
            });
            reloads.collect::<Vec<_>>()
        };
        let before = reload_lines(&self.log()).len();
        send_signal(self.pid, "HUP");
        eventually("the bridge reloads its configuration", || {
            reload_lines(&self.log()).get(before).cloned()
        })
    }

    /// Returns the exit status, or `None` while the bridge is running.
    pub(crate) fn exit_status(&self) -> Option<ExitStatus> {
        self.child
            .lock()
            .expect("an unpoisoned lock")
            .try_wait()
            .expect("a child")
    }

    /// Sends SIGTERM and waits until the bridge exits. Returns its exit status and its log.
    pub(crate) fn stop(self) -> (ExitStatus, String) {
        self.terminate();
        let status = eventually("the bridge exits", || self.exit_status());
        (status, self.log())
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        if self.exit_status().is_none() {
            let mut child = self.child.lock().expect("an unpoisoned lock");
            let _ = child.kill();
            let _ = child.wait();
        }
        // A test that is already failing should report its original failure.
        if !std::thread::panicking() {
            self.name_records
                .iter()
                .for_each(QueueNameRecord::assert_clean);
        }
    }
}
