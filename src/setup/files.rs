//! Writes files without ever overwriting one, and lists everything that was written.
//!
//! A file appears under its name only when it is complete: setup writes a temporary file in the
//! same folder and then links it to its name. The link fails if the name exists.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::shell::{quoted_path, removal};

/// One thing that setup has changed, and how to undo it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) what: String,
    pub(super) undo: String,
}

/// The owner of a file. `None` leaves the user or the group that the operating system chooses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) user: Option<u32>,
    pub(super) group: Option<u32>,
}

/// Who may access a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Access {
    pub(super) mode: u32,
    pub(super) owner: Owner,
}

/// The changes that setup has made. Whoever holds the lock can rely on no change being half
/// made.
#[derive(Debug, Clone, Default)]
pub(super) struct Changes(Arc<Mutex<Vec<Change>>>);

impl Changes {
    /// Waits until no change is under way, and returns the changes in order. No change begins
    /// while the caller holds the guard.
    pub(super) fn lock(&self) -> MutexGuard<'_, Vec<Change>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks that the current user can create files in a folder.
    ///
    /// # Errors
    /// Returns an error if the user can't.
    pub(super) fn require_writable(&self, folder: &Path) -> io::Result<()> {
        let _changes = self.lock();
        let path = folder.join(format!(".ami-bridge-setup.{}", std::process::id()));
        let probe = OpenOptions::new().write(true).create_new(true).open(&path);
        probe.map(|_| drop(Temporary { path }))
    }

    /// Creates a folder if it does not exist.
    ///
    /// # Errors
    /// Returns an error if the folder can't be created. Its parent must exist.
    pub(super) fn create_folder(&self, path: &Path, access: Access) -> io::Result<()> {
        let mut changes = self.lock();
        match fs::create_dir(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(()),
            result => result?,
        }
        set_owner(File::open(path)?, access.owner)?;
        fs::set_permissions(path, fs::Permissions::from_mode(access.mode))?;
        changes.push(Change {
            what: path.display().to_string(),
            undo: format!("rmdir {}", quoted_path(path)),
        });
        Ok(())
    }

    /// Creates a file with its whole content, or nothing. `after_undo` is a command to run after
    /// the file is removed.
    ///
    /// # Errors
    /// Returns [`ErrorKind::AlreadyExists`] if the file exists, or another error if it can't be
    /// written.
    pub(super) fn create(
        &self,
        path: &Path,
        content: &str,
        access: Access,
        after_undo: Option<&str>,
    ) -> io::Result<()> {
        let mut changes = self.lock();
        let temporary = Temporary::write(path, content, access)?;
        fs::hard_link(&temporary.path, path)?;
        let after = after_undo.map_or(String::new(), |command| format!(" && {command}"));
        changes.push(Change {
            what: path.display().to_string(),
            undo: format!("rm {}{after}", quoted_path(path)),
        });
        Ok(())
    }

    /// Replaces a file after saving it under the name `saved`.
    ///
    /// # Errors
    /// Returns an error if a file named `saved` exists with a different content, or if a file
    /// can't be written. The file is then unchanged.
    pub(super) fn replace(
        &self,
        path: &Path,
        saved: &Path,
        content: &str,
        access: Access,
    ) -> io::Result<()> {
        let mut changes = self.lock();
        let temporary = Temporary::write(path, content, access)?;
        let restore = match fs::hard_link(path, saved) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                if fs::read(path)? != fs::read(saved)? {
                    return Err(error);
                }
                // An earlier run has saved it.
                "cp -p"
            }
            result => result.map(|()| "mv")?,
        };
        fs::rename(&temporary.path, path)?;
        changes.push(Change {
            what: format!(
                "{} (the example is now {})",
                path.display(),
                saved.display()
            ),
            undo: format!("{restore} {} {}", quoted_path(saved), quoted_path(path)),
        });
        Ok(())
    }

    /// Appends a text to a file with a single write. Leaves what the file contains, its owner and
    /// its mode. The first and the last line of the text must not occur in the file. `after_undo` is
    /// a command to run after the text is removed.
    ///
    /// # Errors
    /// Returns an error if the file does not exist or can't be written.
    pub(super) fn append(&self, path: &Path, text: &str, after_undo: &str) -> io::Result<()> {
        let mut changes = self.lock();
        let old = fs::read(path)?;
        let separator = match old.last() {
            None => "",
            Some(b'\n') => "\n",
            Some(_) => "\n\n",
        };
        let mut file = OpenOptions::new().append(true).open(path)?;
        file.write_all([separator, text].concat().as_bytes())?;
        file.sync_all()?;
        changes.push(Change {
            what: format!("{} (lines added at its end)", path.display()),
            undo: format!("{} && {after_undo}", removal(path, separator, text)),
        });
        Ok(())
    }
}

/// A complete file under a temporary name. Dropping it removes the temporary name.
struct Temporary {
    path: PathBuf,
}

