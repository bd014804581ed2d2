//! A bounded queue of log lines between the threads that log and the writer thread.
//!
//! The log's destination (a pipe, systemd's journal, a disk) may hang, so only the writer
//! thread writes to it. A line that does not fit into the queue is dropped and counted.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, sleep};
use std::time::Duration;

use tokio::time::interval;
use tracing::warn;
use tracing_subscriber::fmt::MakeWriter;

/// Maximum number of queued lines.
const MAX_LINES: usize = 8192;

/// Maximum size of all queued lines, in bytes. Traces of AMI traffic have long lines.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Maximum size of several lines that are written together. Linux does not mix up to this number of
/// bytes with those of another process that writes to the same pipe.
const BATCH_BYTES: usize = 4096;

/// How long the writer thread waits for more lines after it was woken for one. To wake the thread
/// for each line would take more CPU time than to write the lines.
const COLLECTION_TIME: Duration = Duration::from_millis(1);

/// How often to check whether lines were dropped.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);

/// Delay before retrying a write to a full nonblocking sink.
const RETRY_DELAY: Duration = Duration::from_millis(20);

/// How long the program waits at exit for the queued lines to be written.
const EXIT_TIMEOUT: Duration = Duration::from_secs(1);

/// Counts queued and dropped log lines.
#[derive(Debug, Clone, Default)]
pub struct LogFlow(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    lines: AtomicUsize,
    bytes: AtomicUsize,
    dropped: AtomicU64,
    last_write_succeeded: AtomicBool,
}

impl LogFlow {
    /// Returns the number of queued lines.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.lines.load(Ordering::Acquire)
    }

    /// Returns the number of lines dropped since startup.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Ordering::Acquire)
    }

    /// Logs the number of dropped lines whenever the log becomes writable again. Never returns.
    pub async fn report_drops(self) {
        let mut reported = 0;
        let mut ticks = interval(REPORT_INTERVAL);
        loop {
            ticks.tick().await;
            let dropped = self.dropped();
            let is_writable = self.0.last_write_succeeded.load(Ordering::Acquire)
                && self.waiting() < MAX_LINES / 2;
            if dropped > reported && is_writable {
                warn!(
                    lines = dropped - reported,
                    "log lines were dropped: the reader of the log is too slow"
                );
                reported = dropped;
            }
        }
    }

    fn count_dropped(&self, lines: usize) {
        self.0.dropped.fetch_add(lines as u64, Ordering::AcqRel);
    }

    /// Reserves space for a line. If the queue is full, counts the line as dropped and returns
    /// false.
    fn reserve(&self, bytes: usize) -> bool {
        let counts = &self.0;
        let lines = counts.lines.fetch_add(1, Ordering::AcqRel);
        let waiting = counts.bytes.fetch_add(bytes, Ordering::AcqRel);
        let fits = lines < MAX_LINES && waiting + bytes <= MAX_BYTES;
        if !fits {
            self.release(1, bytes);
            self.count_dropped(1);
        }
        fits
    }

    fn release(&self, lines: usize, bytes: usize) {
        self.0.bytes.fetch_sub(bytes, Ordering::AcqRel);
        self.0.lines.fetch_sub(lines, Ordering::AcqRel);
    }
}

/// The queue's sending side. Never blocks.
#[derive(Clone)]
pub(super) struct LogQueue {
    entries: Sender<Entry>,
    flow: LogFlow,
}

impl fmt::Debug for LogQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogQueue").finish_non_exhaustive()
    }
}

impl LogQueue {
    /// Creates a queue, and starts a thread that writes the lines to `sink`, in batches if that is
    /// possible.
    ///
    /// # Errors
    /// Returns the operating system's error if it can't start the thread.
    pub(super) fn new(
        sink: impl Write + Send + 'static,
        batching: Batching,
    ) -> io::Result<(Self, LogGuard)> {
        let flow = LogFlow::default();
        let (entries, receiver) = channel();
        let writer = LineWriter {
            sink,
            batching,
            flow: flow.clone(),
        };
        thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || writer.run(receiver))?;
        let guard = LogGuard {
            entries: entries.clone(),
        };
        Ok((Self { entries, flow }, guard))
    }

    pub(super) fn flow(&self) -> LogFlow {
        self.flow.clone()
    }
}

