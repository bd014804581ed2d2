//! Files that break, and locks of other processes.

use std::fs;
use std::time::Instant;

use tempfile::tempdir;

use super::{
    FILE_NAME, close, handle, open, pause, reason_of_failure, sqlite, wait_until_ready,
    waiting_inserts,
};
use crate::storage::{Storage, StorageStatus, StoredPause, UnconfirmedInsert};

#[tokio::test]
async fn broken_file_is_refused_until_it_is_replaced() {
    let directory = tempdir().expect("a directory");
    let path = directory.path().join(FILE_NAME);
    let garbage = "not a database ".repeat(1000);
    fs::write(&path, &garbage).expect("writable");
    let storage = open(&directory);
    let reason = reason_of_failure(&storage).await;
    assert!(
        reason.ends_with("state.db: file is not a database"),
        "{reason}"
    );
    let reader = {
        let storage = storage.clone();
        tokio::spawn(async move { storage.pauses("main").await })
    };
    let start = Instant::now();
    for id in 0..1000 {
        storage.insert(vec![pause(id)]).await.expect_err("refused");
    }
    assert!(start.elapsed().as_millis() < 900, "refused immediately");
    assert!(fs::read_to_string(&path).is_ok_and(|text| text == garbage));
    assert!(!reader.is_finished());
    fs::remove_file(&path).expect("it exists");
    assert_eq!(reader.await.expect("no panic"), []);
    storage.insert(vec![pause(1)]).await.expect("stored");
    assert_eq!(storage.status(), StorageStatus::Ready);
    assert!(storage.errors() >= 1);
}

#[tokio::test]
async fn damaged_page_is_found_when_the_file_is_opened() {
    let directory = tempdir().expect("a directory");
    let storage = open(&directory);
    let pauses = (0..200).map(pause).collect();
    storage.insert(pauses).await.expect("stored");
    close(storage).await;
    let path = directory.path().join(FILE_NAME);
    let mut bytes = fs::read(&path).expect("it exists");
    bytes[2 * 4096..3 * 4096].fill(0x55);
    fs::write(&path, bytes).expect("writable");
    let reason = reason_of_failure(&open(&directory)).await;
    assert!(reason.contains("state.db: is damaged: "), "{reason}");
}

#[tokio::test]
async fn directory_in_place_of_the_file_is_refused_until_it_is_removed() {
    let directory = tempdir().expect("a directory");
    let path = directory.path().join(FILE_NAME);
    fs::create_dir(&path).expect("writable");
    let storage = open(&directory);
    let reason = reason_of_failure(&storage).await;
    assert!(reason.ends_with("state.db: is not a file"), "{reason}");
    fs::remove_dir(&path).expect("it is empty");
    wait_until_ready(&storage).await;
}

#[tokio::test]
async fn directory_that_can_not_be_made_is_made_later() {
    let parent = tempdir().expect("a directory");
    let obstacle = parent.path().join("obstacle");
    fs::write(&obstacle, "a file").expect("writable");
    let directory = obstacle.join("state");
    let storage = Storage::open(&directory).expect("nothing else uses it");
    let reason = reason_of_failure(&storage).await;
    assert!(
        reason.starts_with(&directory.display().to_string()),
        "{reason}"
    );
    fs::remove_file(&obstacle).expect("it exists");
    wait_until_ready(&storage).await;
    storage.insert(vec![pause(1)]).await.expect("stored");
    Storage::open(&directory).expect_err("the directory is locked now");
}

#[tokio::test]
async fn removed_file_is_written_again_with_its_pauses() {
    let directory = tempdir().expect("a directory");
    let storage = open(&directory);
    storage.insert(vec![pause(1)]).await.expect("stored");
    for name in ["state.db", "state.db-wal", "state.db-shm"] {
        fs::remove_file(directory.path().join(name)).expect("it exists");
    }
    storage.insert(vec![pause(2)]).await.expect("stored");
    close(storage).await;
    let mut found = open(&directory).pauses("main").await;
    found.sort_by_key(|pause| pause.id);
    assert_eq!(found, [pause(1), pause(2)]);
}

