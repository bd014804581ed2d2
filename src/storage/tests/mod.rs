mod faults;
mod files;
mod full_disk;

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tempfile::{TempDir, tempdir};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::database::FILE_NAME;
use super::{
    DirectoryInUse, Handle, Kind, Storage, StorageStatus, StorageUnavailable, StoredPause,
};

const TIME_LIMIT: Duration = Duration::from_secs(20);

pub(super) fn pause(id: u64) -> StoredPause {
    StoredPause {
        id,
        pbx: "main".to_owned(),
        organization: "acme".to_owned(),
        queue: "acme-6001".to_owned(),
        interface: "PJSIP/acme-1001".to_owned(),
        reason: Some("Lunch".to_owned()),
        sent_at: 1_790_000_000_000,
        ends_at: Some(1_790_000_600_000),
        last_pause: None,
        user: "acme@example.com".to_owned(),
        request_id: "01J".to_owned(),
    }
}

fn open(directory: &TempDir) -> Storage {
    Storage::open(directory.path()).expect("the directory is free")
}

fn sqlite(directory: &Path) -> Connection {
    Connection::open(directory.join(FILE_NAME)).expect("SQLite opens the file")
}

fn handle(storage: &Storage) -> &Handle {
    match &*storage.0 {
        Kind::Directory(handle) => handle,
        Kind::Memory { .. } => panic!("in memory"),
    }
}

fn waiting_inserts(storage: &Storage) -> usize {
    handle(storage).queue.waiting_inserts()
}

fn insert_in_a_task(storage: &Storage, id: u64) -> JoinHandle<Result<(), StorageUnavailable>> {
    let storage = storage.clone();
    tokio::spawn(async move { storage.insert(vec![pause(id)]).await })
}

async fn close(storage: Storage) {
    assert!(storage.close(TIME_LIMIT).await, "the thread ends");
}

async fn wait_until(mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + TIME_LIMIT;
    while !condition() {
        assert!(Instant::now() < end, "the condition holds in time");
        sleep(Duration::from_millis(2)).await;
    }
}

async fn wait_until_ready(storage: &Storage) {
    wait_until(|| storage.status() == StorageStatus::Ready).await;
}

/// Waits until the storage is unavailable, and returns the reason.
async fn reason_of_failure(storage: &Storage) -> String {
    let mut found = String::new();
    wait_until(|| match storage.status() {
        StorageStatus::Unavailable { reason } if storage.errors() > 0 => {
            found = reason;
            true
        }
        _ => false,
    })
    .await;
    found
}

#[tokio::test]
async fn memory_has_pauses_until_they_are_deleted() {
    let storage = Storage::in_memory();
    storage
        .insert(vec![pause(1), pause(2)])
        .await
        .expect("stored");
    storage.set_last_pause(1, 77);
    storage.delete(vec![2, 3]);
    let last_pause = Some(77);
    let expected = StoredPause {
        last_pause,
        ..pause(1)
    };
    assert_eq!(storage.pauses("main").await, [expected]);
    assert_eq!(storage.pauses("other").await, []);
    assert_eq!(storage.status(), StorageStatus::Memory);
    assert!(storage.close(TIME_LIMIT).await);
}

#[tokio::test]
async fn pauses_survive_a_restart_with_all_their_fields() {
    let directory = tempdir().expect("a directory");
    let storage = open(&directory);
    let other_pbx = StoredPause {
        pbx: "other".to_owned(),
        ..pause(2)
    };
    let without_options = StoredPause {
        reason: None,
        ends_at: None,
        last_pause: Some(5),
        ..pause(u64::MAX)
    };
    let pauses = vec![pause(1), other_pbx.clone(), without_options.clone()];
    storage.insert(pauses).await.expect("stored");
    assert_eq!(storage.status(), StorageStatus::Ready);
    close(storage).await;
    let storage = open(&directory);
    let mut found = storage.pauses("main").await;
    found.sort_by_key(|pause| pause.id);
    assert_eq!(found, [pause(1), without_options]);
    assert_eq!(storage.pauses("other").await, [other_pbx]);
    assert_eq!(storage.errors(), 0);
}

