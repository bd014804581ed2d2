//! Runs Asterisk with the sample configuration, or the simulated PBX, for a single test.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use super::queue_name_checker::QueueNameChecker;
use super::simulated::Simulated;
use super::{Ami, ReservedPort, eventually};

/// A running Asterisk, or the simulated PBX. Dropping it stops Asterisk and deletes the
/// files of the instance.
pub(crate) struct Asterisk {
    pub(crate) version: u32,
    pub(crate) port: u16,
    /// Keeps the port reserved while Asterisk restarts.
    _reserved: Option<ReservedPort>,
    name: String,
    /// The process id of Asterisk, not of the start script.
    pid: u32,
    config_overrides: Option<tempfile::TempDir>,
    /// Additional environment variables for Asterisk, as `NAME=VALUE`.
    environment: Vec<String>,
    running: Option<(Child, ChildStdin)>,
    simulated: Option<Simulated>,
    /// A proxy that checks the queue names in the bridges' actions.
    name_checker: Option<QueueNameChecker>,
}

/// The version number of the simulated PBX.
pub(crate) const SIMULATED: u32 = 0;

static INSTANCES: AtomicU32 = AtomicU32::new(0);

/// A second AMI user, with which tests query Asterisk directly.
const TESTER: &str =
    "\n[tester]\nsecret = tester-secret\nread = all\nwrite = agent,command,system\n";

impl Asterisk {
    pub(crate) fn start(version: u32) -> Self {
        Self::start_with(version, &[])
    }

    /// Starts an Asterisk to which bridges connect directly, without the queue name checker.
    /// For tests of the link, load and speed.
    pub(crate) fn start_direct(version: u32) -> Self {
        let mut asterisk = Self::start(version);
        asterisk.name_checker = None;
        asterisk
    }

    /// Starts an Asterisk in which `files` replace files of the sample configuration.
    pub(crate) fn start_with(version: u32, files: &[(&str, &str)]) -> Self {
        if version == SIMULATED {
            return Self::simulate(files);
        }
        Self::start_prepared(version, files, &[], |_| {})
    }

