//! `ami-bridge setup` beside a real Asterisk whose files are laid out as Debian, FreePBX and
//! Issabel lay them out. The tests write these files; the distributions themselves are not
//! installed.

mod flags;
mod lamps;
mod large;
mod layouts;
mod mistakes;
mod rerun;
mod rights;
mod terminal;
mod undo;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use self::layouts::Layout;
use crate::support::{Asterisk, Bridge, bridge_command, write_script};

/// A machine with an Asterisk and a folder for the bridge's configuration.
struct Site {
    asterisk: Asterisk,
    folder: tempfile::TempDir,
}

/// What a run of setup has done.
struct Outcome {
    status: Option<i32>,
    /// Standard output and standard error.
    text: String,
}

impl Site {
    fn start(version: u32, layout: &Layout) -> Self {
        let files: Vec<_> = layout.etc.iter().map(|(n, t)| (*n, t.as_str())).collect();
        let asterisk = Asterisk::start_prepared(version, &files, &[], |instance| {
            for (path, text) in &layout.others {
                let path = instance.join(path);
                fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
                fs::write(path, text).expect("written");
            }
        });
        let folder = tempfile::tempdir().expect("a folder");
        // The program that setup runs to reload the manager. It ignores all arguments but the last.
        let program = folder.path().join("asterisk");
        let command = asterisk.cli_command();
        let text = format!("#!/bin/sh\nfor last; do :; done\nexec {command} \"$last\"\n");
        write_script(&program, &text);
        Self { asterisk, folder }
    }

    /// Returns Asterisk's configuration folder.
    fn asterisk_folder(&self) -> PathBuf {
        self.asterisk.instance_path("etc")
    }

    /// Returns the folder of the bridge's configuration.
    fn directory(&self) -> PathBuf {
        self.folder.path().join("ami-bridge")
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.directory().join(name)).expect(name)
    }

    fn secret(&self) -> String {
        self.read("pbx-main.secret").trim().to_owned()
    }

    /// Returns `PATH` with the programs of this site first.
    fn search_path(&self) -> String {
        let path = std::env::var("PATH").expect("PATH");
        format!("{}:{path}", self.folder.path().display())
    }

    /// Returns the command `setup` with the folders of this site.
    fn command(&self, arguments: &[&str]) -> Command {
        self.command_beside(&self.asterisk_folder(), arguments)
    }

    /// Like [`Self::command`], with another folder for Asterisk's configuration.
    fn command_beside(&self, asterisk_folder: &Path, arguments: &[&str]) -> Command {
        let mut command = bridge_command();
        command
            .env("PATH", self.search_path())
            .arg("setup")
            .arg("--asterisk-etc")
            .arg(asterisk_folder)
            .arg("--directory")
            .arg(self.directory())
            .args(arguments);
        command
    }

    fn setup(&self, arguments: &[&str]) -> Outcome {
        let output = self.command(arguments).output();
        Outcome::new(&output.expect("the output of ami-bridge"))
    }

    /// Writes a file with a secret, and returns its path.
    fn write_secret(&self, name: &str, secret: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, format!("{secret}\n")).expect("written");
        path.display().to_string()
    }

    /// Reads all files of Asterisk's configuration and of the bridge's.
    fn files(&self) -> BTreeMap<PathBuf, String> {
        let mut files = BTreeMap::new();
        read_files(&self.asterisk_folder(), &mut files);
        read_files(&self.directory(), &mut files);
        files
    }

    /// Starts the bridge with the configuration that setup has written, but on a free port.
    fn start_bridge(&self) -> Bridge {
        self.start_bridge_with(&[("AMI_BRIDGE__HTTP__LISTEN", "127.0.0.1:0")])
    }

    /// Starts the bridge with the configuration that setup has written, and with these environment
    /// variables.
    fn start_bridge_with(&self, environment: &[(&str, &str)]) -> Bridge {
        let mut command = bridge_command();
        command
            .env("CREDENTIALS_DIRECTORY", self.directory())
            .env("AMI_BRIDGE__ADMIN__LISTEN", "127.0.0.1:0")
            .envs(environment.iter().copied())
            .env(
                "AMI_BRIDGE__STATE__DIRECTORY",
                self.folder.path().join("state"),
            );
        let bridge = Bridge::start_command(command, &self.read("ami-bridge.toml"));
        bridge.wait_ready();
        bridge
    }

    /// Pauses an agent through the bridge, and checks that Asterisk has paused the member.
    fn assert_pause_works(&self, login: (&str, &str), agent: &str, queue: &str) {
        let bridge = self.start_bridge();
        let (username, password) = login;
        let query = format!(
            "username={username}&password={password}&action=pause&agent={agent}&reason=Lunch"
        );
        let response = bridge.get(&query);
        assert_eq!(response.status, 200, "{response:?}");
        let shown = self.asterisk.cli(&format!("queue show {queue}"));
        let member = shown
            .lines()
            .find(|line| line.contains(&format!("/{agent}")));
        let member = member.expect("a member");
        assert!(member.contains("paused:Lunch"), "{shown}");
    }
}

impl Outcome {
    fn new(output: &Output) -> Self {
        let (out, err) = (&output.stdout, &output.stderr);
        Self {
            status: output.status.code(),
            text: String::from_utf8_lossy(&[out.as_slice(), err].concat()).into_owned(),
        }
    }

    /// Asserts the exit status, and that the text contains these texts.
    fn assert(&self, status: i32, expected: &[&str]) {
        assert_eq!(self.status, Some(status), "{}", self.text);
        assert_contains(&self.text, expected);
    }

    /// Returns the password that setup has made for a user.
    fn password_of(&self, username: &str) -> String {
        let mut lines = self.text.lines();
        let is_user = |line: &&str| line.split_whitespace().eq(["username", username]);
        lines.by_ref().find(is_user).expect("the username");
        let line = lines.next().expect("a password");
        line.split_whitespace()
            .nth(1)
            .expect("a password")
            .to_owned()
    }
}

/// Asserts that a text contains these texts. Its lines may be broken at blanks.
fn assert_contains(text: &str, expected: &[&str]) {
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for expected in expected {
        assert!(joined.contains(expected), "{expected} is not in {text}");
    }
}

fn read_files(folder: &Path, files: &mut BTreeMap<PathBuf, String>) {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            read_files(&path, files);
        } else {
            let text = fs::read(&path).expect("a file");
            files.insert(path, String::from_utf8_lossy(&text).into_owned());
        }
    }
}
