//! Setup on a pseudo-terminal, which `script` of util-linux provides.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};

use super::{Site, layouts};
use crate::support::{eventually, on_both_versions, sample_config};

on_both_versions!(
    operator_answers_every_question,
    interruption_leaves_nothing_behind,
    operator_pastes_the_lines,
    secret_is_not_shown,
    wrong_secret_of_an_existing_user_is_reported_and_not_stored,
);

/// A program on a pseudo-terminal with 80 columns.
struct Terminal {
    child: Child,
    keyboard: ChildStdin,
    screen: Arc<Mutex<String>>,
    /// How much of the screen has been read.
    position: usize,
}

impl Terminal {
    fn start(command: &Command) -> Self {
        let program = std::iter::once(command.get_program()).chain(command.get_args());
        let words: Vec<String> = program
            .map(|word| format!("'{}'", word.to_str().expect("UTF-8")))
            .collect();
        let line = format!("stty cols 80; exec {}", words.join(" "));
        let mut script = Command::new("script");
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => script.env(name, value),
                None => script.env_remove(name),
            };
        }
        let mut child = script
            .args([
                "--quiet",
                "--return",
                "--flush",
                "--command",
                &line,
                "/dev/null",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("script, from Debian's package bsdutils");
        let mut output = child.stdout.take().expect("piped");
        let screen = Arc::new(Mutex::new(String::new()));
        let writer = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = output.read(&mut bytes) {
                let text = String::from_utf8_lossy(&bytes[..length]);
                writer.lock().expect("a lock").push_str(&text);
            }
        });
        Self {
            keyboard: child.stdin.take().expect("piped"),
            child,
            screen,
            position: 0,
        }
    }

    fn text(&self) -> String {
        self.screen.lock().expect("a lock").clone()
    }

    /// Waits until the text appears after what was read before. Returns the text up to there.
    fn wait_for(&mut self, expected: &str) -> String {
        let start = self.position;
        let end = eventually(&format!("{expected} appears"), || {
            let text = self.text();
            let found = text[start..].find(expected);
            if found.is_none() && self.child.try_wait().expect("a child").is_some() {
                panic!("{expected} is not in {}", &text[start..]);
            }
            Some(start + found? + expected.len())
        });
        self.position = end;
        self.text()[start..end].to_owned()
    }

    fn type_line(&mut self, line: &str) {
        self.press(&format!("{line}\n"));
    }

    fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("written");
        self.keyboard.flush().expect("written");
    }

    /// Waits until the program ends. Returns its exit status.
    fn status(&mut self) -> Option<i32> {
        eventually("the program ends", || {
            self.child.try_wait().expect("a child")
        })
        .code()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn operator_answers_every_question(version: u32) {
    let layout = layouts::debian().with("queues.conf", &sample_config("queues.conf"));
    let layout = layout.with("extensions.conf", &sample_config("extensions.conf"));
    let site = Site::start(version, &layout);
    let mut terminal = Terminal::start(&site.command(&[]));
    let text = terminal.wait_for("Add them and reload Asterisk's manager? [Y/n] ");
    assert!(text.contains("manager.d/ami-bridge.conf"), "{text}");
    terminal.type_line("maybe");
    terminal.wait_for("Answer y or n.");
    terminal.type_line("");
    let text = terminal.wait_for("Organizations [acme,globex,timed]: ");
    assert!(
        text.contains("The PBX has 7 queues with 1 members."),
        "{text}"
    );
    terminal.type_line("acme");
    let text = terminal.wait_for("Is that right? [Y/n] ");
    assert!(text.contains("Local/{agent}@acme-agents"), "{text}");
    terminal.type_line("n");
    for (question, answer) in [
        ("Queues [*]: ", "6001,6002"),
        ("Name of a queue [acme-{queue}]: ", ""),
        ("Agents [1000-1099]: ", "1001-99"),
        ("same number of digits", ""),
        ("Agents [1000-1099]: ", "1001-1099"),
        ("Interface [Local/{agent}@acme-agents]: ", ""),
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
    let text = terminal.text();
    let too_long = text.lines().find(|line| {
        // Paths and hashes can't be broken.
        let has_long_word = line.split_whitespace().any(|word| word.len() > 40);
        line.trim_end().chars().count() > 80 && !has_long_word
    });
    // The report of the check has its own lines.
    let too_long = too_long.filter(|line| !line.starts_with("pbx main: linked"));
    assert_eq!(too_long, None);
    assert!(!text.contains(&site.secret()));
    let configuration = site.read("ami-bridge.toml");
    for line in ["queues = [\"6001\", \"6002\"]", "agents = [\"1001-1099\"]"] {
        assert!(configuration.contains(line), "{configuration}");
    }
    let line = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("password  "));
    let password = line
        .expect("a password")
        .split(' ')
        .next()
        .expect("a password");
    site.asterisk
        .cli("queue add member Local/1001@acme-agents to acme-6001");
    site.assert_pause_works(("acme%40example.com", password), "1001", "acme-6001");
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

fn operator_pastes_the_lines(version: u32) {
    let site = Site::start(version, &layouts::debian());
    let mut terminal = Terminal::start(&site.command(&["--organization", "acme"]));
    terminal.wait_for("Asterisk's manager? [Y/n] ");
    terminal.type_line("n");
    let text = terminal.wait_for("to try the login.");
    terminal.type_line("");
    terminal.wait_for("rejects the AMI user");
    let lines = text
        .lines()
        .filter_map(|line| line.trim_end().strip_prefix("  "));
    let lines: Vec<&str> = lines.collect();
    let file = site.asterisk_folder().join("manager.d/pasted.conf");
    std::fs::write(file, lines.join("\n") + "\n").expect("written");
    site.asterisk.cli("manager reload");
    terminal.wait_for("to try the login.");
    terminal.type_line("");
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
    assert!(site.read("ami-bridge.toml").contains("[organization.acme]"));
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
    terminal.wait_for("Does the AMI user bridge exist already? [y/N] ");
    terminal.type_line("y");
    terminal.wait_for("Secret of bridge (not shown): ");
    terminal.type_line(secret);
    (site, terminal)
}

fn secret_is_not_shown(version: u32) {
    let (site, mut terminal) = type_secret(version, "typed-secret");
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
    terminal.wait_for("with the secret from the terminal");
    assert_eq!(terminal.status(), Some(1));
    assert!(!terminal.text().contains("wrong-secret"));
    assert!(!site.directory().exists());
}
