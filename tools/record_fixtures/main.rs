//! Records the transcripts in `ami-fixtures/VERSION/` from a real Asterisk.
//!
//! ```text
//! cargo run --example record_fixtures -- 16
//! ```
//!
//! Starts the sample Asterisk of that version, plays the scenes over plain TCP, and
//! writes a transcript of each scene. `ami-fixtures/README.md` describes the format. The
//! tool does not encode actions with the library, so the tests can compare the library's
//! encoding with the transcripts.

mod scenes;
mod wire;

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use scenes::{READER, SCENES};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let version = std::env::args()
        .nth(1)
        .ok_or("usage: record_fixtures 16|22")?;
    let folder = project("ami-fixtures").join(&version);
    std::fs::create_dir_all(&folder)?;
    let asterisk = Asterisk::start(&version)?;
    let version_text = asterisk.version()?;
    for (name, about, scene) in SCENES {
        let wire = scene
            .play(&asterisk)
            .map_err(|error| format!("{name}: {error}"))?;
        let text = format!("# {about}\n# {version_text}\n{}", wire.transcript());
        std::fs::write(folder.join(name).with_extension("txt"), text)?;
    }
    Ok(())
}

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A running Asterisk. Dropping it stops the process and removes its files.
struct Asterisk {
    version: String,
    name: String,
    port: u16,
    child: Child,
    /// Asterisk stops when its standard input is closed.
    stdin: Option<ChildStdin>,
}

impl Asterisk {
    fn start(version: &str) -> Result<Self> {
        let name = format!("record-{version}");
        let overlay =
            std::env::temp_dir().join(format!("ami-bridge-{name}-{}", std::process::id()));
        std::fs::create_dir(&overlay)?;
        let sample = std::fs::read_to_string(project("asterisk-sample/config/manager.conf"))?;
        let (reader, secret) = READER;
        let reader = format!("\n[{reader}]\nsecret = {secret}\nread = agent,system\n");
        std::fs::write(overlay.join("manager.conf"), sample + &reader)?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut child = Command::new(project("asterisk-sample/start"))
            .args([version, "--until-eof", "--name", &name, "--port"])
            .arg(port.to_string())
            .arg("--overlay")
            .arg(&overlay)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().ok_or("no output")?;
        let asterisk = Self {
            version: version.to_owned(),
            name,
            port,
            stdin: child.stdin.take(),
            child,
        };
        let mut lines = BufReader::new(output).lines().map_while(|line| line.ok());
        let ready = lines.any(|line| line.starts_with("ready"));
        std::fs::remove_dir_all(&overlay)?;
        if !ready {
            return Err("Asterisk did not start".into());
        }
        Ok(asterisk)
    }

    /// Starts a command on Asterisk's command line.
    fn cli(&self, command: &str) -> Result<Child> {
        Ok(Command::new(project("asterisk-sample/cli"))
            .args([&self.version, &self.name, command])
            .stdout(Stdio::piped())
            .spawn()?)
    }

    /// Returns the version, such as `Asterisk 16.28.0~dfsg-0+deb11u10`.
    fn version(&self) -> Result<String> {
        let output = self.cli("core show version")?.wait_with_output()?;
        let text = String::from_utf8(output.stdout)?;
        // The rest of the text is the build's host, user and time.
        let (version, _) = text.split_once(" built").ok_or("no version")?;
        Ok(version.to_owned())
    }
}

impl Drop for Asterisk {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // `drop` can't report a failure.
        let _ = self.child.wait();
        let _ = Command::new(project("asterisk-sample/remove"))
            .args([&self.version, &self.name])
            .status();
    }
}
