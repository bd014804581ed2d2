//! The real program, with a configuration file of its own.

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
use super::{Response, eventually, request};

/// The program under test.
pub(crate) fn bridge_command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ami-bridge"));
    command.env_remove("AMI_BRIDGE_CONFIG");
    command
}

/// A configuration of the two sample organizations, as TOML.
pub(crate) fn configuration(ami_port: u16) -> String {
    format!(
        r#"
[http]
listen = "127.0.0.1:0"

[admin]
listen = "127.0.0.1:0"

[log]
level = "info,ami_bridge=trace"

[pbx.main]
address = "127.0.0.1:{ami_port}"
username = "queuebridge"
secret = "sample-secret-change-me"
action_timeout = "3s"

[organization.acme]
queues = ["6001", "6002"]
queue_name = "acme-{{queue}}"
agents = ["1001-1099"]
interface = "Local/{{agent}}@acme-agents"

[[organization.acme.user]]
username = "acme@example.com"
password = "acme-password"

[organization.globex]
queues = ["*"]
queue_name = "globex-{{queue}}"
agents = ["1001-1099"]
interface = "Local/{{agent}}@globex-agents"

[[organization.globex.user]]
username = "globex"
password = "globex-password"
"#
    )
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct User {
    pub(crate) username: &'static str,
    pub(crate) password: &'static str,
}

/// A user of the first organization of [`configuration`].
pub(crate) const ACME: User = User {
    username: "acme%40example.com",
    password: "acme-password",
};

/// A user of the second.
pub(crate) const GLOBEX: User = User {
    username: "globex",
    password: "globex-password",
};

/// What a process uses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ResourceUsage {
    pub(crate) resident_kilobytes: u64,
    pub(crate) descriptors: usize,
    pub(crate) cpu_ticks: u64,
}

/// Is told to end when it is dropped.
pub(crate) struct Bridge {
    child: Mutex<Child>,
    pid: u32,
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
    log: LogFile,
    is_frozen: AtomicBool,
    /// The configuration file.
    file: tempfile::NamedTempFile,
    /// What was recorded of this bridge's actions, and those of others on its PBXes.
    name_records: Vec<QueueNameRecord>,
}

pub(crate) const API_PATH: &str = "/API/UpdateAgentState.php";

impl Bridge {
    /// Starts it, and waits until it listens and its link is ready.
    pub(crate) fn start(configuration: &str) -> Self {
        let bridge = Self::start_unready(configuration);
        bridge.wait_ready();
        bridge
    }

    /// Starts it, and waits until it listens.
    pub(crate) fn start_unready(configuration: &str) -> Self {
        Self::start_command(bridge_command(), configuration)
    }

    pub(crate) fn start_command(command: Command, configuration: &str) -> Self {
        let log = LogFile::new();
        let stderr = log.stdio();
        Self::start_with_log(command, configuration, log, stderr)
    }

    /// Starts it with that standard error; the log is what comes to `log`.
    pub(super) fn start_with_log(
        mut command: Command,
        configuration: &str,
        log: LogFile,
        stderr: Stdio,
    ) -> Self {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        let (configuration, name_records) = route_through_checkers(configuration);
        file.write_all(configuration.as_bytes()).expect("written");
        let child = command
            .arg("--config")
            .arg(file.path())
            .stderr(stderr)
            .spawn()
            .expect("the bridge");
        let address = |message: &str| {
            eventually(message, || {
                let log = log.text();
                let line = log.lines().find(|line| line.contains(message))?;
                // `"address":"127.0.0.1:1"` in JSON, `address=127.0.0.1:1` for people.
                let text = line.split("address").nth(1)?;
                let text = text.trim_start_matches(['"', ':', '=']);
                text.split(['"', ' ']).next()?.parse().ok()
            })
        };
        Self {
            admin: address("listening for operations"),
            address: address("listening for panels"),
            pid: child.id(),
            child: Mutex::new(child),
            log,
            is_frozen: AtomicBool::new(false),
            file,
            name_records,
        }
    }

    pub(crate) fn wait_ready(&self) {
        eventually("the link is ready", || self.is_ready().then_some(()));
    }

    pub(crate) fn is_ready(&self) -> bool {
        request(self.admin, "GET", "/readyz", &[], b"").status == 200
    }

