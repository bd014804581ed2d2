//! Setup on a pseudo-terminal.

mod curl;
mod paste;
mod pseudo_terminal;
mod read_only;
mod service;

use std::fs;
use std::path::Path;

use self::pseudo_terminal::Terminal;
use super::{Site, assert_contains, layouts};
use crate::support::{bridge_command, on_both_versions, sample_config, send_signal};

on_both_versions!(
    operator_answers_every_question,
    operator_changes_a_freepbx_proposal,
    operator_changes_an_issabel_proposal,
    interruption_leaves_nothing_behind,
    secret_is_not_shown,
    wrong_secret_of_an_existing_user_is_reported_and_not_stored,
);

fn operator_answers_every_question(version: u32) {
    let layout = layouts::debian().with("queues.conf", &sample_config("queues.conf"));
    let layout = layout.with("extensions.conf", &sample_config("extensions.conf"));
    let site = Site::start(version, &layout);
    let mut terminal = Terminal::start(&site.command(&[]));
    let text = terminal.wait_for("Add these lines and reload Asterisk's manager? [Y/n] ");
    assert!(text.contains("manager.d/ami-bridge.conf"), "{text}");
    terminal.type_line("maybe");
    terminal.wait_for("Answer y or n.");
    terminal.type_line("");
    let text = terminal.wait_for("Organizations [acme,globex,timed]: ");
    assert!(text.contains("Queues on the PBX: 7. Members: 1."), "{text}");
    terminal.type_line("acme");
    let text = terminal.wait_for("Is that right? [Y/n] ");
    assert!(text.contains("Local/{agent}@acme-agents"), "{text}");
    terminal.type_line("n");
    for (question, answer) in [
        ("Queue numbers, such as 6001,60* [*]: ", "6001,6002"),
        ("Name of a queue on the PBX [acme-{queue}]: ", ""),
        ("such as 1001-1099 [1000-1099]: ", "1001-99"),
        ("same number of digits", ""),
        ("such as 1001-1099 [1000-1099]: ", "1001-1099"),
        ("such as PJSIP/{agent} [Local/{agent}@acme-agents]: ", ""),
        ("State interface (none: the interface itself) [none]: ", ""),
        ("Username [acme]: ", "acme@example.com"),
        ("pbx-main.secret? [Y/n] ", "y"),
    ] {
        terminal.wait_for(question);
        if question.ends_with(' ') {
            terminal.type_line(answer);
        }
    }
    terminal.wait_for("undo: ");
    assert_eq!(terminal.status(), Some(0));
    assert_fits(&terminal);
    assert!(!terminal.text().contains(&site.secret()));
    let configuration = site.read("ami-bridge.toml");
    for line in ["queues = [\"6001\", \"6002\"]", "agents = [\"1001-1099\"]"] {
        assert!(configuration.contains(line), "{configuration}");
    }
    let password = terminal.password();
    site.asterisk
        .cli("queue add member Local/1001@acme-agents to acme-6001");
    site.assert_pause_works(("acme%40example.com", &password), "1001", "acme-6001");
}

/// Asserts that no line is longer than the terminal. Paths and hashes can't be broken.
fn assert_fits(terminal: &Terminal) {
    let text = terminal.text();
    let too_long = text.lines().find(|line| {
        let has_long_word = line.split_whitespace().any(|word| word.len() > 40);
        line.trim_end().chars().count() > 80 && !has_long_word
    });
    assert_eq!(too_long, None);
}

#[test]
fn errors_fit_on_a_terminal() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bridge.toml");
    fs::write(&file, "[pbx.main]\nsecret = [\"x\"]\n").expect("written");
    let mut check = bridge_command();
    check.args(["check", "--config"]).arg(file);
    let mut setup = bridge_command();
    setup.args(["setup", "--yes", "--pbx", "127.0.0.1:1", "--directory"]);
    setup.arg(folder.path().join("ami-bridge"));
    for (command, expected) in [
        (check, "    and a user or a token"),
        // The command is not broken.
        (setup, "`asterisk -rx \"manager show settings\"`"),
    ] {
        let mut terminal = Terminal::start(&command);
        terminal.wait_for("ami-bridge: ");
        terminal.wait_for(expected);
        assert_ne!(terminal.status(), Some(0));
        assert_fits(&terminal);
    }
}

fn operator_changes_a_freepbx_proposal(version: u32) {
    operator_changes_a_proposal(&Site::start(version, &layouts::freepbx()), "FreePBX");
}

fn operator_changes_an_issabel_proposal(version: u32) {
    operator_changes_a_proposal(&Site::start(version, &layouts::issabel()), "Issabel");
}

