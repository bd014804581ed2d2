//! `ami-bridge setup`: makes a working configuration from what the PBX reports.
//!
//! `flags` checks the command line. `find` finds the PBX with its files (`manager_conf`).
//! `ami_user` logs in to it (`link`). If the AMI user does not exist, `new_ami_user` adds its lines
//! (`ami_lines`), or has the operator add them (`paste`). `organizations` decides on the
//! organizations from the flags, the operator's `answers` to `questions` and the proposals
//! (`proposal`, which does no IO). `configuration` is the text that `files` writes without
//! overwriting anything, and `finish` ends setup. If a configuration exists, `rerun` only shows how
//! it differs (`differences`).

mod ami_lines;
mod ami_user;
mod answers;
mod api_address;
mod configuration;
mod differences;
mod error;
mod files;
mod find;
mod finish;
mod flags;
mod link;
mod listen;
mod manager_conf;
mod new_ami_user;
mod organizations;
mod overlaps;
mod paste;
mod proposal;
mod question;
mod questions;
mod rerun;
mod secrets;
mod service;
mod shell;
mod write;

use std::io::stdout;

use tokio::signal::unix::{Signal, SignalKind, signal};
use zeroize::Zeroizing;

use self::api_address::ApiAddress;
use self::configuration::{Configuration, NewOrganization, SecretSource};
pub use self::error::SetupError;
use self::files::Changes;
use self::find::FoundPbx;
use self::finish::{NewUser, Summary};
use self::link::AmiUser;
use self::organizations::Decided;
use self::questions::{Questions, restore_echo, say};
use self::write::Existing;
use crate::check;
use crate::cli::SetupArguments;
use crate::organizations::PasswordDigest;
use crate::terminal::fitted;

/// Runs setup. The bridge can work with the configuration if no error is returned.
///
/// # Errors
/// Returns an error if setup ends early, or if the check finds an error. Everything that it has
/// changed is listed before that.
pub async fn run(mut arguments: SetupArguments) -> Result<(), SetupError> {
    // Relative paths stay valid if the current folder changes.
    let paths = [
        Some(&mut arguments.directory),
        Some(&mut arguments.asterisk_etc),
        arguments.ami_secret_file.as_mut(),
        arguments.password_file.as_mut(),
    ];
    for path in paths.into_iter().flatten() {
        *path = std::path::absolute(&*path).map_err(error::at(path))?;
    }
    let setup = Setup {
        questions: Questions::new(arguments.yes || arguments.dry_run),
        arguments,
        changes: Changes::default(),
    };
    setup.exit_on_signals()?;
    let result = setup.run().await;
    say(&finish::changes_text(&setup.changes.lock()));
    result
}

/// One run of setup.
struct Setup {
    arguments: SetupArguments,
    questions: Questions,
    changes: Changes,
}

impl Setup {
    async fn run(&self) -> Result<(), SetupError> {
        self.require_unit()?;
        flags::check(&self.arguments)?;
        let path = self.configuration_file();
        let existing = Existing::of(&path)?;
        if existing == Existing::Own {
            return rerun::run(self, &path).await;
        }
        if !self.arguments.dry_run {
            self.require_writable_folder()?;
        }
        self.require_answers()?;
        let password = self.given_password()?;
        let pbx = find::find(&self.arguments)?;
        let AmiUser { secret, link } = ami_user::obtain(self, &pbx).await?;
        let version = link.peer.asterisk_version();
        let version = version.map_or("of an unknown version".to_owned(), |v| v.to_string());
        say(&format!(
            "Logged in to Asterisk {version} as {}.\n",
            self.arguments.ami_username()
        ));
        let seen = link.read_queues(pbx.distribution).await;
        link.close().await;
        let seen = seen.map_err(|error| {
            SetupError::Missing(format!("Asterisk does not list its queues: {error}"))
        })?;
        let decided = organizations::decide(self, &seen, pbx.distribution)?;
        let (organizations, users) = with_users(decided, password)?;
        let mut configuration = self.configuration(&pbx, organizations);
        overlaps::settle(&mut configuration, self.questions, self.arguments.shared)?;
        let api = self.check(&configuration, &secret).await?;
        if !self.confirm_and_write(&configuration, &secret, existing)? {
            return Ok(());
        }
        // The passwords exist nowhere else, so nothing may fail before they are shown.
        say(&finish::users_text(&users));
        let summary = Summary {
            api,
            username: users.into_iter().next().map(|user| user.username),
            // A unit that runs has an older configuration.
            is_started: self.start_unit("restart")?,
        };
        say(&summary.text(self));
        Ok(())
    }

