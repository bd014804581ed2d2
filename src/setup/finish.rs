//! The end of setup: the unit, the address of the page, and what was changed.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use zeroize::Zeroizing;

use super::Setup;
use super::error::SetupError;
use super::files::Change;
use super::questions::say;
use super::service;

/// A user of the new configuration.
pub(super) struct NewUser {
    pub(super) username: String,
    /// The password, if setup made it and must show it.
    pub(super) password: Option<Zeroizing<String>>,
}

/// What setup has achieved.
pub(super) struct Result {
    pub(super) listen: SocketAddr,
    /// The path of the API.
    pub(super) path: String,
    /// The users that setup has made.
    pub(super) users: Vec<NewUser>,
    pub(super) is_started: bool,
}

impl Result {
    /// Returns the last text for the operator. It contains the passwords that setup made.
    pub(super) fn text(&self, setup: &Setup) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::from("\n"));
        let listen = self.listen;
        if !self.is_started {
            let _ = writeln!(
                *text,
                "Start the bridge:\n  {}\n",
                self.start_command(setup)
            );
        }
        let _ = writeln!(*text, "  page      http://{listen}/");
        for NewUser { username, password } in &self.users {
            let _ = writeln!(*text, "  username  {username}");
            if let Some(password) = password {
                let _ = writeln!(*text, "  password  {}  (shown only now)", **password);
            }
        }
        let username = self.users.first().map_or("USERNAME", |user| &user.username);
        // curl asks for the password, so that it is in no command line.
        let _ = writeln!(
            *text,
            "\nTry this; curl asks for the password:\n  curl -w '\\n' -u {} \\\n    \
             'http://{listen}{}?action=showqueue'",
            shell_word(username),
            self.path
        );
        text
    }

    fn start_command(&self, setup: &Setup) -> String {
        let directory = &setup.arguments.directory;
        if service::reads(directory) {
            return format!("systemctl enable --now {}", service::UNIT);
        }
        let directory = directory.display();
        format!("cd {directory} && ami-bridge run --config {directory}/ami-bridge.toml")
    }
}

/// Quotes a word for a shell if it needs quotes.
fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "@._-".contains(c);
    if word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// Returns the list of changes, with how to undo them. The last change is undone first.
pub(super) fn changes_text(changes: &[Change]) -> String {
    let mut text = String::new();
    if !changes.is_empty() {
        text += "\nChanged, the latest first:\n";
    }
    for Change { what, undo } in changes.iter().rev() {
        let _ = write!(text, "  {what}\n    undo: {undo}\n");
    }
    text
}

impl Setup {
    /// Checks early whether `--start` can work.
    ///
    /// # Errors
    /// Returns an error if there is no unit, or if the unit reads another folder.
    pub(super) fn require_unit(&self) -> std::result::Result<(), SetupError> {
        let arguments = &self.arguments;
        if !arguments.start {
            return Ok(());
        }
        if arguments.directory != Path::new(service::UNIT_FOLDER) {
            let folder = service::UNIT_FOLDER;
            let message = format!("--start: the systemd unit reads {folder}, not --directory");
            return Err(SetupError::Mistake(message));
        }
        if !service::is_available() {
            let message = "--start: systemd does not run here, or has no unit ami-bridge";
            return Err(SetupError::Missing(message.to_owned()));
        }
        Ok(())
    }

    /// Starts the unit if the operator wishes. Returns whether it was started.
    ///
    /// # Errors
    /// Returns an error if the unit does not start.
    pub(super) fn start_unit(&self) -> std::result::Result<bool, SetupError> {
        let arguments = &self.arguments;
        let has_unit = service::reads(&arguments.directory) && service::is_available();
        let is_wished = arguments.start
            || (has_unit
                && self
                    .questions
                    .confirm("Start the bridge now?", true, false)?);
        if !is_wished || arguments.dry_run {
            return Ok(false);
        }
        say("Starting the bridge …\n");
        service::start().map_err(|error| {
            SetupError::Missing(format!(
                "the bridge does not start: {error}\nIts log: journalctl -u {}",
                service::UNIT
            ))
        })?;
        let unit = service::UNIT;
        let undo = format!("systemctl disable --now {unit}");
        self.changes
            .record(&format!("the unit {unit} is enabled and started"), &undo);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shell_word_quotes_what_a_shell_would_read() {
        for (word, expected) in [
            ("acme@example.com", "acme@example.com"),
            ("a b", "'a b'"),
            ("it's", "'it'\\''s'"),
        ] {
            assert_eq!(shell_word(word), expected);
        }
    }
}