fn operator_changes_a_proposal(site: &Site, distribution: &str) {
    let mut terminal = Terminal::start(&site.command(&[]));
    terminal.wait_for(&format!("PBX ({distribution}): AMI at 127.0.0.1:"));
    let text = terminal.wait_for("Asterisk's manager? [Y/n] ");
    // The tests' file has mode 644.
    assert_contains(
        &text,
        &[
            "Every user of this machine can read",
            "manager_custom.conf, and",
            "chmod o-r /",
        ],
    );
    terminal.type_line("");
    for (question, answer) in [
        ("Name of the organization: ", "acme"),
        ("Is that right? [Y/n] ", "n"),
        ("such as 6001,60* [6*]: ", "6001"),
        ("Name of a queue on the PBX [{queue}]: ", ""),
        ("such as 1001-1099 [1000-1099]: ", ""),
        ("such as PJSIP/{agent} [Local/{agent}@from-queue/n]: ", ""),
        ("[hint:{agent}@ext-local]: ", ""),
        ("Username [acme]: ", ""),
        ("pbx-main.secret? [Y/n] ", ""),
    ] {
        terminal.wait_for(question);
        terminal.type_line(answer);
    }
    terminal.wait_for("undo: sed ");
    assert_eq!(terminal.status(), Some(0));
    let password = terminal.password();
    let configuration = site.read("ami-bridge.toml");
    assert!(
        configuration.contains("queues = [\"6001\"]"),
        "{configuration}"
    );
    site.assert_pause_works(("acme", &password), "1001", "6001");
}

fn interruption_leaves_nothing_behind(version: u32) {
    let site = Site::start(version, &layouts::debian());
    let before = site.files();
    let mut terminal = Terminal::start(&site.command(&[]));
    terminal.wait_for("Asterisk's manager? [Y/n] ");
    terminal.press("\u{3}");
    terminal.wait_for("Nothing was changed.");
    assert_eq!(terminal.status(), Some(130));
    assert_eq!(site.files(), before);

    let mut terminal = Terminal::start(&site.command(&[]));
    terminal.wait_for("Asterisk's manager? [Y/n] ");
    send_signal(terminal.pid(), "TERM");
    terminal.wait_for("Nothing was changed.");
    assert_eq!(terminal.status(), Some(143));
    assert_eq!(site.files(), before);

    let mut terminal = Terminal::start(&site.command(&["--organization", "acme"]));
    terminal.wait_for("Asterisk's manager? [Y/n] ");
    terminal.type_line("y");
    terminal.wait_for("Is that right? [Y/n] ");
    terminal.press("\u{3}");
    let text = terminal.wait_for("undo: rm ");
    assert!(text.contains("Interrupted."), "{text}");
    assert_eq!(terminal.status(), Some(130));
    // The AMI user is complete, and the next run continues with it.
    assert_eq!(site.files().len(), before.len() + 1);
    site.setup(&["--yes", "--organization", "acme"])
        .assert(0, &["Logged in"]);
}

/// Starts setup as if Asterisk ran on another machine, so that its files can't be read, and types
/// the secret of the AMI user `bridge`, whose secret is `typed-secret`.
fn type_secret(version: u32, secret: &str) -> (Site, Terminal) {
    let user = "[bridge]\nsecret = typed-secret\nread = agent,system\nwrite = agent\n";
    let mut layout = layouts::debian();
    layout
        .others
        .push(("etc/manager.d/bridge.conf", user.to_owned()));
    let site = Site::start(version, &layout);
    let address = format!("127.0.0.1:{}", site.asterisk.port);
    let names = [
        "--organization",
        "acme",
        "--ami-username",
        "bridge",
        "--pbx",
        &address,
    ];
    let command = site.command_beside(Path::new("/nowhere"), &names);
    let mut terminal = Terminal::start(&command);
    terminal.wait_for("as the AMI user bridge.");
    terminal.wait_for("Does this AMI user exist already? [y/N] ");
    terminal.type_line("y");
    terminal.wait_for("Secret of the AMI user (not shown): ");
    terminal.type_line(secret);
    (site, terminal)
}

fn secret_is_not_shown(version: u32) {
    let (site, mut terminal) = type_secret(version, "mistyped-secret");
    terminal.wait_for("rejects the AMI user");
    terminal.wait_for("Secret of the AMI user (not shown): ");
    terminal.type_line("typed-secret");
    terminal.wait_for("Is that right? [Y/n] ");
    terminal.type_line("");
    terminal.wait_for("Username [acme]: ");
    terminal.type_line("");
    terminal.wait_for("pbx-main.secret? [Y/n] ");
    terminal.type_line("");
    assert_eq!(terminal.status(), Some(0));
    assert!(!terminal.text().contains("typed-secret"));
    assert_eq!(site.secret(), "typed-secret");
}

fn wrong_secret_of_an_existing_user_is_reported_and_not_stored(version: u32) {
    let (site, mut terminal) = type_secret(version, "wrong-secret");
    for _ in 0..2 {
        terminal.wait_for("Secret of the AMI user (not shown): ");
        terminal.type_line("wrong-secret");
    }
    terminal.wait_for("with the secret from the");
    assert_eq!(terminal.status(), Some(1));
    assert!(!terminal.text().contains("wrong-secret"));
    assert!(!site.directory().exists());
}
