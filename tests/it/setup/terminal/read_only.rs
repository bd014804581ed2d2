//! Setup beside folders that are mounted read-only. Modes do not suffice, because root may write in
//! spite of them. The tests run setup in a mount namespace.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::Terminal;
use super::paste::{answer_the_other_questions, paste};
use crate::setup::{Outcome, Site, assert_contains, layouts};
use crate::support::on_both_versions;

on_both_versions!(
    unshare_read_only_asterisk_folder_lets_the_operator_paste_the_lines,
    unshare_read_only_asterisk_folder_gets_a_file_with_the_lines,
    unshare_read_only_folder_for_the_configuration_is_refused_early,
);

/// Returns the command `setup` in a namespace in which a folder is mounted read-only.
fn command(site: &Site, read_only: &Path, arguments: &[&str]) -> Command {
    let folder = read_only.display();
    let script = format!(
        "mount --bind {folder} {folder} && mount -o remount,bind,ro {folder} && exec \"$@\""
    );
    let setup = site.command(arguments);
    let mut command = Command::new("unshare");
    command
        .env("PATH", site.search_path())
        .args(["--mount", "--map-root-user", "sh", "-c", &script, "sh"])
        .arg(setup.get_program())
        .args(setup.get_args());
    command
}

fn setup(site: &Site, read_only: &Path, arguments: &[&str]) -> Outcome {
    let output = command(site, read_only, arguments).output();
    Outcome::new(&output.expect("the output of unshare"))
}

fn unshare_read_only_asterisk_folder_lets_the_operator_paste_the_lines(version: u32) {
    let site = Site::start(version, &layouts::debian());
    let before = site.files();
    let command = command(&site, &site.asterisk_folder(), &["--organization", "acme"]);
    let mut terminal = Terminal::start(&command);
    terminal.wait_for("Asterisk's manager? [Y/n] ");
    terminal.type_line("y");
    let text = terminal.wait_for("to try the login");
    assert_contains(
        &text,
        &[
            "Setup can't write",
            "manager.d/ami-bridge.conf: Read-only file system",
            "Add these lines to",
            "manager reload",
        ],
    );
    assert_eq!(site.files(), before);
    assert!(!site.directory().exists());

    paste(&site, &text);
    terminal.type_line("");
    answer_the_other_questions(&mut terminal);
    assert!(site.read("ami-bridge.toml").contains("[organization.acme]"));
}

/// Nobody can be asked. The lines would be appended to a file that exists.
fn unshare_read_only_asterisk_folder_gets_a_file_with_the_lines(version: u32) {
    let site = Site::start(version, &layouts::freepbx());
    let mut expected = site.files();
    let outcome = setup(
        &site,
        &site.asterisk_folder(),
        &["--yes", "--organization", "acme"],
    );
    outcome.assert(
        1,
        &[
            "manager_custom.conf: Read-only file system",
            "run the same command again",
        ],
    );
    for name in ["pbx-main.secret", "ami-user.conf"] {
        expected.insert(site.directory().join(name), site.read(name));
    }
    assert_eq!(site.files(), expected);
    assert!(!outcome.text.contains(&site.secret()), "{}", outcome.text);
}

fn unshare_read_only_folder_for_the_configuration_is_refused_early(version: u32) {
    let site = Site::start(version, &layouts::debian());
    fs::create_dir(site.directory()).expect("a folder");
    let before = site.files();
    let arguments = ["--yes", "--organization", "acme"];
    let outcome = setup(&site, &site.directory(), &arguments);
    outcome.assert(
        1,
        &[
            "can't be written: Read-only file system",
            "Choose a folder with --directory",
        ],
    );
    assert_eq!(site.files(), before);
    // A second run writes nothing, so that it works.
    site.setup(&arguments).assert(0, &["Logged in"]);
    let before = site.files();
    setup(&site, &site.directory(), &arguments).assert(0, &["Setup changes nothing in it"]);
    assert_eq!(site.files(), before);
}
