//! The AMI user whose lines the operator adds to the PBX.

use std::io::{ErrorKind, IsTerminal as _, stdout};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::Setup;
use super::error::{SetupError, at};
use super::files::{Access, Owner};
use super::find::FoundPbx;
use super::link::{AmiUser, Link};
use super::question::Question;
use super::questions::say;
use crate::terminal::wrapped;

/// The name of the file with the lines, in the configuration's folder.
const LINES_FILE: &str = "ami-user.conf";

/// Gives the operator the lines of the AMI user, and waits until the login works.
///
/// `file` is the file for the lines, if setup knows it.
///
/// A terminal shows the lines. Other output may end in a log, so the lines go to a file that only
/// the current user can read. If nobody can be asked, setup stores the secret, so that the next run
/// uses the same one.
///
/// # Errors
/// Returns an error if nobody can be asked and the login does not work yet.
pub(super) async fn hand_over(
    setup: &Setup,
    pbx: &FoundPbx,
    file: Option<&Path>,
    lines: &str,
    secret: Zeroizing<String>,
) -> Result<AmiUser, SetupError> {
    let can_ask = setup.questions.can_ask();
    if !can_ask {
        setup.write_secret(&secret)?;
    }
    let place = match file {
        Some(file) => format!("to {}.", file.display()),
        None => {
            "to the PBX's manager.conf (on FreePBX and Issabel: to manager_custom.conf). In its \
                 [general] section, enabled must be yes."
                .to_owned()
        }
    };
    say("\n");
    if stdout().is_terminal() {
        say(&wrapped(&format!("Add these lines {place}"), ""));
        say("\n");
        say(&indented(lines));
    } else {
        let path = setup.lines_file();
        setup.write_lines(lines)?;
        let path = path.display();
        let text = format!(
            "The lines for the AMI user are in {path}, which only this user can read. Add them \
             {place}"
        );
        say(&wrapped(&text, ""));
    }
    let command = pbx.reload_command();
    say(&format!("\nThen run, on the PBX: {command}\n"));
    wait_for_login(setup, pbx, secret).await
}

/// Waits until the operator has made the login possible.
///
/// Setup tries the login only when the operator presses Enter: a program that blocks addresses
/// with many failed logins, such as fail2ban, must not block this machine.
///
/// # Errors
/// Returns an error if nobody can be asked and the login does not work yet.
pub(super) async fn wait_for_login(
    setup: &Setup,
    pbx: &FoundPbx,
    secret: Zeroizing<String>,
) -> Result<AmiUser, SetupError> {
    let username = setup.arguments.ami_username();
    loop {
        if setup.questions.can_ask() {
            setup.questions.wait_for_enter(Question::LinesAdded)?;
        }
        match Link::open(&pbx.address, username, &secret).await {
            Ok(link) => return Ok(AmiUser { secret, link }),
            Err(reason) if setup.questions.can_ask() => say(&wrapped(&reason, "  ")),
            Err(_) => {
                return Err(SetupError::Missing(format!(
                    "the AMI user {username} can't log in yet: do what is printed above, then \
                     run the same command again"
                )));
            }
        }
    }
}

/// Returns the lines, each with an indentation.
pub(super) fn indented(text: &str) -> Zeroizing<String> {
    let lines = text.lines().map(|line| match line {
        "" => "\n".to_owned(),
        line => format!("  {line}\n"),
    });
    Zeroizing::new(lines.collect())
}

impl Setup {
    /// Returns the path of the file with the lines for the AMI user.
    pub(super) fn lines_file(&self) -> PathBuf {
        self.arguments.directory.join(LINES_FILE)
    }

    /// Writes the lines to a file that only the current user can read. Leaves a file with the same
    /// lines as it is.
    fn write_lines(&self, lines: &str) -> Result<(), SetupError> {
        self.create_directory()?;
        let path = self.lines_file();
        let access = Access {
            mode: 0o600,
            owner: Owner::default(),
        };
        match self.changes.create(&path, lines, access, None) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let old = Zeroizing::new(std::fs::read(&path).map_err(at(&path))?);
                if *old == lines.as_bytes() {
                    return Ok(());
                }
                Err(SetupError::Missing(format!(
                    "{} exists with other lines: move it away and run setup again",
                    path.display()
                )))
            }
            result => result.map_err(at(&path)),
        }
    }
}
