//! The lock that lets only one process use the directory.

use std::fs::{DirBuilder, File, Metadata, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use super::DirectoryInUse;

/// The file that a process locks. The database itself stays unlocked, so that `sqlite3` can
/// back it up.
pub(super) const FILE_NAME: &str = "lock";

/// How often a lock that another process holds is tried again. `ami-bridge check` holds it for
/// a moment.
const RETRIES: u32 = 10;
const RETRY_DELAY: Duration = Duration::from_millis(20);

/// The lock on a directory. The operating system releases it when the process ends, even by
/// `SIGKILL`.
#[derive(Debug)]
pub(super) struct DirectoryLock {
    directory: PathBuf,
    /// `None` if the lock file could not be opened.
    file: Option<File>,
}

impl DirectoryLock {
    /// Creates the directory if it is missing, and locks it. After an error of the operating
    /// system, returns a lock for which [`Self::ensure`] has to be called.
    pub(super) fn acquire(directory: &Path) -> Result<Self, DirectoryInUse> {
        let mut lock = Self {
            directory: directory.to_owned(),
            file: None,
        };
        for _ in 0..RETRIES {
            match lock.ensure() {
                Err(TryLockError::WouldBlock) => sleep(RETRY_DELAY),
                Ok(()) | Err(TryLockError::Error(_)) => return Ok(lock),
            }
        }
        Err(DirectoryInUse {
            directory: lock.directory,
        })
    }

    /// Locks the directory if it is not locked, or if the locked file was removed since.
    pub(super) fn ensure(&mut self) -> Result<(), TryLockError> {
        let path = self.directory.join(FILE_NAME);
        if self.file.as_ref().is_some_and(|file| is_at(file, &path)) {
            return Ok(());
        }
        self.file = None;
        let file = open(&self.directory, &path).map_err(TryLockError::Error)?;
        file.try_lock()?;
        self.file = Some(file);
        Ok(())
    }
}

fn open(directory: &Path, path: &Path) -> io::Result<File> {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700).create(directory)?;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    options.open(path)
}

fn is_at(file: &File, path: &Path) -> bool {
    let identities = (file.metadata(), path.metadata());
    matches!(identities, (Ok(file), Ok(path)) if identity(&file) == identity(&path))
}

/// Identifies a file independently of its name.
pub(super) fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}
