//! Writes the configuration and the secret.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::Setup;
use super::configuration::{Configuration, SecretSource};
use super::error::{SetupError, at};
use super::files::{Access, Owner, group_id, owner_of};
use super::question::Question;
use super::questions::say;
use super::secrets::read_line_of;
use super::service;

/// The example that the packages install as the configuration.
const EXAMPLE: &str = include_str!("../../packaging/ami-bridge.toml");

/// The daemon's group, which the packages create.
const GROUP: &str = "ami-bridge";

/// The configuration file that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Existing {
    Nothing,
    /// The packages' example, unchanged.
    Example,
    /// The operator's own configuration.
    Own,
}

impl Existing {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// Returns an error if the file exists and can't be read.
    pub(super) fn of(path: &Path) -> Result<Self, SetupError> {
        match fs::read(path) {
            Ok(content) if content == EXAMPLE.as_bytes() => Ok(Self::Example),
            Ok(_) => Ok(Self::Own),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::Nothing),
            Err(error) => Err(at(path)(error)),
        }
    }
}

impl Setup {
    /// Returns the path of the configuration.
    pub(super) fn configuration_file(&self) -> PathBuf {
        self.arguments.directory.join("ami-bridge.toml")
    }

    /// Checks that files can be created in the folder, or the folder itself. Creates nothing.
    ///
    /// # Errors
    /// Returns an error if the current user may not do that.
    pub(super) fn require_writable_folder(&self) -> Result<(), SetupError> {
        let folder = &self.arguments.directory;
        let existing = match folder.parent() {
            Some(parent) if !folder.exists() => parent,
            _ => folder,
        };
        self.changes.require_writable(existing).map_err(|error| {
            let remedy = match is_root() {
                true => "Choose",
                false => "Run setup as root, or choose",
            };
            SetupError::Missing(format!(
                "{} can't be written: {error}. {remedy} a folder with --directory",
                existing.display()
            ))
        })
    }

    /// Shows the configuration, and writes it with the secret if the operator agrees. Returns
    /// whether it was written.
    ///
    /// # Errors
    /// Returns an error if a file can't be written.
    pub(super) fn confirm_and_write(
        &self,
        configuration: &Configuration,
        secret: &str,
        existing: Existing,
    ) -> Result<bool, SetupError> {
        let path = self.configuration_file();
        let text = configuration.to_toml(SecretSource::File);
        say(&format!("\n{}:\n\n{}\n", path.display(), *text));
        if self.arguments.dry_run {
            say("Dry run: nothing was written.\n");
            return Ok(false);
        }
        if !self.questions.confirm(Question::Write, true, true)? {
            say("Nothing of the bridge was written.\n");
            return Ok(false);
        }
        self.write_secret(secret)?;
        let access = Access {
            mode: 0o640,
            owner: self.owner()?,
        };
        let result = match existing {
            Existing::Example => {
                let saved = path.with_extension("toml.packaged");
                self.changes.replace(&path, &saved, &text, access)
            }
            _ => self.changes.create(&path, &text, access, None),
        };
        result.map_err(at(&path))?;
        Ok(true)
    }

    /// Creates the configuration's folder if it does not exist.
    ///
    /// # Errors
    /// Returns an error if the folder can't be created.
    pub(super) fn create_directory(&self) -> Result<(), SetupError> {
        let folder = &self.arguments.directory;
        let group = group_of_daemon();
        let owner = Owner { user: None, group };
        let access = Access { mode: 0o750, owner };
        let created = self.changes.create_folder(folder, access);
        created.map_err(at(folder))
    }

    /// Writes the AMI user's secret. Leaves a file with the same secret as it is.
    ///
    /// # Errors
    /// Returns an error if a file with another secret exists, or if the file can't be written.
    pub(super) fn write_secret(&self, secret: &str) -> Result<(), SetupError> {
        self.create_directory()?;
        let folder = &self.arguments.directory;
        let path = self.secret_file();
        if path.exists() {
            let old = read_line_of(&path)?;
            if *old == *secret {
                return Ok(());
            }
            return Err(SetupError::Missing(format!(
                "{} has another secret than the one that works: move the file away and run \
                 setup again",
                path.display()
            )));
        }
        // systemd reads the file as root, and passes it to the daemon. Elsewhere, the daemon
        // itself reads it.
        let is_read_by_systemd = service::reads(folder);
        let mode = if is_read_by_systemd { 0o600 } else { 0o640 };
        let owner = match is_read_by_systemd {
            true => Owner::default(),
            false => self.owner()?,
        };
        let text = Zeroizing::new(format!("{secret}\n"));
        let written = self
            .changes
            .create(&path, &text, Access { mode, owner }, None);
        written.map_err(at(&path))
    }

    /// Returns the owner of the configuration: the daemon's group may read it. Without such a
    /// group, as in a container, the folder's group is the daemon's.
    fn owner(&self) -> Result<Owner, SetupError> {
        let folder = &self.arguments.directory;
        let folder_group = owner_of(folder).map_err(at(folder))?.group;
        // A folder that belongs to another group than root's was prepared for the daemon.
        let prepared = folder_group.filter(|group| *group != 0);
        Ok(Owner {
            user: None,
            group: prepared.or_else(group_of_daemon).or(folder_group),
        })
    }
}

/// Returns whether the current user is root.
fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}

fn group_of_daemon() -> Option<u32> {
    let groups = fs::read_to_string("/etc/group").ok()?;
    group_id(&groups, GROUP).filter(|_| is_root())
}
