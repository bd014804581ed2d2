//! A reader of the bridge's log that tests can pause. It reads from a pipe, or replaces the
//! systemd journal.

use std::fs::File;
use std::io::{PipeReader, Read, Write, pipe};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};

use super::bridge::Bridge;
use super::log_file::LogFile;

/// A thread that copies the bridge's log to its [`LogFile`], except while the thread is
/// paused. Dropping it resumes the thread.
pub(crate) struct LogReader {
    paused: Arc<(Mutex<bool>, Condvar)>,
    /// The folder with the journal's socket.
    _folder: Option<tempfile::TempDir>,
}

impl LogReader {
    /// Starts a bridge whose standard error is a pipe to the returned reader.
    pub(crate) fn start_bridge_with_pipe(command: Command, configuration: &str) -> (Bridge, Self) {
        let log = LogFile::new();
        let (reader, writer) = pipe().expect("a pipe");
        let this = Self::start(Source::Pipe(reader), log.file(), None);
        let bridge = Bridge::start_with_log(command, configuration, log, writer.into());
        (bridge, this)
    }

    /// Starts a bridge with `format = "journald"` in a separate mount namespace, in which the
    /// returned reader owns the journal's socket.
    pub(crate) fn start_bridge_with_journal(
        command: &Command,
        configuration: &str,
    ) -> (Bridge, Self) {
        let log = LogFile::new();
        let folder = tempfile::tempdir().expect("a folder");
        let journal = folder.path().join("systemd/journal");
        std::fs::create_dir_all(&journal).expect("a folder");
        let socket = UnixDatagram::bind(journal.join("socket")).expect("a socket");
        let configuration = configuration.replace("[log]", "[log]\nformat = \"journald\"");
        let command = in_mount_namespace(folder.path(), command);
        let this = Self::start(Source::Journal(socket), log.file(), Some(folder));
        let bridge = Bridge::start_with_log(command, &configuration, log, Stdio::inherit());
        (bridge, this)
    }

    fn start(mut source: Source, mut log_file: File, folder: Option<tempfile::TempDir>) -> Self {
        let paused = Arc::new((Mutex::new(false), Condvar::new()));
        let shared = Arc::clone(&paused);
        std::thread::spawn(move || {
            let mut buffer = vec![0; 256 * 1024];
            while let Ok(count @ 1..) = source.read(&mut buffer) {
                log_file.write_all(&buffer[..count]).expect("written");
                let (paused, resumed) = &*shared;
                let paused = paused.lock().expect("an unpoisoned lock");
                drop(resumed.wait_while(paused, |paused| *paused));
            }
        });
        Self {
            paused,
            _folder: folder,
        }
    }

    /// Pauses the reader after its current read.
    pub(crate) fn pause(&self) {
        *self.paused.0.lock().expect("an unpoisoned lock") = true;
    }

    pub(crate) fn resume(&self) {
        *self.paused.0.lock().expect("an unpoisoned lock") = false;
        self.paused.1.notify_all();
    }
}

impl Drop for LogReader {
    fn drop(&mut self) {
        self.resume();
    }
}

/// Wraps a command so that it runs in a mount namespace in which the folder `run` is mounted
/// at `/run`.
fn in_mount_namespace(run: &Path, inner: &Command) -> Command {
    let mut command = Command::new("unshare");
    let script = "mount --bind \"$0\" /run && exec \"$@\"";
    command.args(["--mount", "--map-root-user", "sh", "-c", script]);
    command
        .arg(run)
        .arg(inner.get_program())
        .args(inner.get_args());
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

enum Source {
    Pipe(PipeReader),
    Journal(UnixDatagram),
}

impl Source {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Pipe(pipe) => pipe.read(buffer),
            Self::Journal(socket) => socket.recv(buffer),
        }
    }
}
