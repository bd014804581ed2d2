//! Adds the AMI user to Asterisk's files.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use zeroize::Zeroizing;

use super::Setup;
use super::ami_lines;
use super::error::{SetupError, at};
use super::files::{Access, is_readable_by_all, owner_of};
use super::find::FoundPbx;
use super::link::{AmiUser, Link, own_address};
use super::manager_conf::Place;
use super::paste::{hand_over, indented, wait_for_login};
use super::question::Question;
use super::questions::say;
use super::shell;
use crate::terminal::wrapped;

/// The secret of a user that does not exist yet.
pub(super) struct NewSecret {
    pub(super) secret: Zeroizing<String>,
    /// The text in place of the secret, for the operator.
    pub(super) placeholder: String,
}

/// Adds the user to Asterisk's files, or has the operator add it, and logs in.
///
/// # Errors
/// Returns an error if the login does not work.
pub(super) async fn add(
    setup: &Setup,
    pbx: &FoundPbx,
    NewSecret {
        secret,
        placeholder,
    }: NewSecret,
) -> Result<AmiUser, SetupError> {
    let username = setup.arguments.ami_username();
    let own_address = own_address(&pbx.address).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let enabling_head = pbx.conf.as_ref().and_then(|conf| conf.enabling_head());
    let lines = |secret: &str| {
        Zeroizing::new(ami_lines::lines(
            username,
            secret,
            own_address,
            enabling_head,
        ))
    };
    let place = match &pbx.conf {
        Some(conf) => conf.place_for_user(),
        None => Err("setup can't read manager.conf".to_owned()),
    };
    show_lines(setup, &place, &lines(&placeholder));
    if setup.arguments.dry_run {
        return Err(not_added(username));
    }
    let is_written = match &place {
        Ok(place) if !setup.arguments.print_ami_user => {
            say("\n");
            setup.questions.confirm(Question::AddUser, true, true)?
                && write(setup, pbx, place, &lines(&secret))?
        }
        _ => false,
    };
    if !is_written {
        let lines = lines(&secret);
        let file = place.as_ref().ok().map(Place::path);
        return hand_over(setup, pbx, file, &lines, secret).await;
    }
    if let Err(reason) = pbx.reload() {
        say(&wrapped(
            &format!("`manager reload` failed: {reason}. Run it on the PBX."),
            "",
        ));
        return wait_for_login(setup, pbx, secret).await;
    }
    match Link::open(&pbx.address, username, &secret).await {
        Ok(link) => Ok(AmiUser { secret, link }),
        Err(reason) => Err(SetupError::Missing(format!(
            "no login at {} as {username} with the new lines: {reason}",
            pbx.address
        ))),
    }
}

/// Shows the lines of the new user, or why setup can't add them. If setup will hand them over, they
/// are shown only in a dry run.
fn show_lines(setup: &Setup, place: &Result<Place, String>, lines: &str) {
    match place {
        Ok(place) if !setup.arguments.print_ami_user => show_new_lines(place, lines),
        place => {
            if let Err(reason) = place {
                say(&wrapped(&format!("{reason}."), ""));
            }
            if setup.arguments.dry_run {
                say(&indented(lines));
            }
        }
    }
}

/// Shows the lines that setup proposes to add, and who could read them.
fn show_new_lines(place: &Place, lines: &str) {
    let path = place.path().display();
    let text = format!("These lines give the bridge its AMI user, in {path}:");
    say(&format!("\n{}\n", wrapped(&text, "")));
    say(&indented(lines));
    if let Place::EndOf(file) = place
        && is_readable_by_all(file)
    {
        say("\n");
        say(&wrapped(
            &format!(
                "Every user of this machine can read {path}, and so this secret. If Asterisk's \
                 user owns the file or is in its group, this prevents it:"
            ),
            "",
        ));
        say(&format!("  chmod o-r {}\n", shell::quoted_path(file)));
    }
}

fn not_added(username: &str) -> SetupError {
    SetupError::Missing(format!(
        "dry run: the AMI user {username} does not exist, so the queues can't be read yet; \
         nothing was written"
    ))
}

/// Writes the lines. Returns false if the current user may not do that.
fn write(setup: &Setup, pbx: &FoundPbx, place: &Place, lines: &str) -> Result<bool, SetupError> {
    let command = pbx.reload_command();
    let path = place.path();
    let result = match place {
        Place::NewFile(path) => {
            // Asterisk's user must be able to read the file.
            let conf: &Path = pbx.conf.as_ref().map_or(path, |conf| &conf.path);
            let owner = owner_of(conf).unwrap_or_default();
            let access = Access { mode: 0o640, owner };
            setup.changes.create(path, lines, access, Some(&command))
        }
        Place::EndOf(path) => setup.changes.append(path, lines, &command),
    };
    match result {
        Ok(()) => Ok(true),
        Err(error)
            if [ErrorKind::PermissionDenied, ErrorKind::ReadOnlyFilesystem]
                .contains(&error.kind()) =>
        {
            say(&wrapped(
                &format!("Setup can't write {}: {error}.", path.display()),
                "",
            ));
            Ok(false)
        }
        Err(error) => Err(at(path)(error)),
    }
}