impl Temporary {
    fn write(target: &Path, content: &str, access: Access) -> io::Result<Self> {
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let path = target.with_file_name(format!(".{name}.{}", std::process::id()));
        // Nobody else may read the file before it has its owner.
        let mut options = OpenOptions::new();
        let mut file: File = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        let temporary = Self { path };
        file.write_all(content.as_bytes())?;
        set_owner(&file, access.owner)?;
        file.set_permissions(fs::Permissions::from_mode(access.mode))?;
        file.sync_all()?;
        Ok(temporary)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // After a rename, the temporary name no longer exists.
        let _ = fs::remove_file(&self.path);
    }
}

/// Sets the owner of an open file or folder: another user who may write to its folder could replace
/// its name by a symbolic link. Without the right to do so, leaves the current user's own file as it
/// is.
fn set_owner(file: impl AsFd, owner: Owner) -> io::Result<()> {
    match fchown(file, owner.user, owner.group) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
        result => result,
    }
}

/// Returns whether every user of this machine can read a file, because of its mode and its folder's.
pub(super) fn is_readable_by_all(path: &Path) -> bool {
    let has = |path: Option<&Path>, bit: u32| {
        let metadata = path.and_then(|path| fs::metadata(path).ok());
        metadata.is_some_and(|metadata| metadata.mode() & bit != 0)
    };
    has(Some(path), 0o004) && has(path.parent(), 0o001)
}

/// Returns the owner of a file or folder.
pub(super) fn owner_of(path: &Path) -> io::Result<Owner> {
    let metadata = fs::metadata(path)?;
    Ok(Owner {
        user: Some(metadata.uid()),
        group: Some(metadata.gid()),
    })
}

/// Returns the id of a group in the text of `/etc/group`.
pub(super) fn group_id(groups: &str, name: &str) -> Option<u32> {
    let mut lines = groups.lines().map(|line| line.split(':'));
    lines.find_map(|mut fields| {
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        let name = |entry: io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
        let mut names: Vec<_> = entries.map(name).collect();
        names.sort();
        let names = names.into_iter();
        names
            .map(|name| name.into_string().expect("UTF-8"))
            .collect()
    }

    fn access(mode: u32) -> Access {
        let owner = Owner::default();
        Access { mode, owner }
    }

    #[test]
    fn create_never_overwrites_and_leaves_no_temporary_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("new.conf");
        let changes = Changes::default();
        let create = |text| changes.create(&path, text, access(0o640), Some("reload"));
        create("one\n").expect("written");
        let error = create("two\n").expect_err("the file exists");
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).expect("a file"), "one\n");
        assert_eq!(names(folder.path()), ["new.conf"]);
        let mode = fs::metadata(&path).expect("a file").mode();
        assert_eq!(mode & 0o777, 0o640);
        let undo = format!("rm {} && reload", path.display());
        assert_eq!(changes.lock().len(), 1);
        assert_eq!(changes.lock()[0].undo, undo);
    }

    #[test]
    fn replace_saves_the_old_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let [path, saved] = ["a.toml", "a.toml.packaged"].map(|name| folder.path().join(name));
        fs::write(&path, "example").expect("written");
        let changes = Changes::default();
        let replace = |text| changes.replace(&path, &saved, text, access(0o600));
        replace("one").expect("written");
        assert_eq!(fs::read_to_string(&path).expect("a file"), "one");
        assert_eq!(fs::read_to_string(&saved).expect("a file"), "example");
        // The saved file would be lost.
        replace("two").expect_err("the saved file differs");
        assert_eq!(fs::read_to_string(&path).expect("a file"), "one");
        assert_eq!(names(folder.path()), ["a.toml", "a.toml.packaged"]);
        // An earlier run has saved it, so the undo must leave the saved file.
        fs::write(&path, "example").expect("written");
        replace("three").expect("written");
        let undo: Vec<String> = changes.lock().iter().map(|c| c.undo.clone()).collect();
        assert!(
            undo[0].starts_with("mv ") && undo[1].starts_with("cp -p "),
            "{undo:?}"
        );
    }

    #[test]
    fn append_starts_a_new_paragraph() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("manager_custom.conf");
        let changes = Changes::default();
        changes.append(&path, "x", "reload").expect_err("no file");
        for (old, expected) in [
            ("", "[x]\n"),
            ("a=b\n", "a=b\n\n[x]\n"),
            ("a", "a\n\n[x]\n"),
        ] {
            fs::write(&path, old).expect("written");
            changes.append(&path, "[x]\n", "reload").expect("written");
            assert_eq!(fs::read_to_string(&path).expect("a file"), expected);
        }
        assert!(changes.lock()[0].undo.ends_with(" && reload"));
    }

    #[test]
    fn group_id_is_the_third_field() {
        let groups = "root:x:0:\nasterisk:x:112:\nami-bridge:x:998:\n";
        assert_eq!(group_id(groups, "ami-bridge"), Some(998));
        assert_eq!(group_id(groups, "ami"), None);
        assert_eq!(group_id("broken:x\n", "broken"), None);
    }
}
