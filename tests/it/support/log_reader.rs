//! A reader of the bridge's log that can stop reading: the other end of a pipe, or
//! a replacement for the systemd journal.

use std::fs::File;
use std::io::{PipeReader, Read, Write, pipe};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};

use super::bridge::Bridge;
use super::log_file::LogFile;

/// A thread that copies the log to the [`LogFile`] of the bridge, except while it is
/// paused.
pub(crate) struct LogReader {
    paused: Arc<(Mutex<bool>, Condvar)>,
    /// The folder with the socket of the journal.
    _folder: Option<tempfile::TempDir>,
}

impl LogReader {
    /// Starts a bridge whose standard error is a pipe to this reader.
    pub(crate) fn start_bridge_with_pipe(command: Command, configuration: &str) -> (Bridge, Self) {
        let log = LogFile::new();
        let (reader, writer) = pipe().expect("a pipe");
        let this = Self::start(Source::Pipe(reader), log.file(), None);
        let bridge = Bridge::start_with_log(command, configuration, log, writer.into());
        (bridge, this)
    }

    /// Starts a bridge with `format = "journald"` in its own mount namespace, in which this
    /// reader owns the socket of the journal.
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
        let command = in_namespace(folder.path(), command);
        let this = Self::start(Source::Journal(socket), log.file(), Some(folder));
        let bridge = Bridge::start_with_log(command, &configuration, log, Stdio::inherit());
        (bridge, this)
    }

    fn start(mut source: Source, mut to: File, folder: Option<tempfile::TempDir>) -> Self {
        let paused = Arc::new((Mutex::new(false), Condvar::new()));
        let shared = Arc::clone(&paused);
        std::thread::spawn(move || {
            let mut buffer = vec![0; 256 * 1024];
            while let Ok(count @ 1..) = source.read(&mut buffer) {
                to.write_all(&buffer[..count]).expect("written");
                let (paused, resumed) = &*shared;
                let paused = paused.lock().expect("paused");
                drop(resumed.wait_while(paused, |paused| *paused));
            }
        });
        Self {
            paused,
            _folder: folder,
        }
    }

    /// Stops reading after the read in progress.
    pub(crate) fn pause(&self) {
        *self.paused.0.lock().expect("paused") = true;
    }

    /// Continues reading.
    pub(crate) fn resume(&self) {
        *self.paused.0.lock().expect("paused") = false;
        self.paused.1.notify_all();
    }
}

impl Drop for LogReader {
    fn drop(&mut self) {
        self.resume();
    }
}

/// Wraps a command so that it runs in a mount namespace with `run` mounted at `/run`.
fn in_namespace(run: &Path, inner: &Command) -> Command {
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