#[tokio::test]
async fn removed_directory_is_made_and_locked_again() {
    let parent = tempdir().expect("a directory");
    let directory = parent.path().join("state");
    let storage = Storage::open(&directory).expect("the directory is free");
    storage.insert(vec![pause(1)]).await.expect("stored");
    fs::remove_dir_all(&directory).expect("it exists");
    storage.insert(vec![pause(2)]).await.expect("stored");
    Storage::open(&directory).expect_err("the directory is locked");
    assert_eq!(storage.pauses("main").await.len(), 2);
}

#[tokio::test]
async fn replaced_file_is_used_as_it_is() {
    let directory = tempdir().expect("a directory");
    let other = tempdir().expect("a directory");
    let backup = open(&other);
    backup.insert(vec![pause(7)]).await.expect("stored");
    close(backup).await;
    let storage = open(&directory);
    storage.insert(vec![pause(1)]).await.expect("stored");
    for name in ["state.db-wal", "state.db-shm"] {
        fs::remove_file(directory.path().join(name)).expect("it exists");
    }
    let path = |of: &tempfile::TempDir| of.path().join(FILE_NAME);
    fs::rename(path(&other), path(&directory)).expect("one file system");
    storage.insert(vec![pause(2)]).await.expect("stored");
    let mut found = storage.pauses("main").await;
    found.sort_by_key(|pause| pause.id);
    assert_eq!(found, [pause(2), pause(7)]);
}

#[tokio::test]
async fn write_lock_of_another_process_makes_the_storage_unavailable_until_it_ends() {
    let directory = tempdir().expect("a directory");
    let storage = open(&directory);
    storage
        .insert(vec![pause(1), pause(2)])
        .await
        .expect("stored");
    let other_process = sqlite(directory.path());
    other_process
        .execute_batch("BEGIN IMMEDIATE")
        .expect("locked");
    let start = Instant::now();
    let refused = storage.insert(vec![pause(3)]).await.expect_err("refused");
    assert!(refused.reason.ends_with("database is locked"), "{refused}");
    assert!(
        start.elapsed().as_millis() < 2500,
        "refused after the busy timeout"
    );
    storage.set_last_pause(1, 77);
    storage.delete(vec![2]);
    other_process.execute_batch("ROLLBACK").expect("unlocked");
    wait_until_ready(&storage).await;
    let last_pause = Some(77);
    let expected = StoredPause {
        last_pause,
        ..pause(1)
    };
    assert_eq!(storage.pauses("main").await, [expected]);
}

#[tokio::test]
async fn database_can_be_backed_up_while_it_is_used() {
    let directory = tempdir().expect("a directory");
    let storage = open(&directory);
    storage.insert(vec![pause(1)]).await.expect("stored");
    let backup = directory.path().join("backup.db");
    let other_process = sqlite(directory.path());
    other_process
        .execute("VACUUM INTO ?1", [backup.display().to_string()])
        .expect("backed up");
    storage.insert(vec![pause(2)]).await.expect("stored");
    let restored = tempdir().expect("a directory");
    fs::rename(backup, restored.path().join(FILE_NAME)).expect("one file system");
    assert_eq!(open(&restored).pauses("main").await, [pause(1)]);
}

// The clock is paused, so the time limit of the insert passes at once.
#[tokio::test(start_paused = true)]
async fn disk_that_hangs_makes_the_storage_unavailable_until_it_responds() {
    let directory = tempdir().expect("a directory");
    let (storage, run) = Storage::prepare(directory.path()).expect("the directory is free");
    let refused = storage.insert(vec![pause(1)]).await.expect_err("refused");
    assert_eq!(refused.reason, "the disk does not respond");
    storage.insert(vec![pause(2)]).await.expect_err("refused");
    assert_eq!(waiting_inserts(&storage), 1, "refused without the thread");
    std::thread::spawn(run);
    assert_eq!(storage.pauses("main").await, []);
    assert_eq!(storage.status(), StorageStatus::Ready);
}

/// The thread has executed the insert, but too late for the caller.
#[tokio::test]
async fn late_insert_is_removed_and_the_storage_recovers() {
    let directory = tempdir().expect("a directory");
    let storage = open(&directory);
    storage.insert(vec![pause(1)]).await.expect("stored");
    let late = UnconfirmedInsert {
        queue: &handle(&storage).queue,
        ids: vec![1],
    };
    handle(&storage)
        .health
        .fail("the disk does not respond".to_owned());
    drop(late);
    wait_until_ready(&storage).await;
    assert_eq!(storage.pauses("main").await, []);
}
