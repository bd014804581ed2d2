//! The AMI user: finds it or adds it, and logs in.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::Setup;
use super::ami_lines::{self, HIDDEN_SECRET};
use super::error::{SetupError, at};
use super::files::{Access, is_readable_by_all, owner_of};
use super::find::FoundPbx;
use super::link::{AmiUser, Link, own_address};
use super::manager_conf::Place;
use super::paste::{hand_over, indented, wait_for_login};
use super::question::Question;
use super::questions::say;
use super::secrets::{check_new_secret, random_secret, read_line_of};
use super::shell;
use crate::terminal::wrapped;

/// How often the operator can type the secret.
const MAX_TYPED: usize = 3;

/// A secret that exists already.
struct KnownSecret {
    secret: Zeroizing<String>,
    /// Where the secret was found, for the operator.
    source: String,
    /// Whether its user certainly exists, so that nothing is added.
    user_exists: bool,
    /// Whether the operator has typed it.
    is_typed: bool,
}

/// The secret of a user that does not exist yet.
struct NewSecret {
    secret: Zeroizing<String>,
    /// The text in place of the secret, for the operator.
    placeholder: String,
}

/// Logs in as the AMI user. Adds the user to Asterisk's files if it does not exist, and if
/// the operator agrees.
///
/// # Errors
/// Returns an error if no login is possible.
pub(super) async fn obtain(setup: &Setup, pbx: &FoundPbx) -> Result<AmiUser, SetupError> {
    let username = setup.arguments.ami_username();
    ami_lines::check_username(username).map_err(SetupError::Mistake)?;
    if !pbx.is_ami_off() {
        pbx.connect()?;
    }
    let secret = match known_secret(setup, pbx)? {
        Some(mut known) => match log_in(setup, pbx, &mut known).await? {
            Ok(link) => {
                let secret = known.secret;
                return Ok(AmiUser { secret, link });
            }
            Err(reason) if known.user_exists => {
                return Err(refused(pbx, username, &known.source, &reason));
            }
            Err(reason) => stored_secret(known.secret, &known.source, &reason)?,
        },
        None if exists(setup, pbx) => return Err(without_secret(setup, pbx)),
        None => NewSecret {
            secret: random_secret()?,
            placeholder: HIDDEN_SECRET.to_owned(),
        },
    };
    add(setup, pbx, secret).await
}

/// Logs in with a secret that exists. If the operator has mistyped it, asks for it again.
async fn log_in(
    setup: &Setup,
    pbx: &FoundPbx,
    known: &mut KnownSecret,
) -> Result<Result<Link, String>, SetupError> {
    let username = setup.arguments.ami_username();
    let mut result = Link::open(&pbx.address, username, &known.secret).await;
    for _ in 1..MAX_TYPED {
        match &result {
            Err(reason) if known.is_typed => say(&wrapped(reason, "  ")),
            _ => break,
        }
        known.secret = setup.questions.secret(Question::Secret)?;
        result = Link::open(&pbx.address, username, &known.secret).await;
    }
    Ok(result)
}

/// Returns the secret in the file of an earlier run as that of a new user. `reason` is why the
/// login with it does not work.
fn stored_secret(
    secret: Zeroizing<String>,
    file: &str,
    reason: &str,
) -> Result<NewSecret, SetupError> {
    check_new_secret(&secret).map_err(|error| {
        SetupError::Missing(format!(
            "no login with the secret in {file}: {reason}. Setup does not give it to a new AMI \
             user, because it {error}. Move {file} away and run setup again: it then makes a \
             secret"
        ))
    })?;
    let placeholder = format!("(the secret in {file})");
    Ok(NewSecret {
        secret,
        placeholder,
    })
}

/// Returns whether the user certainly exists, according to the flags or `manager.conf`.
fn exists(setup: &Setup, pbx: &FoundPbx) -> bool {
    let conf = pbx.conf.as_ref();
    let user = conf.and_then(|conf| conf.user(setup.arguments.ami_username()));
    setup.arguments.ami_secret_file.is_some() || user.is_some()
}

/// Returns the secret of a user that exists: the operator's, that of an earlier run, or the one in
/// `manager.conf`. Asks for it if there is someone to ask and `manager.conf` can't be read.
fn known_secret(setup: &Setup, pbx: &FoundPbx) -> Result<Option<KnownSecret>, SetupError> {
    let username = setup.arguments.ami_username();
    let file = setup.arguments.ami_secret_file.clone();
    let file = file.or_else(|| Some(setup.secret_file()).filter(|file| file.exists()));
    if let Some(file) = file {
        let secret = read_line_of(&file)?;
        let source = file.display().to_string();
        return Ok(Some(KnownSecret {
            secret,
            source,
            user_exists: exists(setup, pbx),
            is_typed: false,
        }));
    }
    if let Some(conf) = &pbx.conf {
        let user = conf.user(username);
        return Ok(user.and_then(|user| {
            let source = user.file.display().to_string();
            let secret = user.secret.clone()?;
            Some(KnownSecret {
                secret,
                source,
                user_exists: true,
                is_typed: false,
            })
        }));
    }
    say(&format!("The bridge logs in as the AMI user {username}.\n"));
    if !setup
        .questions
        .confirm(Question::UserExists, false, false)?
    {
        return Ok(None);
    }
    let secret = setup.questions.secret(Question::Secret)?;
    let source = "the terminal".to_owned();
    Ok(Some(KnownSecret {
        secret,
        source,
        user_exists: true,
        is_typed: true,
    }))
}

fn without_secret(setup: &Setup, pbx: &FoundPbx) -> SetupError {
    let username = setup.arguments.ami_username();
    let user = pbx.conf.as_ref().and_then(|conf| conf.user(username));
    let file = user.map_or(String::new(), |user| user.file.display().to_string());
    SetupError::Missing(format!(
        "{file} has the AMI user {username}, but no secret for it: give --ami-secret-file, or \
         another name with --ami-username"
    ))
}

fn refused(pbx: &FoundPbx, username: &str, source: &str, reason: &str) -> SetupError {
    let from = own_address(&pbx.address);
    let from = from.map_or(String::new(), |address| format!(", from {address}"));
    let hint = match pbx.is_ami_off() {
        true => " (manager.conf has no enabled = yes; add it to [general] and run manager reload)",
        false => "",
    };
    SetupError::Missing(format!(
        "no login at {} as {username} with the secret from {source}{from}: {reason}{hint}",
        pbx.address
    ))
}

/// Adds the user to Asterisk's files, or has the operator add it, and logs in.
async fn add(
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
        let file = place.as_ref().ok().map(path_of);
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
    let path = path_of(place).display();
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

fn path_of(place: &Place) -> &Path {
    match place {
        Place::NewFile(path) | Place::EndOf(path) => path,
    }
}

/// Writes the lines. Returns false if the current user may not do that.
fn write(setup: &Setup, pbx: &FoundPbx, place: &Place, lines: &str) -> Result<bool, SetupError> {
    let command = pbx.reload_command();
    let path = path_of(place);
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

impl Setup {
    /// Returns the path of the file with the AMI user's secret.
    pub(super) fn secret_file(&self) -> PathBuf {
        self.arguments
            .directory
            .join(super::configuration::SECRET_FILE)
    }
}
