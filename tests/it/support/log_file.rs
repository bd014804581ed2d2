//! Captures the standard error of a program in a temporary file.

use std::process::Stdio;

use tempfile::NamedTempFile;

/// A temporary file to which a program logs. The program never has to wait for a reader, and
/// a line that the program writes before it responds is readable after the response.
pub(super) struct LogFile(NamedTempFile);

impl LogFile {
    pub(super) fn new() -> Self {
        Self(NamedTempFile::new().expect("a temporary file"))
    }

    /// Opens the file as a program's standard error.
    pub(super) fn stdio(&self) -> Stdio {
        self.0.reopen().expect("a temporary file").into()
    }

    /// Opens the file for another writer, such as a thread that copies the log.
    pub(super) fn file(&self) -> std::fs::File {
        self.0.reopen().expect("a temporary file")
    }

    /// Returns the complete lines in the file.
    pub(super) fn text(&self) -> String {
        let bytes = std::fs::read(self.0.path()).expect("a readable log");
        let end = bytes.iter().rposition(|byte| *byte == b'\n');
        let complete = end.map_or(0, |end| end + 1);
        String::from_utf8_lossy(&bytes[..complete]).into_owned()
    }
}
