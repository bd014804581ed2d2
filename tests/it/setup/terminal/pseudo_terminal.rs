//! A pseudo-terminal, which `script` of util-linux provides.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};

use crate::support::eventually;

/// A program on a pseudo-terminal with 80 columns.
pub(super) struct Terminal {
    child: Child,
    keyboard: ChildStdin,
    screen: Arc<Mutex<String>>,
    /// How much of the screen has been read.
    position: usize,
}

impl Terminal {
    pub(super) fn start(command: &Command) -> Self {
        let program = std::iter::once(command.get_program()).chain(command.get_args());
        let words: Vec<String> = program
            .map(|word| format!("'{}'", word.to_str().expect("UTF-8")))
            .collect();
        let mut script = Command::new("script");
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => script.env(name, value),
                None => script.env_remove(name),
            };
        }
        Self::run(script, &format!("exec {}", words.join(" ")))
    }

    /// Starts a shell command.
    pub(super) fn start_shell(command: &str) -> Self {
        Self::run(Command::new("script"), command)
    }

    fn run(mut script: Command, command: &str) -> Self {
        let line = format!("stty cols 80; echo \"pid $$\"; {command}");
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

    pub(super) fn text(&self) -> String {
        self.screen.lock().expect("a lock").clone()
    }

    /// Waits until the text appears after what was read before. Returns the text up to there.
    pub(super) fn wait_for(&mut self, expected: &str) -> String {
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

    pub(super) fn type_line(&mut self, line: &str) {
        self.press(&format!("{line}\n"));
    }

    pub(super) fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("written");
        self.keyboard.flush().expect("written");
    }

    /// Returns the process id of the program.
    pub(super) fn pid(&self) -> u32 {
        eventually("the process id appears", || {
            let text = self.text();
            let (line, _) = text.split_once("\r\n")?;
            line.strip_prefix("pid ")?.parse().ok()
        })
    }

    /// Returns the password that setup has shown.
    pub(super) fn password(&self) -> String {
        let text = self.text();
        let mut lines = text.lines();
        let line = lines.find_map(|line| line.trim().strip_prefix("password  "));
        let password = line.and_then(|line| line.split(' ').next());
        password.expect("a password").to_owned()
    }

    /// Waits until the program ends. Returns its exit status.
    pub(super) fn status(&mut self) -> Option<i32> {
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
