//! Errors of the database.

use std::io;

/// An error that makes the database unusable.
#[derive(Debug, thiserror::Error)]
pub(super) enum DatabaseError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("is not a file")]
    NotAFile,
    #[error("is not a database")]
    NotADatabase,
    #[error("is a database of another program")]
    OtherProgram,
    #[error(
        "was written by a newer ami-bridge: its version is {found}, and this ami-bridge supports \
         versions up to {supported}"
    )]
    Newer { found: i64, supported: i64 },
    #[error("is damaged: {0}")]
    Damaged(String),
    #[error("the file system does not support a write-ahead log")]
    NoWriteAheadLog,
}
