//! Writes programs that a test executes.

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

/// Copies a program, so that every user can execute the copy.
pub(crate) fn copy_program(source: &Path, target: &Path) {
    write(File::open(source).expect("a program"), target);
}

/// Writes a script that every user can execute.
pub(crate) fn write_script(target: &Path, script: &str) {
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(script.as_bytes()).expect("written");
    file.rewind().expect("a file");
    write(file, target);
}

/// Lets another process write the file. If this one wrote it, a process that another test starts at
/// that moment would also have the file open for a moment, and Linux would refuse to execute it ("Text
/// file busy").
fn write(source: File, target: &Path) {
    let status = Command::new("sh")
        .args(["-c", r#"cat >"$0" && chmod 755 "$0""#])
        .arg(target)
        .stdin(Stdio::from(source))
        .status();
    assert!(status.expect("a shell").success(), "{}", target.display());
}