    /// Without an operator, someone must have agreed in advance.
    fn require_answers(&self) -> Result<(), SetupError> {
        let arguments = &self.arguments;
        if arguments.yes || arguments.dry_run || self.questions.can_ask() {
            return Ok(());
        }
        let message = "standard input is not a terminal: give --yes, or --dry-run";
        Err(SetupError::Mistake(message.to_owned()))
    }

    /// Reads the password from `--password-file`.
    fn given_password(&self) -> Result<Option<Zeroizing<String>>, SetupError> {
        let file = self.arguments.password_file.as_deref();
        file.map(secrets::read_line_of).transpose()
    }

    fn configuration(&self, pbx: &FoundPbx, organizations: Vec<NewOrganization>) -> Configuration {
        Configuration {
            listen: listen::api_address(self.arguments.listen),
            admin_listen: listen::admin_address(),
            is_for_unit: service::reads(&self.arguments.directory),
            pbx_address: pbx.address.to_string(),
            ami_username: self.arguments.ami_username().to_owned(),
            organizations,
        }
    }

    /// Validates the configuration and checks it against the PBX, before anything is written.
    /// Returns the address of the API.
    async fn check(
        &self,
        configuration: &Configuration,
        secret: &str,
    ) -> Result<ApiAddress, SetupError> {
        let settings = overlaps::load(configuration, SecretSource::Inline(secret))?;
        let api = ApiAddress::of(&settings.http);
        say("\n");
        let report = check::check(settings, false, &self.arguments.asterisk_etc).await;
        say(&fitted(&report.to_string(), &stdout()));
        if report.ok {
            return Ok(api);
        }
        let message = "the check has found the errors above: fix them and run setup again. No \
                       configuration was written";
        Err(SetupError::Missing(message.to_owned()))
    }

    /// Makes Ctrl-C and SIGTERM wait for a change that is under way, list the changes, and exit.
    fn exit_on_signals(&self) -> Result<(), SetupError> {
        for kind in [SignalKind::interrupt(), SignalKind::terminate()] {
            let stream = signal(kind).map_err(|error| SetupError::Missing(error.to_string()))?;
            tokio::spawn(exit_on(stream, kind, self.changes.clone()));
        }
        Ok(())
    }
}

/// Waits for a signal, lists the changes, and exits with the status that a shell would report.
async fn exit_on(mut stream: Signal, kind: SignalKind, changes: Changes) {
    stream.recv().await;
    // No change begins while this is locked.
    let changes = changes.lock();
    restore_echo();
    say("\nInterrupted.\n");
    match changes.is_empty() {
        true => say("Nothing was changed.\n"),
        false => say(&finish::changes_text(&changes)),
    }
    std::process::exit(128 + kind.as_raw_value());
}

/// Gives each organization a user, with the password or a new one.
fn with_users(
    decided: Vec<Decided>,
    password: Option<Zeroizing<String>>,
) -> Result<(Vec<NewOrganization>, Vec<NewUser>), SetupError> {
    let mut organizations = Vec::new();
    let mut users = Vec::new();
    for Decided {
        name,
        username,
        proposal,
    } in decided
    {
        let (password, is_given) = match &password {
            Some(password) => (password.clone(), true),
            None => (secrets::random_password()?, false),
        };
        let hash = PasswordDigest::of(&password).hash();
        let error = |error| SetupError::Missing(format!("the password can't be hashed: {error}"));
        organizations.push(NewOrganization {
            name,
            proposal,
            username: username.clone(),
            password_hash: hash.map_err(error)?,
            is_shared: false,
        });
        users.push(NewUser {
            username,
            password: (!is_given).then_some(password),
        });
    }
    Ok((organizations, users))
}
