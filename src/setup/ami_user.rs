//! The AMI user: logs in as a user that exists, or as a new one.

use std::path::PathBuf;

use zeroize::Zeroizing;

use super::Setup;
use super::ami_lines::{self, HIDDEN_SECRET};
use super::configuration::SECRET_FILE;
use super::error::SetupError;
use super::find::FoundPbx;
use super::link::{AmiUser, Link, own_address};
use super::manager_conf::ManagerConf;
use super::new_ami_user::{self, NewSecret};
use super::question::Question;
use super::questions::say;
use super::secrets::{check_new_secret, random_secret, read_line_of};
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
    new_ami_user::add(setup, pbx, secret).await
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
    let given = setup.arguments.ami_secret_file.clone();
    let file = given.or_else(|| Some(setup.secret_file()).filter(|file| file.exists()));
    match (file, &pbx.conf) {
        (Some(file), _) => Ok(Some(KnownSecret {
            secret: read_line_of(&file)?,
            source: file.display().to_string(),
            user_exists: exists(setup, pbx),
            is_typed: false,
        })),
        (None, Some(conf)) => Ok(secret_in(conf, setup.arguments.ami_username())),
        (None, None) => typed_secret(setup),
    }
}

fn secret_in(conf: &ManagerConf, username: &str) -> Option<KnownSecret> {
    let user = conf.user(username)?;
    Some(KnownSecret {
        secret: user.secret.clone()?,
        source: user.file.display().to_string(),
        user_exists: true,
        is_typed: false,
    })
}

fn typed_secret(setup: &Setup) -> Result<Option<KnownSecret>, SetupError> {
    let Setup {
        arguments,
        questions,
        ..
    } = setup;
    let username = arguments.ami_username();
    say(&format!("The bridge logs in as the AMI user {username}.\n"));
    if !questions.confirm(Question::UserExists, false, false)? {
        return Ok(None);
    }
    Ok(Some(KnownSecret {
        secret: questions.secret(Question::Secret)?,
        source: "the terminal".to_owned(),
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

impl Setup {
    /// Returns the path of the file with the AMI user's secret.
    pub(super) fn secret_file(&self) -> PathBuf {
        self.arguments.directory.join(SECRET_FILE)
    }
}
