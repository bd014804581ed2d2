//! Which files the storage accepts, and which it makes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{FILE_NAME, close, open, pause, reason_of_failure, sqlite, wait_until_ready};
use crate::storage::Storage;
use crate::storage::schema::VERSION;
use tempfile::tempdir;

fn mode(path: &Path) -> u32 {
    let metadata = fs::metadata(path).expect("it exists");
    metadata.permissions().mode() & 0o777
}

#[tokio::test]
async fn missing_directory_is_made_for_its_owner_only() {
    let parent = tempdir().expect("a directory");
    let directory = parent.path().join("made").join("state");
    let storage = Storage::open(&directory).expect("the directory is free");
    storage.insert(vec![pause(1)]).await.expect("stored");
    assert_eq!(mode(&directory), 0o700);
    for name in ["state.db", "state.db-wal", "state.db-shm", "lock"] {
        assert_eq!(mode(&directory.join(name)), 0o600, "{name}");
    }
}

#[tokio::test]
async fn database_loses_the_permissions_of_others() {
    let directory = tempdir().expect("a directory");
    let path = directory.path().join(FILE_NAME);
    fs::write(&path, "").expect("writable");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("it exists");
    wait_until_ready(&open(&directory)).await;
    assert_eq!(mode(&path), 0o600);
}

#[tokio::test]
async fn empty_file_gets_the_schema() {
    let directory = tempdir().expect("a directory");
    fs::write(directory.path().join(FILE_NAME), "").expect("writable");
    let storage = open(&directory);
    storage.insert(vec![pause(1)]).await.expect("stored");
    close(storage).await;
    let file = sqlite(directory.path());
    let version = file.query_row("PRAGMA user_version", [], |row| row.get(0));
    assert_eq!(version, Ok(VERSION));
    let count = file.query_row("SELECT count(*) FROM pauses", [], |row| row.get(0));
    assert_eq!(count, Ok(1));
}

/// Opens a storage on a database that `prepare` has changed. Asserts that the storage refuses
/// the database for `reason`, and leaves its bytes as they are.
async fn assert_refused(prepare: &str, reason: &str) {
    let directory = tempdir().expect("a directory");
    let file = sqlite(directory.path());
    file.execute_batch(prepare).expect("prepared");
    drop(file);
    let path = directory.path().join(FILE_NAME);
    let before = fs::read(&path).expect("it exists");
    let storage = open(&directory);
    let found = reason_of_failure(&storage).await;
    assert_eq!(found, format!("{}: {reason}", path.display()));
    let refused = storage.insert(vec![pause(1)]).await.expect_err("refused");
    assert_eq!(refused.reason, found);
    close(storage).await;
    assert!(fs::read(&path).expect("it exists") == before, "unchanged");
}

#[tokio::test]
async fn database_of_a_newer_version_is_refused_and_unchanged() {
    let prepare = "CREATE TABLE pauses (id); PRAGMA user_version = 99";
    let reason = format!(
        "was written by a newer ami-bridge: its version is 99, and this ami-bridge supports \
         versions up to {VERSION}"
    );
    assert_refused(prepare, &reason).await;
}

#[tokio::test]
async fn database_of_a_newer_version_with_a_log_is_refused_and_unchanged() {
    let directory = tempdir().expect("a directory");
    let newer = sqlite(directory.path());
    let prepare = "PRAGMA journal_mode = WAL; CREATE TABLE pauses (id); PRAGMA user_version = 99";
    newer.execute_batch(prepare).expect("prepared");
    // The files that a killed process leaves have a write-ahead log.
    let left = tempdir().expect("a directory");
    let names = ["state.db", "state.db-wal"];
    for name in names {
        fs::copy(directory.path().join(name), left.path().join(name)).expect("copied");
    }
    let storage = open(&left);
    let reason = reason_of_failure(&storage).await;
    assert!(reason.contains("a newer ami-bridge"), "{reason}");
    close(storage).await;
    for name in names {
        let original = fs::read(directory.path().join(name)).expect("it exists");
        let found = fs::read(left.path().join(name)).expect("it exists");
        assert!(found == original, "{name}");
    }
}

#[tokio::test]
async fn database_of_another_program_is_refused_and_unchanged() {
    let reason = "is a database of another program";
    assert_refused("CREATE TABLE songs (title)", reason).await;
    assert_refused("PRAGMA user_version = 1", reason).await;
}
