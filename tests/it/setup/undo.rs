//! The list of changes, and the commands that undo them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Outcome, Site, layouts};
use crate::support::on_both_versions;

on_both_versions!(
    changes_in_the_debian_layout_are_listed_and_undone,
    changes_in_the_freepbx_layout_are_listed_and_undone,
    changes_to_manager_conf_are_listed_and_undone,
);

/// Mode and content of each file, mode of each folder.
type Tree = BTreeMap<PathBuf, (u32, Option<Vec<u8>>)>;

fn read_tree(path: &Path, tree: &mut Tree) {
    let Ok(metadata) = path.symlink_metadata() else {
        return;
    };
    let content = metadata.is_file().then(|| fs::read(path).expect("a file"));
    tree.insert(path.to_owned(), (metadata.mode(), content));
    for entry in path.read_dir().into_iter().flatten() {
        read_tree(&entry.expect("an entry").path(), tree);
    }
}

fn tree(site: &Site) -> Tree {
    let mut tree = Tree::new();
    for folder in [site.asterisk_folder(), site.directory()] {
        read_tree(&folder, &mut tree);
    }
    tree
}

/// Returns the lines after `Changed`: what was changed, and the commands that undo it.
fn changes(outcome: &Outcome) -> (Vec<&str>, Vec<&str>) {
    let (_, list) = outcome.text.split_once("\nChanged, ").expect("a list");
    let lines = list
        .lines()
        .skip(1)
        .take_while(|line| line.starts_with("  "));
    let (undo, what) = lines
        .map(str::trim)
        .partition(|line| line.starts_with("undo: "));
    (what, undo)
}

fn assert_listed_and_undone(site: &Site, arguments: &[&str]) {
    let before = tree(site);
    let outcome = site.setup(arguments);
    outcome.assert(0, &["Logged in"]);
    let after = tree(site);
    let (what, undo) = changes(&outcome);

    let words = what.iter().flat_map(|line| line.split([' ', '(', ')']));
    let listed: BTreeSet<PathBuf> = words
        .filter(|w| w.starts_with('/'))
        .map(Into::into)
        .collect();
    let appeared = after
        .iter()
        .filter(|(path, entry)| before.get(*path) != Some(entry));
    let appeared: BTreeSet<PathBuf> = appeared.map(|(path, _)| path.clone()).collect();
    assert_eq!(listed, appeared);

    for line in undo {
        let command = line.trim_start_matches("undo: ");
        let status = Command::new("sh")
            .args(["-c", command])
            .env("PATH", site.search_path())
            .status();
        assert!(status.expect("a shell").success(), "{command}");
    }
    assert_eq!(tree(site), before);
    let users = site.asterisk.cli("manager show users");
    assert!(!users.contains("queuebridge"), "{users}");
}

fn changes_in_the_debian_layout_are_listed_and_undone(version: u32) {
    let site = Site::start(version, &layouts::debian());
    assert_listed_and_undone(&site, &["--yes", "--organization", "acme"]);
    // After that, setup works again.
    site.setup(&["--yes", "--organization", "acme"])
        .assert(0, &["Logged in"]);
}

/// The package's example exists, and the file for the AMI user does not end with a line break.
fn changes_in_the_freepbx_layout_are_listed_and_undone(version: u32) {
    let site = Site::start(version, &layouts::freepbx());
    let custom = site.asterisk.read_config("manager_custom.conf");
    assert!(!custom.ends_with('\n'));
    let example = include_str!("../../../packaging/ami-bridge.toml");
    fs::create_dir(site.directory()).expect("a folder");
    fs::write(site.directory().join("ami-bridge.toml"), example).expect("written");
    assert_listed_and_undone(&site, &["--yes", "--organization", "acme"]);
}

/// A plain Asterisk, whose AMI is off, and whose files only their owner can read.
fn changes_to_manager_conf_are_listed_and_undone(version: u32) {
    let manager = "[general]\nenabled = no\nport = 5038\n";
    let site = Site::start(version, &layouts::debian().with("manager.conf", manager));
    let file = site.asterisk_folder().join("manager.conf");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("set");
    assert_listed_and_undone(&site, &["--yes", "--organization", "acme"]);
}
