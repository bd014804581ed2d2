//! A real Asterisk with the sample configuration, for one test, or the simulated
//! PBX in its place.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use super::queue_name_checker::QueueNameChecker;
use super::simulated::Simulated;
use super::{Ami, ReservedPort, eventually};

/// Ends, with everything that it kept, when it is dropped.
pub(crate) struct Asterisk {
    pub(crate) version: u32,
    pub(crate) port: u16,
    /// It may end, and start again there.
    _reserved: Option<ReservedPort>,
    name: String,
    /// Process id of Asterisk itself.
    pid: u32,
    config_overrides: Option<tempfile::TempDir>,
    /// `NAME=VALUE`, for Asterisk alone.
    environment: Vec<String>,
    running: Option<(Child, ChildStdin)>,
    simulated: Option<Simulated>,
    /// Checks the queue names in the bridges' actions.
    name_checker: Option<QueueNameChecker>,
}

/// In the place of a version: the simulated PBX.
pub(crate) const SIMULATED: u32 = 0;

static INSTANCES: AtomicU32 = AtomicU32::new(0);

/// A second AMI user, by which the tests see what Asterisk sees.
const TESTER: &str =
    "\n[tester]\nsecret = tester-secret\nread = all\nwrite = agent,command,system\n";

impl Asterisk {
    pub(crate) fn start(version: u32) -> Self {
        Self::start_with(version, &[])
    }

    /// Lets bridges link to it without the audit of queue names in between: for tests of
    /// the link itself, of load and of speed.
    pub(crate) fn start_direct(version: u32) -> Self {
        let mut asterisk = Self::start(version);
        asterisk.name_checker = None;
        asterisk
    }

    /// With files that take the place of the sample's.
    pub(crate) fn start_with(version: u32, files: &[(&str, &str)]) -> Self {
        if version == SIMULATED {
            return Self::simulate(files);
        }
        Self::start_prepared(version, files, &[], |_| {})
    }

    /// A real Asterisk with variables of its own in its environment. `prepare` gets the
    /// instance's folder before Asterisk starts.
    pub(crate) fn start_prepared(
        version: u32,
        files: &[(&str, &str)],
        environment: &[&str],
        prepare: impl FnOnce(&Path),
    ) -> Self {
        let overlay = tempfile::tempdir().expect("a temporary folder");
        let manager = sample_config("manager.conf") + TESTER;
        std::fs::write(overlay.path().join("manager.conf"), manager).expect("overlay");
        for (name, text) in files {
            std::fs::write(overlay.path().join(name), text).expect("overlay");
        }
        let reserved = ReservedPort::reserve();
        let number = INSTANCES.fetch_add(1, Ordering::Relaxed);
        let mut asterisk = Self {
            version,
            port: reserved.address.port(),
            _reserved: Some(reserved),
            name: format!("test-{}-{number}", std::process::id()),
            pid: 0,
            config_overrides: Some(overlay),
            environment: environment.iter().map(ToString::to_string).collect(),
            running: None,
            simulated: None,
            name_checker: None,
        };
        asterisk.name_checker = Some(QueueNameChecker::start(asterisk.port));
        let folder = asterisk.instance_path("");
        std::fs::create_dir_all(&folder).expect("the instance's folder");
        prepare(&folder);
        asterisk.restart();
        asterisk
    }

    fn simulate(files: &[(&str, &str)]) -> Self {
        let file = |name: &str| {
            let given = files.iter().find(|(given, _)| *given == name);
            given.map(|(_, text)| (*text).to_owned())
        };
        let sample_file = |name: &str| {
            std::fs::read_to_string(sample_path(&format!("config/{name}"))).expect("sample")
        };
        let queues = file("queues.conf").unwrap_or_else(|| sample_file("queues.conf"));
        let manager = file("manager.conf").unwrap_or_else(|| sample_file("manager.conf") + TESTER);
        let simulated = Simulated::start(&queues, &manager);
        Self {
            version: SIMULATED,
            port: simulated.port,
            _reserved: None,
            name: String::new(),
            pid: 0,
            config_overrides: None,
            environment: Vec::new(),
            running: None,
            name_checker: Some(QueueNameChecker::start(simulated.port)),
            simulated: Some(simulated),
        }
    }

    /// Starts it where it has ended, with the state that it left.
    pub(crate) fn restart(&mut self) {
        if let Some(simulated) = &mut self.simulated {
            return simulated.restart();
        }
        self.stop();
        let overlay = self
            .config_overrides
            .as_ref()
            .expect("until it is dropped")
            .path();
        let mut child = Command::new(sample_path("start"))
            .arg(self.version.to_string())
            .args([
                "--port",
                &self.port.to_string(),
                "--name",
                &self.name,
                "--until-eof",
            ])
            .arg("--overlay")
            .arg(overlay)
            .args(self.environment.iter().flat_map(|pair| ["--env", pair]))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("asterisk-sample/start");
        let stdin = child.stdin.take().expect("piped");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let ready = lines
            .find(|line| line.as_ref().is_ok_and(|line| line.starts_with("ready")))
            .expect("Asterisk starts")
            .expect("text");
        let pid = ready
            .split("pid ")
            .nth(1)
            .and_then(|rest| rest.split(',').next());
        self.pid = pid
            .and_then(|pid| pid.parse().ok())
            .expect("pid in the ready line");
        self.running = Some((child, stdin));
    }

