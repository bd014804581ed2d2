//! Starting the systemd unit. The tests run setup in a mount namespace with their own
//! `/etc/ami-bridge` and unit, and with a `systemctl` that only notes its commands.
//! `packaging/test-service` starts the unit with a real systemd.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;

use super::Terminal;
use crate::setup::{Outcome, Site, layouts};
use crate::support::{ReservedPort, on_both_versions, write_script};

on_both_versions!(
    unshare_start_flag_starts_the_unit,
    unshare_operator_is_asked_whether_to_start_the_unit,
);

/// An AMI user that exists, because the command line of Asterisk is not usable in the namespace.
const USER: &str = "[bridge]\nsecret = from-the-file\nread = agent,system\nwrite = agent\n";

/// A site with a unit.
struct Machine {
    site: Site,
    port: ReservedPort,
}

impl Machine {
    fn start(version: u32) -> Self {
        let mut layout = layouts::debian();
        layout
            .others
            .push(("etc/manager.d/bridge.conf", USER.to_owned()));
        let site = Site::start(version, &layout);
        let folder = site.folder.path().display().to_string();
        let systemctl = format!(
            "#!/bin/sh\ncase $1 in\n\
             is-*) exec test -e {folder}/$1 ;;\n\
             start | restart) touch {folder}/is-active ;;\n\
             enable) touch {folder}/is-enabled ;;\n\
             *) exit ;; # The check asks for the limits of the unit.\nesac\n\
             echo \"$*\" >>{folder}/systemctl.log\n"
        );
        let path = site.folder.path().join("systemctl");
        write_script(&path, &systemctl);
        fs::create_dir(site.directory()).expect("a folder");
        let port = ReservedPort::reserve();
        Self { site, port }
    }

    /// Returns the command `setup` in the namespace.
    fn command(&self, arguments: &[&str]) -> Command {
        let script = format!(
            "mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system && \
             mount -t tmpfs tmpfs /etc && mkdir -p /etc/ami-bridge /etc/systemd/system && \
             touch /etc/systemd/system/ami-bridge.service && \
             mount --bind {} /etc/ami-bridge && exec \"$@\"",
            self.site.directory().display()
        );
        let mut command = Command::new("unshare");
        command
            .env("PATH", self.site.search_path())
            .args(["--mount", "--map-root-user", "sh", "-c", &script, "sh"])
            .args([env!("CARGO_BIN_EXE_ami-bridge"), "setup", "--asterisk-etc"])
            .arg(self.site.asterisk_folder())
            .args([
                "--organization",
                "acme",
                "--ami-username",
                "bridge",
                "--listen",
            ])
            .arg(self.port.address.to_string())
            .args(arguments);
        command
    }

    fn setup(&self, arguments: &[&str]) -> Outcome {
        let output = self.command(arguments).output();
        Outcome::new(&output.expect("the output of unshare"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.site.folder.path().join(name)
    }

    /// Returns the commands that change the unit, and forgets them.
    fn take_commands(&self) -> String {
        let log = fs::read_to_string(self.path("systemctl.log")).unwrap_or_default();
        let _ = fs::remove_file(self.path("systemctl.log"));
        log
    }
}

const STARTED: &str = "enable ami-bridge\nrestart ami-bridge\n";

fn unshare_start_flag_starts_the_unit(version: u32) {
    let machine = Machine::start(version);
    let outcome = machine.setup(&["--yes", "--start"]);
    outcome.assert(
        0,
        &[
            "the unit ami-bridge is enabled and started",
            "undo: systemctl disable --now ami-bridge",
        ],
    );
    assert!(
        !outcome.text.contains("Start the bridge:"),
        "{}",
        outcome.text
    );
    assert_eq!(machine.take_commands(), STARTED);
    let configuration = machine.site.read("ami-bridge.toml");
    assert!(
        configuration.contains("&& systemctl reload ami-bridge\n"),
        "{configuration}"
    );

    let again = machine.setup(&["--yes", "--start"]);
    again.assert(0, &["Setup changes nothing in it"]);
    assert!(!again.text.contains("undo:"), "{}", again.text);
    assert_eq!(machine.take_commands(), "");

    // The unit does not run, and another program listens on its port.
    fs::remove_file(machine.path("is-active")).expect("removed");
    let _other = TcpListener::bind(machine.port.address).expect("a listener");
    let again = machine.setup(&["--yes", "--start"]);
    again.assert(0, &["Starting the bridge"]);
    assert_eq!(
        machine.take_commands(),
        "enable ami-bridge\nstart ami-bridge\n"
    );

    // The unit runs, but does not start with the system.
    fs::remove_file(machine.path("is-enabled")).expect("removed");
    let again = machine.setup(&["--yes"]);
    assert!(!again.text.contains("Start the bridge:"), "{}", again.text);
    assert_eq!(machine.take_commands(), "");
    machine
        .setup(&["--yes", "--start"])
        .assert(0, &["is enabled and started"]);
    assert!(machine.path("is-enabled").exists());
}

fn unshare_operator_is_asked_whether_to_start_the_unit(version: u32) {
    for (answer, expected) in [("n", ""), ("", STARTED)] {
        let machine = Machine::start(version);
        let mut terminal = Terminal::start(&machine.command(&[]));
        for (question, answer) in [
            ("Is that right? [Y/n] ", ""),
            ("Username [acme]: ", ""),
            ("pbx-main.secret? [Y/n] ", ""),
            ("Start the bridge now? [Y/n] ", answer),
        ] {
            terminal.wait_for(question);
            terminal.type_line(answer);
        }
        terminal.wait_for("undo: ");
        assert_eq!(terminal.status(), Some(0));
        assert_eq!(machine.take_commands(), expected);
        let is_left = terminal
            .text()
            .contains("  systemctl enable --now ami-bridge\r\n");
        assert_eq!(is_left, expected.is_empty(), "{}", terminal.text());
    }
}