    /// Asks as that user; `query` is what comes behind the credentials.
    pub(crate) fn get_as(&self, user: User, query: &str) -> Response {
        let User { username, password } = user;
        self.get(&format!("username={username}&password={password}&{query}"))
    }

    /// Asks as the user of acme, and expects a 200.
    pub(crate) fn acme_ok(&self, query: &str) -> Value {
        self.get_ok(ACME, query)
    }

    /// Asks, and expects a 200.
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

    /// The number of its process.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// What is in its log; the last lines may still be on their way. For a bridge that
    /// can't be asked whether they are.
    pub(crate) fn log_so_far(&self) -> String {
        self.log.text()
    }

    /// Everything that was logged up to now.
    pub(crate) fn log(&self) -> String {
        self.wait_for_log();
        self.log.text()
    }

    /// Waits until the thread that writes the log has written what was logged. One that
    /// is stopped or has ended writes nothing more.
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
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let body = answer.split("\r\n\r\n").nth(1).unwrap_or_default();
        let body: Value = serde_json::from_str(body)?;
        Ok(body["log_lines"]["waiting"].as_u64().expect("a number"))
    }

    /// How many actions of that name were sent to Asterisk.
    pub(crate) fn sent_count(&self, action: &str) -> usize {
        let log = self.log();
        let lines = log
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines
            .filter(|line| line["message"] == "sent")
            .filter(|line| {
                line["action"]
                    .as_str()
                    .is_some_and(|text| text.starts_with(action))
            })
            .count()
    }

    /// Its memory in resident_kilobytes, its open descriptors, and the processor time that
    /// it has used, in clock ticks.
    pub(crate) fn usage(&self) -> ResourceUsage {
        let proc = format!("/proc/{}", self.pid);
        let status = std::fs::read_to_string(format!("{proc}/status")).expect("status");
        let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let memory = memory.and_then(|text| text.trim().split(' ').next()?.parse().ok());
        let stat = std::fs::read_to_string(format!("{proc}/stat")).expect("stat");
        // Behind the name; utime and stime are the 14th and 15th field of all.
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

    /// Stops it where it is, until [`Self::thaw`].
    pub(crate) fn freeze(&self) {
        self.is_frozen.store(true, Ordering::SeqCst);
        send_signal(self.pid, "STOP");
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        send_signal(self.pid, "CONT");
        self.is_frozen.store(false, Ordering::SeqCst);
    }

    /// Tells it to end.
    pub(crate) fn terminate(&self) {
        send_signal(self.pid, "TERM");
    }

    /// Gives it another configuration to read; returns what it then logs of it.
    pub(crate) fn reconfigure(&self, configuration: &str) -> Value {
        let (configuration, _) = route_through_checkers(configuration);
        std::fs::write(self.file.path(), configuration).expect("written");
        self.reload()
    }

    /// Tells it to read its configuration again; returns what it then logs of it.
    pub(crate) fn reload(&self) -> Value {
        let told = |log: &str| {
            let lines = log.lines();
            let lines = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let about = lines.filter(|line| {
                let message = line["message"].as_str().unwrap_or_default();
                message == "the configuration was read again"
                    || message == "the configuration stays as it was"
            });
            about.collect::<Vec<_>>()
        };
        let before = told(&self.log()).len();
        send_signal(self.pid, "HUP");
        eventually("the configuration is read again", || {
            told(&self.log()).get(before).cloned()
        })
    }

    /// How it ended, where it has.
    pub(crate) fn exit_status(&self) -> Option<ExitStatus> {
        self.child
            .lock()
            .expect("child")
            .try_wait()
            .expect("a child")
    }

    /// Tells it to end, and waits; returns how it ended, and its log.
    pub(crate) fn stop(self) -> (ExitStatus, String) {
        self.terminate();
        let status = eventually("the bridge ends", || self.exit_status());
        (status, self.log())
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        if self.exit_status().is_none() {
            let mut child = self.child.lock().expect("child");
            let _ = child.kill();
            let _ = child.wait();
        }
        // A test that already fails says why itself.
        if !std::thread::panicking() {
            self.name_records
                .iter()
                .for_each(QueueNameRecord::assert_clean);
        }
    }
}
