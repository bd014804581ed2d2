//! The standard error of a program that a test has started.

use std::process::Stdio;

use tempfile::NamedTempFile;

/// A temporary file to which a program logs. The program never waits for a reader, and a
/// line that it has written before a response can be read after that response.
pub(super) struct LogFile(NamedTempFile);

impl LogFile {
    pub(super) fn new() -> Self {
        Self(NamedTempFile::new().expect("a temporary file"))
    }

    /// The file as the standard error of a program.
    pub(super) fn stdio(&self) -> Stdio {
        self.0.reopen().expect("a temporary file").into()
    }

    /// The file for a writer other than the program.
    pub(super) fn file(&self) -> std::fs::File {
        self.0.reopen().expect("a temporary file")
    }

    /// All complete lines so far.
    pub(super) fn text(&self) -> String {
        let bytes = std::fs::read(self.0.path()).expect("a log");
        let end = bytes.iter().rposition(|byte| *byte == b'\n');
        let complete = end.map_or(0, |end| end + 1);
        String::from_utf8_lossy(&bytes[..complete]).into_owned()
    }
}
