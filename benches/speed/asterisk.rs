//! Starts and stops a real Asterisk with the scripts in `asterisk-sample`.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::Result;

/// A running Asterisk. On drop, it is stopped, and its files are deleted.
pub(crate) struct Asterisk {
    pub(crate) version: u32,
    pub(crate) name: String,
    pub(crate) pid: u32,
    child: Child,
    /// Asterisk stops when this is closed.
    stdin: Option<ChildStdin>,
}

impl Asterisk {
    /// Starts an Asterisk whose AMI listens on `ami_port`. `files` replace those of the sample with
    /// the same names. `arguments` are passed to `asterisk-sample/start`.
    pub(crate) fn start(
        version: u32,
        name: String,
        ami_port: u16,
        files: &[(&str, String)],
        arguments: &[&str],
    ) -> Result<Self> {
        let overlay = tempfile::tempdir()?;
        for (file, text) in files {
            std::fs::write(overlay.path().join(file), text)?;
        }
        let mut child = Command::new(sample("start"))
            .arg(version.to_string())
            .args(["--port", &ami_port.to_string(), "--name", &name])
            .args(arguments)
            .arg("--until-eof")
            .arg("--overlay")
            .arg(overlay.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().ok_or("piped")?;
        let mut asterisk = Self {
            version,
            name,
            pid: 0,
            child,
            stdin,
        };
        // "ready: Asterisk 22, pid 1234, AMI at …"
        let mut lines = BufReader::new(stdout).lines().map_while(|line| line.ok());
        let ready = lines.find(|line| line.starts_with("ready"));
        asterisk.pid = ready
            .and_then(|line| line.split("pid ").nth(1)?.split(',').next()?.parse().ok())
            .ok_or("Asterisk did not start")?;
        Ok(asterisk)
    }
}

impl Drop for Asterisk {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.wait();
        let _ = Command::new(sample("remove"))
            .args([&self.version.to_string(), &self.name])
            .status();
    }
}

/// Returns the path of a file in `asterisk-sample`.
pub(crate) fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("asterisk-sample")
        .join(name)
}

/// Returns the text of a file of the sample's configuration.
pub(crate) fn sample_file(name: &str) -> Result<String> {
    let path = sample("config").join(name);
    let text = std::fs::read_to_string(&path);
    text.map_err(|error| format!("{}: {error}", path.display()).into())
}
