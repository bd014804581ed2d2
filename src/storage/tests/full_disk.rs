//! A disk that is full. The test starts itself again in a mount namespace of its own, which has
//! a disk of a few pages.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::tempdir;

use super::{pause, wait_until_ready};
use crate::storage::Storage;

const DISK: &str = "AMI_BRIDGE_TEST_DISK";

#[tokio::test]
async fn unshare_full_disk_refuses_inserts_until_there_is_room() {
    if let Ok(disk) = std::env::var(DISK) {
        return fill_disk(Path::new(&disk)).await;
    }
    let directory = tempdir().expect("a directory");
    let test = std::env::current_exe().expect("a test binary");
    let script = r#"mount -t tmpfs -o size=256k tmpfs "$0" && exec "$@""#;
    let output = Command::new("unshare")
        .args(["--mount", "--map-root-user", "sh", "-c", script])
        .arg(directory.path())
        .arg(test)
        .args(["--exact", "--nocapture"])
        .arg("storage::tests::full_disk::unshare_full_disk_refuses_inserts_until_there_is_room")
        .env(DISK, directory.path())
        .output()
        .expect("unshare starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{output:?}"
    );
}

async fn fill_disk(disk: &Path) {
    let storage = Storage::open(disk).expect("the directory is free");
    storage.insert(vec![pause(1)]).await.expect("stored");
    let filler = disk.join("filler");
    fs::write(&filler, vec![0; 1024 * 1024]).expect_err("the disk is full");
    let mut stored = vec![1];
    let refused = loop {
        let id = stored.len() as u64 + 1;
        match storage.insert(vec![pause(id)]).await {
            Ok(()) => stored.push(id),
            Err(error) => break error,
        }
    };
    assert!(
        refused.reason.ends_with("database or disk is full"),
        "{refused}"
    );
    // The full disk does not prevent the start.
    assert!(storage.close(super::TIME_LIMIT).await);
    let storage = Storage::open(disk).expect("the directory is free");
    fs::remove_file(filler).expect("it exists");
    wait_until_ready(&storage).await;
    let found = storage.pauses("main").await;
    let mut found: Vec<u64> = found.iter().map(|pause| pause.id).collect();
    found.sort_unstable();
    assert_eq!(found, stored);
    storage.insert(vec![pause(10_000)]).await.expect("stored");
}
