//! Setup as a user who may not read or write Asterisk's files. If the tests do not run as root,
//! they are such a user already.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Outcome, Site, layouts};
use crate::support::{Ami, bridge_command, copy_program, on_both_versions};

on_both_versions!(
    user_without_rights_gets_a_file_with_the_lines,
    print_ami_user_writes_nothing_on_the_asterisk_side,
    ami_user_has_only_the_necessary_rights,
);

/// The id of a user without rights.
const NOBODY: u32 = 65534;

fn is_root() -> bool {
    fs::metadata("/proc/self").expect("this process").uid() == 0
}

/// Copies the program to where every user can execute it.
pub(super) fn copied_program(folder: &Path) -> PathBuf {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("set");
    let program = folder.join("bridge-copy");
    copy_program(Path::new(env!("CARGO_BIN_EXE_ami-bridge")), &program);
    program
}

/// Makes the user without rights the owner of a folder.
pub(super) fn nobody_owns(folder: &Path) {
    if is_root() {
        chown(folder, Some(NOBODY), Some(NOBODY)).expect("a new owner");
    }
}

/// Returns a command that runs a program as the user without rights.
pub(super) fn command_as_nobody(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    let user = format!("--reuid={NOBODY}");
    let group = format!("--regid={NOBODY}");
    command.args([&user, &group, "--clear-groups"]).arg(program);
    command
}

fn setup_as_nobody(site: &Site, program: &Path, directory: &Path) -> Outcome {
    let mut command = command_as_nobody(program);
    command
        .args(["setup", "--yes", "--organization", "acme", "--pbx"])
        .arg(format!("127.0.0.1:{}", site.asterisk.port))
        .arg("--asterisk-etc")
        .arg(site.folder.path().join("unreadable"))
        .arg("--directory")
        .arg(directory);
    Outcome::new(&command.output().expect("the output of ami-bridge"))
}

/// Adds the lines in setup's file to Asterisk's files, as the operator of the PBX does. Asserts
/// that only setup's user can read the file, and that the output does not contain the secret.
fn paste(site: &Site, directory: &Path, outcome: &Outcome) {
    let file = directory.join("ami-user.conf");
    let mode = file.metadata().expect("a file").mode();
    assert_eq!(mode & 0o777, 0o600);
    let lines = fs::read_to_string(file).expect("a file");
    let secret = fs::read_to_string(directory.join("pbx-main.secret")).expect("a secret");
    assert!(lines.contains(&format!("\nsecret = {secret}")), "{lines}");
    assert!(!outcome.text.contains(secret.trim()), "{}", outcome.text);
    let pasted = site.asterisk_folder().join("manager.d/pasted.conf");
    fs::write(pasted, lines).expect("written");
    site.asterisk.cli("manager reload");
}

fn user_without_rights_gets_a_file_with_the_lines(version: u32) {
    let site = Site::start(version, &layouts::debian());
    let folder = site.folder.path();
    let program = copied_program(folder);
    let unreadable = folder.join("unreadable");
    fs::create_dir(&unreadable).expect("a folder");
    fs::write(unreadable.join("manager.conf"), "[general]\n").expect("written");
    fs::set_permissions(&unreadable, fs::Permissions::from_mode(0o000)).expect("set");
    let before = site.files();

    let refused = setup_as_nobody(&site, &program, Path::new("/proc/ami-bridge"));
    refused.assert(
        1,
        &["/proc can't be written", "Run setup as root, or choose a"],
    );
    // Root can't become root.
    let mut command = bridge_command();
    command.args(["setup", "--yes", "--directory", "/proc/ami-bridge"]);
    let refused = Outcome::new(&command.output().expect("the output of ami-bridge"));
    refused.assert(1, &["a folder with --directory"]);
    assert_eq!(refused.text.contains("Run setup as root"), !is_root());
    assert_eq!(site.files(), before);

    let home = folder.join("home");
    fs::create_dir(&home).expect("a folder");
    nobody_owns(&home);
    let directory = home.join("ami-bridge");
    let outcome = setup_as_nobody(&site, &program, &directory);
    let expected = [
        "may not read",
        "ami-user.conf",
        "run the same command again",
    ];
    outcome.assert(1, &expected);
    assert!(!directory.join("ami-bridge.toml").exists());
    // The same command, too early, changes nothing.
    setup_as_nobody(&site, &program, &directory).assert(1, &expected);
    paste(&site, &directory, &outcome);
    let outcome = setup_as_nobody(&site, &program, &directory);
    outcome.assert(
        0,
        &["Logged in", "interface PJSIP/{agent}", "Delete it: rm"],
    );
    // A terminal does not break the command.
    let command = format!("  rm {}", directory.join("ami-user.conf").display());
    let is_command = |line: &str| line == command;
    assert!(outcome.text.lines().any(is_command), "{}", outcome.text);
    let text = fs::read_to_string(directory.join("ami-bridge.toml")).expect("a configuration");
    assert!(text.contains("[organization.acme]"), "{text}");
    fs::set_permissions(&unreadable, fs::Permissions::from_mode(0o700)).expect("set");
}

