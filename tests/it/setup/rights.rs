//! Setup as a user who may not read or write Asterisk's files. If the tests do not run as root,
//! they are such a user already.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Outcome, Site, layouts};
use crate::support::on_both_versions;

on_both_versions!(user_without_rights_gets_lines_to_paste);

/// The id of a user without rights.
const NOBODY: u32 = 65534;

fn is_root() -> bool {
    fs::metadata("/proc/self").expect("this process").uid() == 0
}

/// Copies the program to where every user can execute it.
fn copied_program(folder: &Path) -> PathBuf {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("set");
    let program = folder.join("bridge-copy");
    fs::copy(env!("CARGO_BIN_EXE_ami-bridge"), &program).expect("a copy");
    program
}

fn setup_as_nobody(site: &Site, program: &Path, directory: &Path) -> Outcome {
    let mut command = Command::new(program);
    command
        .args(["setup", "--yes", "--organization", "acme", "--pbx"])
        .arg(format!("127.0.0.1:{}", site.asterisk.port))
        .arg("--asterisk-etc")
        .arg(site.folder.path().join("unreadable"))
        .arg("--directory")
        .arg(directory);
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    Outcome::new(&command.output().expect("the output of ami-bridge"))
}

fn user_without_rights_gets_lines_to_paste(version: u32) {
    let site = Site::start(version, &layouts::debian());
    let folder = site.folder.path();
    let program = copied_program(folder);
    let unreadable = folder.join("unreadable");
    fs::create_dir(&unreadable).expect("a folder");
    fs::write(unreadable.join("manager.conf"), "[general]\n").expect("written");
    fs::set_permissions(&unreadable, fs::Permissions::from_mode(0o000)).expect("set");
    let before = site.files();

    let refused = setup_as_nobody(&site, &program, Path::new("/proc/ami-bridge"));
    refused.assert(1, &["/proc can't be written", "--directory"]);
    assert_eq!(site.files(), before);

    let home = folder.join("home");
    fs::create_dir(&home).expect("a folder");
    if is_root() {
        chown(&home, Some(NOBODY), Some(NOBODY)).expect("a new owner");
    }
    let directory = home.join("ami-bridge");
    let outcome = setup_as_nobody(&site, &program, &directory);
    outcome.assert(1, &["may not read", "run the same command again"]);
    let secret = fs::read_to_string(directory.join("pbx-main.secret")).expect("a secret");
    assert!(
        outcome.text.contains(&format!("  secret = {secret}")),
        "{}",
        outcome.text
    );
    assert!(!directory.join("ami-bridge.toml").exists());

    // The operator of the PBX pastes the printed lines, which are indented.
    let lines = outcome
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("  "));
    let lines: Vec<&str> = lines.collect();
    let file = site.asterisk_folder().join("manager.d/pasted.conf");
    fs::write(file, lines.join("\n") + "\n").expect("written");
    site.asterisk.cli("manager reload");
    let outcome = setup_as_nobody(&site, &program, &directory);
    outcome.assert(0, &["Logged in", "interface PJSIP/{agent}"]);
    let text = fs::read_to_string(directory.join("ami-bridge.toml")).expect("a configuration");
    assert!(text.contains("[organization.acme]"), "{text}");
    fs::set_permissions(&unreadable, fs::Permissions::from_mode(0o700)).expect("set");
}
