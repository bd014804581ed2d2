//! Inspects a directory for `ami-bridge check`, without opening the database: a running bridge
//! may use it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use super::database::FILE_NAME;
use super::database_error::DatabaseError;
use super::directory_lock;
use super::schema::VERSION;

/// The length of the header at the beginning of SQLite's files, its first bytes, and the
/// position of the schema's version in it.
const HEADER_LENGTH: u64 = 100;
const MAGIC: &[u8] = b"SQLite format 3\0";
const VERSION_OFFSET: usize = 60;

/// What a directory is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DirectoryState {
    /// This user can store the state in it.
    Usable,
    /// A running bridge uses it.
    InUse,
    /// It does not exist. The bridge creates it at startup.
    Missing,
    /// This user can't store the state in it.
    Unusable {
        /// The reason, for example `/var/lib/ami-bridge: Permission denied (os error 13)`.
        reason: String,
    },
}

/// Inspects a directory as the current user. Creates no directory and no database, and does not
/// disturb a bridge that uses the directory or is starting.
#[must_use]
pub fn inspect(directory: &Path) -> DirectoryState {
    let unusable = |path: &Path, error: DatabaseError| DirectoryState::Unusable {
        reason: format!("{}: {error}", path.display()),
    };
    match fs::metadata(directory) {
        Err(error) if error.kind() == ErrorKind::NotFound => return DirectoryState::Missing,
        Err(error) => return unusable(directory, error.into()),
        Ok(metadata) if !metadata.is_dir() => {
            return unusable(directory, io::Error::from(ErrorKind::NotADirectory).into());
        }
        Ok(_) => {}
    }
    match is_locked(&directory.join(directory_lock::FILE_NAME)) {
        Err(error) => return unusable(directory, error.into()),
        Ok(true) => return DirectoryState::InUse,
        Ok(false) => {}
    }
    if let Err(error) = create_and_remove_file(directory) {
        return unusable(directory, error.into());
    }
    let database = directory.join(FILE_NAME);
    match check_database(&database) {
        Ok(()) => DirectoryState::Usable,
        Err(error) => unusable(&database, error),
    }
}

/// Returns whether a bridge holds the lock. A bridge that starts at this moment waits until the
/// lock is released here.
fn is_locked(path: &Path) -> io::Result<bool> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        file => file?,
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// SQLite needs a directory in which it can create its log.
fn create_and_remove_file(directory: &Path) -> io::Result<()> {
    let path = directory.join(format!("check-{}", std::process::id()));
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path)?;
    fs::remove_file(path)
}

fn check_database(path: &Path) -> Result<(), DatabaseError> {
    let mut file = match OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == ErrorKind::IsADirectory => {
            return Err(DatabaseError::NotAFile);
        }
        file => file?,
    };
    let mut header = Vec::new();
    file.by_ref().take(HEADER_LENGTH).read_to_end(&mut header)?;
    if header.is_empty() {
        return Ok(());
    }
    let version = header.get(VERSION_OFFSET..VERSION_OFFSET + 4);
    let version = version.and_then(|bytes| <[u8; 4]>::try_from(bytes).ok());
    let version = version.map(|bytes| i64::from(i32::from_be_bytes(bytes)));
    match version {
        Some(found) if header.starts_with(MAGIC) && found > VERSION => {
            let supported = VERSION;
            Err(DatabaseError::Newer { found, supported })
        }
        Some(_) if header.starts_with(MAGIC) => Ok(()),
        _ => Err(DatabaseError::NotADatabase),
    }
}

#[cfg(test)]
mod tests {
    use tempfile::tempdir;

    use super::super::Storage;
    use super::*;

    fn names_in(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).expect("readable");
        let names = entries.map(|entry| entry.expect("readable").file_name());
        names
            .map(|name| name.to_string_lossy().into_owned())
            .collect()
    }

    fn reason(directory: &Path) -> String {
        match inspect(directory) {
            DirectoryState::Unusable { reason } => reason,
            state => panic!("{state:?}"),
        }
    }

    #[test]
    fn missing_and_empty_directories_stay_as_they_are() {
        let parent = tempdir().expect("a directory");
        let directory = parent.path().join("state");
        assert_eq!(inspect(&directory), DirectoryState::Missing);
        assert!(!directory.exists());
        assert_eq!(inspect(parent.path()), DirectoryState::Usable);
        assert!(names_in(parent.path()).is_empty());
    }

    #[tokio::test]
    async fn directory_of_a_running_bridge_is_in_use() {
        let directory = tempdir().expect("a directory");
        let storage = Storage::open(directory.path()).expect("the directory is free");
        assert_eq!(storage.pauses("main").await, []);
        assert_eq!(inspect(directory.path()), DirectoryState::InUse);
        assert!(storage.close(std::time::Duration::from_secs(20)).await);
        assert_eq!(inspect(directory.path()), DirectoryState::Usable);
    }

    #[tokio::test]
    async fn bridge_can_start_while_its_directory_is_inspected() {
        let directory = tempdir().expect("a directory");
        let path = directory.path().join(directory_lock::FILE_NAME);
        fs::write(&path, "").expect("writable");
        let inspected = File::open(&path).expect("readable");
        inspected.try_lock_shared().expect("locked");
        let release = std::thread::spawn(move || drop(inspected));
        Storage::open(directory.path()).expect("the bridge waits for the lock");
        release.join().expect("no panic");
    }

    #[test]
    fn unusable_files_are_reported_and_stay_as_they_are() {
        let directory = tempdir().expect("a directory");
        let path = directory.path().join(FILE_NAME);
        fs::write(&path, "garbage").expect("writable");
        assert!(reason(directory.path()).ends_with("state.db: is not a database"));
        let newer = rusqlite::Connection::open(directory.path().join("newer")).expect("opened");
        newer
            .pragma_update(None, "user_version", 99)
            .expect("written");
        drop(newer);
        fs::rename(directory.path().join("newer"), &path).expect("one file system");
        let found = reason(directory.path());
        assert!(
            found.contains("a newer ami-bridge: its version is 99"),
            "{found}"
        );
        assert!(reason(&path).ends_with("state.db: not a directory"));
        fs::remove_file(&path).expect("it exists");
        fs::create_dir(&path).expect("writable");
        assert!(reason(directory.path()).ends_with("state.db: is not a file"));
        assert_eq!(names_in(directory.path()), [FILE_NAME]);
    }
}
