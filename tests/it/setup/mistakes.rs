//! Setup on a PBX where something is wrong or missing.

use std::fs;

use super::{Outcome, Site, layouts};
use crate::support::{bridge_command, on_both_versions};

on_both_versions!(
    wrong_secret_changes_nothing,
    user_without_rights_or_secret_is_reported,
    stored_secret_is_shown_as_such_and_must_be_strong,
    user_whose_address_is_denied_is_reported,
    pbx_without_queues_needs_more_flags,
);

fn wrong_secret_changes_nothing(version: u32) {
    let site = Site::start(version, &layouts::debian());
    let file = site.write_secret("secret", "not-the-secret");
    let before = site.files();
    let arguments = [
        "--yes",
        "--organization",
        "acme",
        "--ami-secret-file",
        &file,
    ];
    let outcome = site.setup(&arguments);
    outcome.assert(
        1,
        &[
            "no login at 127.0.0.1:",
            "from 127.0.0.1",
            "rejects the AMI user",
        ],
    );
    assert!(!outcome.text.contains("not-the-secret"));
    assert_eq!(site.files(), before);
}

fn stored_secret_is_shown_as_such_and_must_be_strong(version: u32) {
    let site = Site::start(version, &layouts::debian());
    fs::create_dir(site.directory()).expect("a folder");
    let file = site.directory().join("pbx-main.secret");
    let arguments = ["--yes", "--organization", "acme"];
    for (secret, reason) in [
        ("PUT-THE-SECRET-HERE", "is easy to guess"),
        ("0123456789abcdef;x", "contains a semicolon"),
    ] {
        fs::write(&file, secret).expect("written");
        let before = site.files();
        let refused = site.setup(&arguments);
        let remedy = format!("Move {} away and run setup again", file.display());
        refused.assert(1, &["rejects the AMI user", reason, &remedy]);
        assert!(!refused.text.contains(secret), "{}", refused.text);
        assert_eq!(site.files(), before);
    }
    fs::write(&file, "a-secret-of-the-operator-7").expect("written");
    let shown = format!("secret = (the secret in {})", file.display());
    site.setup(&arguments).assert(0, &[&shown, "Logged in"]);
}

fn user_without_rights_or_secret_is_reported(version: u32) {
    let users = "[queuebridge]\nsecret = weak\nread = agent,system\n[nosecret]\nread = system\n";
    let mut layout = layouts::debian();
    layout
        .others
        .push(("etc/manager.d/users.conf", users.to_owned()));
    let site = Site::start(version, &layout);
    let before = site.files();
    let outcome = site.setup(&["--yes", "--organization", "acme"]);
    outcome.assert(
        1,
        &[
            "may not change queues",
            "write = agent",
            "No configuration was written",
        ],
    );
    let name = [
        "--yes",
        "--organization",
        "acme",
        "--ami-username",
        "nosecret",
    ];
    site.setup(&name)
        .assert(1, &["users.conf has the AMI user nosecret, but no secret"]);
    assert_eq!(site.files(), before);
}

fn user_whose_address_is_denied_is_reported(version: u32) {
    let user = "[queuebridge]\nsecret = denied\ndeny = 0.0.0.0/0.0.0.0\npermit = 192.0.2.1\n\
                read = agent,system\nwrite = agent\n";
    let site = Site::start(
        version,
        &layouts::freepbx().with("manager_custom.conf", user),
    );
    let before = site.files();
    let outcome = site.setup(&["--yes", "--organization", "acme"]);
    outcome.assert(
        1,
        &["manager_custom.conf, from 127.0.0.1", "its permit lines"],
    );
    assert_eq!(site.files(), before);
}

fn pbx_without_queues_needs_more_flags(version: u32) {
    let layout = layouts::debian().with("queues.conf", "[general]\n[my queue]\n");
    let site = Site::start(version, &layout);
    let outcome = site.setup(&["--yes"]);
    outcome.assert(
        2,
        &[
            "No queue on the PBX has a name that the API can use.",
            "\"my queue\"",
        ],
    );
    site.asterisk.write_config("queues.conf", "[general]\n");
    site.asterisk.cli("queue reload all");
    let outcome = site.setup(&["--yes"]);
    outcome.assert(
        2,
        &[
            "The PBX has no queues yet",
            "Name of the organization",
            "--organization",
        ],
    );
    let mut arguments = vec!["--yes", "--organization", "acme"];
    for (flag, value) in [("--interface", "PJSIP/{agent}"), ("--agents", "1001-1099")] {
        site.setup(&arguments).assert(2, &[flag]);
        arguments.extend([flag, value]);
    }
    site.setup(&arguments).assert(0, &["the PBX has no queue"]);
    let text = site.read("ami-bridge.toml");
    assert!(
        text.contains("queues = [\"*\"]") && text.contains("\"1001-1099\""),
        "{text}"
    );
}

/// Runs setup without any Asterisk, with a configuration folder that does not exist.
fn setup_alone(arguments: &[&str]) -> Outcome {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = bridge_command();
    command
        .arg("setup")
        .arg("--directory")
        .arg(folder.path().join("ami-bridge"));
    command
        .arg("--asterisk-etc")
        .arg(folder.path().join("asterisk"));
    let outcome = Outcome::new(&command.args(arguments).output().expect("an output"));
    let entries = folder.path().read_dir().expect("a folder");
    assert_eq!(entries.count(), 0, "{}", outcome.text);
    outcome
}

#[test]
fn mistakes_are_reported_before_anything_is_changed() {
    for (arguments, status, expected) in [
        (
            &["--yes", "--pbx", "127.0.0.1:1"][..],
            1,
            "does not answer at 127.0.0.1:1",
        ),
        (
            &["--yes", "--pbx", "nowhere"],
            2,
            "--pbx: must be host:port",
        ),
        (
            &["--yes", "--pbx", "no-such-host.invalid:1"],
            1,
            "is not known",
        ),
        (&["--pbx", "127.0.0.1:1"], 2, "not a terminal: give --yes"),
        (
            &["--yes", "--start"],
            2,
            "--start: the systemd unit reads /etc/ami-bridge",
        ),
        (&["--yes", "--ami-username", "a]"], 2, "--ami-username"),
        (
            &["--yes", "--password-file", "/nowhere"],
            1,
            "/nowhere: No such file",
        ),
        (&["--yes", "--listen", "everywhere"], 2, "--listen"),
        (
            &["--yes", "--organization", "a,A"],
            2,
            "--organization: a name appears twice",
        ),
        (&["--yes", "--queues", "6001,"], 2, "--queues: "),
        (&["--yes", "--config", "x.toml"], 2, "setup has no --config"),
        (&["--yes", "--agents", "1001-99"], 2, "--agents: "),
        (
            &["--yes", "--queue-name", "acme"],
            2,
            "--queue-name: must contain {queue}",
        ),
        (
            &["--yes", "--interface", "PJSIP/x"],
            2,
            "--interface: must contain {agent}",
        ),
        (
            &["--yes", "--interface", "PJSIP/trunk@{agent}"],
            2,
            "--interface: lets {agent} choose the context or host",
        ),
        (
            &["--yes", "--state-interface", "hint:x"],
            2,
            "--state-interface: must contain {agent}",
        ),
        (
            &["--yes", "--username", "x:y"],
            2,
            "--username: must be one line without a colon",
        ),
        (
            &["--yes", "--organization", "a,b", "--agents", "1*"],
            2,
            "--agents applies to one organization",
        ),
    ] {
        setup_alone(arguments).assert(status, &[expected]);
    }
}