fn print_ami_user_writes_nothing_on_the_asterisk_side(version: u32) {
    let site = Site::start(version, &layouts::freepbx());
    let before = site.files();
    let arguments = ["--yes", "--organization", "acme", "--print-ami-user"];
    let dry_run = site.setup(&[&arguments[..], &["--dry-run"]].concat());
    dry_run.assert(1, &["[queuebridge]", "nothing was written"]);
    assert_eq!(site.files(), before);
    let outcome = site.setup(&arguments);
    let custom = site.asterisk_folder().join("manager_custom.conf");
    let place = format!("Add them to {}.", custom.display());
    outcome.assert(1, &["only this user can read", &place]);
    assert!(
        before
            .iter()
            .all(|(path, text)| site.files()[path] == *text)
    );
    let file = site.directory().join("ami-user.conf");
    let custom = site.asterisk.read_config("manager_custom.conf");
    let lines = fs::read_to_string(file).expect("the lines");
    let pasted = [custom.as_str(), "\n", &lines].concat();
    site.asterisk.write_config("manager_custom.conf", &pasted);
    site.asterisk.cli("manager reload");
    site.setup(&arguments).assert(0, &["Logged in"]);
    assert_eq!(site.asterisk.read_config("manager_custom.conf"), pasted);
}

/// The exact rights in the file, and the changes that the bridge makes with them.
fn ami_user_has_only_the_necessary_rights(version: u32) {
    let site = Site::start(version, &layouts::debian());
    let outcome = site.setup(&["--yes", "--organization", "acme"]);
    outcome.assert(0, &["Logged in"]);
    let secret = site.secret();
    let expected = format!(
        "; Added by ami-bridge setup: queuebridge\n[queuebridge]\nsecret = {secret}\n\
         deny = 0.0.0.0/0.0.0.0\ndeny = ::/0\npermit = 127.0.0.1/255.255.255.255\n\
         read = agent,system\nwrite = agent\nallowmultiplelogin = yes\n\
         ; End of ami-bridge setup: queuebridge\n"
    );
    let written = site.asterisk.read_config("manager.d/ami-bridge.conf");
    assert_eq!(written, expected);

    let password = outcome.password_of("acme");
    let bridge = site.start_bridge();
    for query in [
        "action=add&agent=1002&queue=6002",
        "action=pause&agent=1002&queue=6002&reason=Lunch",
        "action=showqueuestat&queue=6002",
        "action=remove&agent=1002&queue=6002",
    ] {
        let response = bridge.get(&format!("username=acme&password={password}&{query}"));
        assert_eq!(response.status, 200, "{query}: {response:?}");
    }
    let log = site.asterisk.queue_log();
    for event in ["|ADDMEMBER|", "|PAUSE|Lunch", "|REMOVEMEMBER|"] {
        assert!(log.contains(event), "{event} is not in {log}");
    }
    let mut ami = Ami::login(site.asterisk.port, "queuebridge", &secret);
    for action in [
        "Action: Command\r\nCommand: core show uptime",
        "Action: Reload",
    ] {
        let reply = ami.send(action);
        assert_eq!(reply["Response"], "Error", "{action}: {reply:?}");
    }
}