    /// Starts a real Asterisk with additional environment variables. Before Asterisk starts,
    /// calls `prepare` with the instance's folder.
    pub(crate) fn start_prepared(
        version: u32,
        files: &[(&str, &str)],
        environment: &[&str],
        prepare: impl FnOnce(&Path),
    ) -> Self {
        let overrides = tempfile::tempdir().expect("a temporary folder");
        let manager = manager_conf();
        std::fs::write(overrides.path().join("manager.conf"), manager).expect("written");
        for (name, text) in files {
            std::fs::write(overrides.path().join(name), text).expect("written");
        }
        let reserved = ReservedPort::reserve();
        let number = INSTANCES.fetch_add(1, Ordering::Relaxed);
        let mut asterisk = Self {
            version,
            port: reserved.address.port(),
            _reserved: Some(reserved),
            name: format!("test-{}-{number}", std::process::id()),
            pid: 0,
            config_overrides: Some(overrides),
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
            let found = files.iter().find(|(file, _)| *file == name);
            found.map(|(_, text)| (*text).to_owned())
        };
        let sample_file = |name: &str| {
            std::fs::read_to_string(sample_path(&format!("config/{name}"))).expect("a sample file")
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

    /// Restarts Asterisk with its saved state. Stops Asterisk first if it is running.
    pub(crate) fn restart(&mut self) {
        if let Some(simulated) = &mut self.simulated {
            return simulated.restart();
        }
        self.stop();
        let overrides = self.config_overrides.as_ref().expect("a real Asterisk");
        let port = self.port.to_string();
        let mut child = Command::new(sample_path("start"))
            .arg(self.version.to_string())
            .args(["--port", &port, "--name", &self.name])
            .args(["--until-eof", "--no-help", "--overlay"])
            .arg(overrides.path())
            .args(self.environment.iter().flat_map(|pair| ["--env", pair]))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("asterisk-sample/start is executable");
        let stdin = child.stdin.take().expect("piped");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let ready = lines
            .find(|line| line.as_ref().is_ok_and(|line| line.starts_with("ready")))
            .expect("a ready line")
            .expect("text");
        let pid = ready
            .split("pid ")
            .nth(1)
            .and_then(|rest| rest.split(',').next());
        self.pid = pid
            .and_then(|pid| pid.parse().ok())
            .expect("a process id in the ready line");
        self.running = Some((child, stdin));
    }

    /// Runs an Asterisk CLI command and returns its output.
    pub(crate) fn cli(&self, command: &str) -> String {
        if let Some(simulated) = &self.simulated {
            return simulated.cli(command);
        }
        self.cli_bytes(command.as_ref())
    }

    /// Like [`Self::cli`], but the command may be invalid UTF-8. Needs a real Asterisk.
    pub(crate) fn cli_bytes(&self, command: &OsStr) -> String {
        let output = Command::new(sample_path("cli"))
            .args([&self.version.to_string(), &self.name])
            .arg(command)
            .output()
            .expect("asterisk-sample/cli is executable");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Opens an AMI session that bypasses the bridge.
    pub(crate) fn ami(&self) -> Ami {
        Ami::login(self.port, "tester", "tester-secret")
    }

    /// Opens an AMI session that receives events of these classes, such as `agent,call`.
    pub(crate) fn ami_with_events(&self, classes: &str) -> Ami {
        Ami::login_with_events(self.port, "tester", "tester-secret", classes)
    }

    /// Returns the content of `queue_log`, in which Asterisk logs every executed change.
    pub(crate) fn queue_log(&self) -> String {
        if let Some(simulated) = &self.simulated {
            return simulated.queue_log();
        }
        std::fs::read_to_string(self.queue_log_path()).unwrap_or_default()
    }

    fn queue_log_path(&self) -> PathBuf {
        self.instance_path("log/queue_log")
    }

    /// Returns the queue name checker between the bridges and this PBX.
    pub(crate) fn name_checker(&self) -> &QueueNameChecker {
        self.name_checker
            .as_ref()
            .expect("a PBX with a name checker")
    }

    /// Returns the path of a file in this instance's folder.
    pub(crate) fn instance_path(&self, path: &str) -> PathBuf {
        let roots = std::env::var_os("AMI_BRIDGE_ASTERISK_ROOTS")
            .map_or_else(|| sample_path("../.asterisk"), PathBuf::from);
        roots.join(format!("{}/instances/{}/{path}", self.version, self.name))
    }

    /// Returns the beginning of a shell command that ends with a command for this instance's
    /// command line.
    pub(crate) fn cli_command(&self) -> String {
        let cli = sample_path("cli");
        format!("{} {} {}", cli.display(), self.version, self.name)
    }

    /// Reads one of this instance's configuration files.
    pub(crate) fn read_config(&self, name: &str) -> String {
        std::fs::read_to_string(self.instance_path(&format!("etc/{name}")))
            .expect("a configuration file")
    }

    /// Replaces one of this instance's configuration files. Asterisk reads the new file at the
    /// next reload.
    pub(crate) fn write_config(&self, name: &str, text: &str) {
        std::fs::write(self.instance_path(&format!("etc/{name}")), text)
            .expect("a configuration file");
    }

    /// Returns the content of `queue_log` and empties the file.
    pub(crate) fn take_queue_log(&self) -> String {
        if let Some(simulated) = &self.simulated {
            return simulated.take_queue_log();
        }
        // Asterisk opened the file in append mode, so it writes the next line at
        // the start of the emptied file.
        let log = self.queue_log();
        let file = std::fs::OpenOptions::new()
            .write(true)
            .open(self.queue_log_path());
        file.and_then(|file| file.set_len(0)).expect("queue_log");
        log
    }

    /// Adds a caller to a queue. An unanswered caller hangs up after a minute.
    pub(crate) fn add_caller(&self, queue: &str) {
        self.cli(&format!(
            "channel originate Local/{queue}@callers application Wait 60"
        ));
    }

    /// Suspends Asterisk with SIGSTOP, as if its host had hung.
    pub(crate) fn freeze(&self) {
        if let Some(simulated) = &self.simulated {
            return simulated.set_frozen(true);
        }
        send_signal(self.pid, "STOP");
        // Threads stop one by one, and a thread that is still running can answer an action.
        eventually("all Asterisk threads stop", || {
            self.is_frozen().then_some(())
        });
    }

    fn is_frozen(&self) -> bool {
        let tasks =
            std::fs::read_dir(format!("/proc/{}/task", self.pid)).expect("Asterisk's threads");
        let mut states = tasks.filter_map(|task| {
            let stat = std::fs::read_to_string(task.ok()?.path().join("stat")).ok()?;
            // The state follows the thread name, which is in parentheses.
            stat.rsplit_once(") ")?.1.chars().next()
        });
        states.all(|state| state == 'T')
    }

    /// Resumes a frozen Asterisk.
    pub(crate) fn resume(&self) {
        if let Some(simulated) = &self.simulated {
            return simulated.set_frozen(false);
        }
        send_signal(self.pid, "CONT");
    }

    /// Kills Asterisk with SIGKILL, to simulate a crash.
    pub(crate) fn kill(&mut self) {
        if let Some(simulated) = &self.simulated {
            return simulated.kill();
        }
        send_signal(self.pid, "KILL");
        self.wait_for_exit();
    }

    /// Waits until Asterisk exits. Does not stop Asterisk: the caller must do that first.
    pub(crate) fn wait_for_exit(&mut self) {
        if let Some((mut child, _stdin)) = self.running.take() {
            eventually("Asterisk exits", || child.try_wait().expect("a child"));
        }
    }

    /// Returns whether Asterisk has exited.
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

/// Reads a file of the sample Asterisk configuration.
pub(crate) fn sample_config(name: &str) -> String {
    std::fs::read_to_string(sample_path("config").join(name)).expect("a sample file")
}

fn sample_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("asterisk-sample")
        .join(name)
}

/// Returns the `manager.conf` of the tests.
pub(crate) fn manager_conf() -> String {
    sample_config("manager.conf") + TESTER
}