    /// Asterisk's own command line.
    pub(crate) fn cli(&self, command: &str) -> String {
        if let Some(simulated) = &self.simulated {
            return simulated.cli(command);
        }
        self.cli_bytes(command.as_ref())
    }

    /// The command line of a real Asterisk, with any bytes.
    pub(crate) fn cli_bytes(&self, command: &OsStr) -> String {
        let output = Command::new(sample_path("cli"))
            .args([&self.version.to_string(), &self.name])
            .arg(command)
            .output()
            .expect("asterisk-sample/cli");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// A session of the tests' own.
    pub(crate) fn ami(&self) -> Ami {
        Ami::login(self.port, "tester", "tester-secret")
    }

    /// Its queue_log: what was done, and nothing that was not.
    pub(crate) fn queue_log(&self) -> String {
        if let Some(simulated) = &self.simulated {
            return simulated.queue_log();
        }
        std::fs::read_to_string(self.queue_log_path()).unwrap_or_default()
    }

    fn queue_log_path(&self) -> PathBuf {
        self.instance_path("log/queue_log")
    }

    /// The audit between the bridges and this PBX.
    pub(crate) fn name_checker(&self) -> &QueueNameChecker {
        self.name_checker.as_ref().expect("audited")
    }

    /// A file of this instance.
    fn instance_path(&self, path: &str) -> PathBuf {
        let roots = std::env::var_os("AMI_BRIDGE_ASTERISK_ROOTS")
            .map_or_else(|| sample_path("../.asterisk"), PathBuf::from);
        roots.join(format!("{}/instances/{}/{path}", self.version, self.name))
    }

    /// A file of its configuration.
    pub(crate) fn read_config(&self, name: &str) -> String {
        std::fs::read_to_string(self.instance_path(&format!("etc/{name}")))
            .expect("its configuration")
    }

    /// Changes a file of its configuration, which it reads when it is told to.
    pub(crate) fn write_config(&self, name: &str, text: &str) {
        std::fs::write(self.instance_path(&format!("etc/{name}")), text)
            .expect("its configuration");
    }

    /// Its queue_log so far, which begins anew.
    pub(crate) fn take_queue_log(&self) -> String {
        if let Some(simulated) = &self.simulated {
            return simulated.take_queue_log();
        }
        // Asterisk appends, wherever the end of the file is.
        let log = self.queue_log();
        let file = std::fs::OpenOptions::new()
            .write(true)
            .open(self.queue_log_path());
        file.and_then(|file| file.set_len(0)).expect("queue_log");
        log
    }

    /// A caller joins a queue and waits there for a minute, or until answered.
    pub(crate) fn add_caller(&self, queue: &str) {
        self.cli(&format!(
            "channel originate Local/{queue}@callers application Wait 60"
        ));
    }

    /// Stops every thread of it, as a hanging machine would.
    pub(crate) fn freeze(&self) {
        if let Some(simulated) = &self.simulated {
            return simulated.set_frozen(true);
        }
        send_signal(self.pid, "STOP");
        // Threads stop one by one, and one that still runs can still answer.
        eventually("every thread is stopped", || self.is_frozen().then_some(()));
    }

    fn is_frozen(&self) -> bool {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.pid)).expect("its tasks");
        let mut states = tasks.filter_map(|task| {
            let stat = std::fs::read_to_string(task.ok()?.path().join("stat")).ok()?;
            // Behind the name, which stands in parentheses.
            stat.rsplit_once(") ")?.1.chars().next()
        });
        states.all(|state| state == 'T')
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        if let Some(simulated) = &self.simulated {
            return simulated.set_frozen(false);
        }
        send_signal(self.pid, "CONT");
    }

    /// Kills it at once, as a crash would.
    pub(crate) fn kill(&mut self) {
        if let Some(simulated) = &self.simulated {
            return simulated.kill();
        }
        send_signal(self.pid, "KILL");
        self.wait_for_exit();
    }

    /// Waits for its end, which something else has brought about.
    pub(crate) fn wait_for_exit(&mut self) {
        if let Some((mut child, _stdin)) = self.running.take() {
            eventually("Asterisk ends", || child.try_wait().expect("a child"));
        }
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_exited(&mut self) -> bool {
        let child = self.running.as_mut().map(|(child, _)| child.try_wait());
        child.is_none_or(|state| state.expect("a child").is_some())
    }

    fn stop(&mut self) {
        if let Some((mut child, stdin)) = self.running.take() {
            drop(stdin);
            let _ = child.wait();
        }
    }
}

impl Drop for Asterisk {
    fn drop(&mut self) {
        if self.simulated.is_some() {
            return;
        }
        self.stop();
        let _ = Command::new(sample_path("remove"))
            .args([&self.version.to_string(), &self.name])
            .status();
    }
}

/// Sends a signal to a process.
pub(crate) fn send_signal(pid: u32, signal: &str) {
    let status = Command::new("sh")
        .args(["-c", &format!("kill -{signal} {pid}")])
        .status();
    assert!(status.expect("sh").success(), "kill -{signal} {pid}");
}

/// A file of the sample's configuration.
pub(crate) fn sample_config(name: &str) -> String {
    std::fs::read_to_string(sample_path("config").join(name)).expect("the sample")
}

fn sample_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("asterisk-sample")
        .join(name)
}
