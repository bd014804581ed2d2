//! The end of setup: the unit, the address of the page, and what was changed.

use std::fmt::Write as _;
use std::path::Path;

use zeroize::Zeroizing;

use super::Setup;
use super::api_address::ApiAddress;
use super::error::SetupError;
use super::files::Change;
use super::question::Question;
use super::questions::say;
use super::service;
use super::shell::quoted_path;
use crate::terminal::wrapped;

/// A user of the configuration.
pub(super) struct NewUser {
    pub(super) username: String,
    /// The password, if setup made it and must show it.
    pub(super) password: Option<Zeroizing<String>>,
}

/// Returns the users with the passwords that setup made.
pub(super) fn users_text(users: &[NewUser]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::from("\n"));
    for NewUser { username, password } in users {
        let _ = writeln!(*text, "  username  {username}");
        if let Some(password) = password {
            let _ = writeln!(*text, "  password  {}  (shown only now)", **password);
        }
    }
    text
}

/// How to use the bridge.
pub(super) struct Summary {
    pub(super) api: ApiAddress,
    /// The user of the `curl` command.
    pub(super) username: Option<String>,
    pub(super) is_started: bool,
}

impl Summary {
    /// Returns the last text for the operator.
    pub(super) fn text(&self, setup: &Setup) -> String {
        let mut text = String::from("\n");
        if !self.is_started {
            let command = start_command(setup);
            let _ = writeln!(text, "Start the bridge:\n  {command}\n");
        }
        if let Some(page) = self.api.page() {
            let _ = writeln!(text, "The page:\n  {page}\n");
        }
        let username = self.username.as_deref().unwrap_or("USERNAME");
        let _ = writeln!(
            text,
            "Try this; curl asks for the password:\n  {}",
            self.api.curl(username)
        );
        if self.api.is_port_unknown() {
            text.push_str("The bridge chooses the PORT when it starts, and logs it.\n");
        }
        let lines_file = setup.lines_file();
        if lines_file.exists() {
            let path = quoted_path(&lines_file);
            text.push('\n');
            let hint = format!("{path} contains the AMI user's secret. Delete it:");
            text.push_str(&wrapped(&hint, ""));
            let _ = writeln!(text, "  rm {path}");
        }
        text
    }
}

fn start_command(setup: &Setup) -> String {
    let directory = &setup.arguments.directory;
    if service::reads(directory) {
        return format!("systemctl enable --now {}", service::UNIT);
    }
    let file = quoted_path(&setup.configuration_file());
    format!(
        "cd {} && ami-bridge run --config {file}",
        quoted_path(directory)
    )
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
    pub(super) fn require_unit(&self) -> Result<(), SetupError> {
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

    /// Enables the unit and starts it with `command` (`start` or `restart`), if the operator wishes.
    /// Returns whether it was started.
    ///
    /// # Errors
    /// Returns an error if the unit does not start.
    pub(super) fn start_unit(&self, command: &str) -> Result<bool, SetupError> {
        let arguments = &self.arguments;
        let has_unit = service::reads(&arguments.directory) && service::is_available();
        let is_wished = arguments.start
            || (has_unit && self.questions.confirm(Question::Start, true, false)?);
        if !is_wished || arguments.dry_run {
            return Ok(false);
        }
        say("Starting the bridge …\n");
        let unit = service::UNIT;
        let error = |error| {
            SetupError::Missing(format!(
                "the bridge does not start: {error}\nIts log: journalctl -u {unit}"
            ))
        };
        // Ctrl-C waits until both commands have ended.
        let mut changes = self.changes.lock();
        service::run("enable").map_err(error)?;
        changes.push(Change {
            what: format!("the unit {unit} is enabled and started"),
            undo: format!("systemctl disable --now {unit}"),
        });
        service::run(command).map_err(error)?;
        Ok(true)
    }
}
