//! What a program that a test has started writes to its standard error.

use std::process::Stdio;

use tempfile::NamedTempFile;

/// A file: the program never waits for a reader, and what it has written before an
/// answer is there with the answer.
pub(super) struct LogFile(NamedTempFile);

impl LogFile {
    pub(super) fn new() -> Self {
        Self(NamedTempFile::new().expect("a temporary file"))
    }

    /// What the program is to write to.
    pub(super) fn stdio(&self) -> Stdio {
        self.0.reopen().expect("a temporary file").into()
    }

    /// What someone else writes to in its place.
    pub(super) fn file(&self) -> std::fs::File {
        self.0.reopen().expect("a temporary file")
    }

    /// Its lines up to now; of one that is just being written, nothing.
    pub(super) fn text(&self) -> String {
        let bytes = std::fs::read(self.0.path()).expect("a log");
        let end = bytes.iter().rposition(|byte| *byte == b'\n');
        let whole = end.map_or(0, |end| end + 1);
        String::from_utf8_lossy(&bytes[..whole]).into_owned()
    }
}
