//! The operator adds the lines of the AMI user while setup waits.

use std::fs;
use std::net::UdpSocket;
use std::path::PathBuf;

use super::Terminal;
use crate::setup::rights::{command_as_nobody, copied_program, nobody_owns};
use crate::setup::{Site, layouts};
use crate::support::on_both_versions;

on_both_versions!(
    operator_pastes_the_lines,
    user_without_rights_pastes_the_lines_on_a_remote_pbx,
    interruption_while_waiting_leaves_nothing,
);

/// Adds the lines on the terminal to Asterisk's files, as the operator of the PBX does.
pub(super) fn paste(site: &Site, text: &str) {
    let lines = text
        .lines()
        .filter_map(|line| line.trim_end().strip_prefix("  "));
    let lines: Vec<&str> = lines.collect();
    let file = site.asterisk_folder().join("manager.d/pasted.conf");
    fs::write(file, lines.join("\n") + "\n").expect("written");
    site.asterisk.cli("manager reload");
}

pub(super) fn answer_the_other_questions(terminal: &mut Terminal) {
    terminal.wait_for("Logged in");
    for question in [
        "Is that right? [Y/n] ",
        "Username [acme]: ",
        "pbx-main.secret? [Y/n] ",
    ] {
        terminal.wait_for(question);
        terminal.type_line("");
    }
    assert_eq!(terminal.status(), Some(0));
}

fn operator_pastes_the_lines(version: u32) {
    let site = Site::start(version, &layouts::debian());
    let mut terminal = Terminal::start(&site.command(&["--organization", "acme"]));
    terminal.wait_for("Asterisk's manager? [Y/n] ");
    terminal.type_line("n");
    let text = terminal.wait_for("to try the login");
    terminal.type_line("");
    terminal.wait_for("rejects the AMI user");
    paste(&site, &text);
    terminal.wait_for("to try the login");
    terminal.type_line("");
    answer_the_other_questions(&mut terminal);
    assert!(site.read("ami-bridge.toml").contains("[organization.acme]"));
}

/// Starts an Asterisk that other machines can reach. Its users are in `manager.d`.
fn remote_pbx(version: u32) -> Site {
    let manager = "[general]\nenabled = yes\nport = 5038\nbindaddr = 0.0.0.0\n\
                   #include \"manager.d/*.conf\"\n";
    Site::start(version, &layouts::debian().with("manager.conf", manager))
}

/// Returns this machine's address for other machines, or the loopback address if it has none.
fn own_address() -> String {
    let socket = UdpSocket::bind("0.0.0.0:0").expect("a socket");
    let connected = socket.connect("192.0.2.1:9");
    let address = connected.and_then(|()| socket.local_addr());
    address.map_or("127.0.0.1".to_owned(), |address| address.ip().to_string())
}

/// Starts setup for a remote PBX, as a user without rights, until it waits for the lines. Returns
/// the terminal, the folder for the configuration, and the text with the lines.
fn start_as_nobody(site: &Site) -> (Terminal, PathBuf, String) {
    let folder = site.folder.path();
    let home = folder.join("home");
    fs::create_dir(&home).expect("a folder");
    nobody_owns(&home);
    let directory = home.join("ami-bridge");
    let pbx = format!("{}:{}", own_address(), site.asterisk.port);
    let mut setup = command_as_nobody(&copied_program(folder));
    setup
        .args([
            "setup",
            "--organization",
            "acme",
            "--pbx",
            &pbx,
            "--directory",
        ])
        .arg(&directory);
    let mut terminal = Terminal::start(&setup);
    terminal.wait_for(&format!("AMI at {pbx}"));
    terminal.wait_for("Does this AMI user exist already? [y/N] ");
    terminal.type_line("");
    let text = terminal.wait_for("to try the login");
    // Nothing is stored before the operator has agreed to the configuration.
    assert!(!directory.exists());
    (terminal, directory, text)
}

fn user_without_rights_pastes_the_lines_on_a_remote_pbx(version: u32) {
    let site = remote_pbx(version);
    let (mut terminal, directory, text) = start_as_nobody(&site);
    paste(&site, &text);
    terminal.type_line("");
    answer_the_other_questions(&mut terminal);
    let configuration = fs::read_to_string(directory.join("ami-bridge.toml"));
    assert!(
        configuration
            .expect("a file")
            .contains("[organization.acme]")
    );
    let secret = fs::read_to_string(directory.join("pbx-main.secret")).expect("a secret");
    assert!(text.contains(&format!("  secret = {}", secret.trim())));
}

fn interruption_while_waiting_leaves_nothing(version: u32) {
    let site = remote_pbx(version);
    let before = site.files();
    let (mut terminal, directory, _) = start_as_nobody(&site);
    terminal.press("\u{3}");
    terminal.wait_for("Nothing was changed.");
    assert_eq!(terminal.status(), Some(130));
    assert!(!directory.exists());
    assert_eq!(site.files(), before);
}