#[tokio::test]
async fn inserted_pauses_survive_a_kill() {
    let directory = tempdir().expect("a directory");
    let storage = open(&directory);
    storage.insert(vec![pause(1)]).await.expect("stored");
    // These are the files that a killed process would leave.
    let left = tempdir().expect("a directory");
    for entry in std::fs::read_dir(directory.path()).expect("readable") {
        let entry = entry.expect("readable");
        std::fs::copy(entry.path(), left.path().join(entry.file_name())).expect("copied");
    }
    let restarted = open(&left);
    assert_eq!(restarted.pauses("main").await, [pause(1)]);
}

#[tokio::test]
async fn changes_are_executed_before_the_storage_closes() {
    let directory = tempdir().expect("a directory");
    let storage = open(&directory);
    storage
        .insert(vec![pause(1), pause(2)])
        .await
        .expect("stored");
    storage.set_last_pause(1, 77);
    storage.set_last_pause(2, 78);
    storage.delete(vec![2]);
    close(storage).await;
    let last_pause = Some(77);
    let expected = StoredPause {
        last_pause,
        ..pause(1)
    };
    assert_eq!(open(&directory).pauses("main").await, [expected]);
}

#[tokio::test]
async fn changes_are_executed_after_the_last_handle_is_dropped() {
    let directory = tempdir().expect("a directory");
    let storage = open(&directory);
    storage
        .insert(vec![pause(1), pause(2)])
        .await
        .expect("stored");
    let clone = storage.clone();
    drop(storage);
    clone.delete(vec![1]);
    drop(clone);
    let mut storage = Storage::open(directory.path());
    wait_until(|| {
        if storage.is_err() {
            storage = Storage::open(directory.path());
        }
        storage.is_ok()
    })
    .await;
    let storage = storage.expect("the directory is free");
    assert_eq!(storage.pauses("main").await, [pause(2)]);
}

#[tokio::test]
async fn insert_after_the_close_is_refused() {
    let directory = tempdir().expect("a directory");
    let storage = open(&directory);
    assert!(storage.close(TIME_LIMIT).await);
    let refused = storage.insert(vec![pause(1)]).await;
    let reason = refused.expect_err("refused").reason;
    assert_eq!(reason, "the bridge is shutting down");
}

#[tokio::test]
async fn directory_has_one_storage_at_a_time() {
    let directory = tempdir().expect("a directory");
    let storage = open(&directory);
    let refused = Storage::open(directory.path()).expect_err("refused");
    let expected = DirectoryInUse {
        directory: directory.path().to_owned(),
    };
    assert_eq!(refused, expected);
    close(storage).await;
    wait_until_ready(&open(&directory)).await;
}

/// Returns the number of transactions in the write-ahead log: its frames whose field "size of
/// the database after the commit" is set.
fn committed_transactions(directory: &Path) -> usize {
    const HEADER: usize = 32;
    const FRAME: usize = 24 + 4096;
    let log = std::fs::read(directory.join("state.db-wal")).expect("a write-ahead log");
    let frames = log[HEADER..].chunks(FRAME);
    frames.filter(|frame| frame[4..8] != [0; 4]).count()
}

#[tokio::test]
async fn inserts_that_wait_share_a_transaction() {
    const INSERTS: usize = 200;
    let other = tempdir().expect("a directory");
    let empty = open(&other);
    wait_until_ready(&empty).await;
    let to_open = committed_transactions(other.path());
    let directory = tempdir().expect("a directory");
    let (storage, run) = Storage::prepare(directory.path()).expect("the directory is free");
    let inserts = (0..INSERTS as u64).map(|id| insert_in_a_task(&storage, id));
    let inserts: Vec<_> = inserts.collect();
    wait_until(|| waiting_inserts(&storage) == INSERTS).await;
    std::thread::spawn(run);
    for insert in inserts {
        insert.await.expect("no panic").expect("stored");
    }
    assert_eq!(committed_transactions(directory.path()), to_open + 1);
    assert_eq!(storage.pauses("main").await.len(), INSERTS);
}

#[tokio::test]
async fn insert_whose_caller_has_gone_is_not_executed() {
    let directory = tempdir().expect("a directory");
    let (storage, run) = Storage::prepare(directory.path()).expect("the directory is free");
    let insert = insert_in_a_task(&storage, 1);
    wait_until(|| waiting_inserts(&storage) == 1).await;
    insert.abort();
    assert!(insert.await.expect_err("aborted").is_cancelled());
    std::thread::spawn(run);
    assert_eq!(storage.pauses("main").await, []);
}