impl Write for LogQueue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.flow.reserve(line.len()) && self.entries.send(Entry::Line(line.into())).is_err() {
            self.flow.release(1, line.len());
            self.flow.count_dropped(1);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogQueue {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Whether several lines may be written with a single `write` call.
#[derive(Debug, Clone, Copy)]
pub(super) enum Batching {
    /// The sink is a stream.
    Lines,
    /// Each `write` call writes one line.
    None,
}

/// An entry for the writer thread.
enum Entry {
    Line(Vec<u8>),
    /// The last entry. The writer thread responds once it has written all earlier lines.
    End(Sender<()>),
}

/// Dropping the guard stops the writer thread. The drop waits up to [`EXIT_TIMEOUT`] for the
/// queued lines to be written.
pub(super) struct LogGuard {
    entries: Sender<Entry>,
}

impl fmt::Debug for LogGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogGuard").finish_non_exhaustive()
    }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        let (written, end) = channel();
        if self.entries.send(Entry::End(written)).is_ok() {
            let _ = end.recv_timeout(EXIT_TIMEOUT);
        }
    }
}

/// Writes the lines. Runs on the writer thread.
struct LineWriter<S> {
    sink: S,
    batching: Batching,
    flow: LogFlow,
}

impl<S: Write> LineWriter<S> {
    fn run(mut self, entries: Receiver<Entry>) {
        while let Some(entry) = next_entry(&entries) {
            let end = match entry {
                Entry::Line(line) => self.write_with_queued(line, &entries),
                Entry::End(written) => Some(written),
            };
            if let Some(written) = end {
                let _ = written.send(());
                return;
            }
        }
    }

    /// Writes a line, together with the queued lines that fit into the same `write` call. Returns
    /// the sender of [`Entry::End`] if that is the next entry.
    fn write_with_queued(
        &mut self,
        first: Vec<u8>,
        entries: &Receiver<Entry>,
    ) -> Option<Sender<()>> {
        let (mut batch, mut lines) = (first, 1);
        let end = loop {
            let next = match self.batching {
                Batching::Lines if batch.len() < BATCH_BYTES => entries.try_recv(),
                Batching::Lines | Batching::None => break None,
            };
            match next {
                Ok(Entry::Line(line)) if batch.len() + line.len() <= BATCH_BYTES => {
                    batch.extend_from_slice(&line);
                    lines += 1;
                }
                Ok(Entry::Line(line)) => {
                    self.write_batch(&batch, lines);
                    (batch, lines) = (line, 1);
                }
                Ok(Entry::End(written)) => break Some(written),
                Err(_) => break None,
            }
        };
        self.write_batch(&batch, lines);
        end
    }

    fn write_batch(&mut self, batch: &[u8], lines: usize) {
        let written = write_all_blocking(&mut self.sink, batch);
        let succeeded = &self.flow.0.last_write_succeeded;
        succeeded.store(written.is_ok(), Ordering::Release);
        if written.is_err() {
            self.flow.count_dropped(lines);
        }
        self.flow.release(lines, batch.len());
    }
}

/// Waits for the next entry, and for those that follow within [`COLLECTION_TIME`]. Returns `None` if
/// there will be no entry any more.
fn next_entry(entries: &Receiver<Entry>) -> Option<Entry> {
    if let Ok(entry) = entries.try_recv() {
        return Some(entry);
    }
    let entry = entries.recv().ok()?;
    if matches!(entry, Entry::Line(_)) {
        sleep(COLLECTION_TIME);
    }
    Some(entry)
}

/// Writes all bytes, and waits while the sink is full. The sink may be nonblocking, because
/// another process that shares the file description may have set `O_NONBLOCK`.
fn write_all_blocking(sink: &mut impl Write, mut rest: &[u8]) -> io::Result<()> {
    while !rest.is_empty() {
        match sink.write(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => rest = &rest[count..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => sleep(RETRY_DELAY),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
