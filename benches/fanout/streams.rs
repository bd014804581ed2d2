//! The clients: one thread that opens and reads all streams, and checks that every stream shows
//! every change in order.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use memchr::memmem;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::LocalSet;
use tokio::time::timeout;

use crate::Result;
use crate::changes::Changes;
use crate::scene::Sequence;

/// The text before a change's number.
const MARKER: &[u8] = b"\"paused_reason\":\"c";
const DIGITS: usize = 6;

/// How many clients connect at the same time.
const CONNECTING: usize = 1000;

/// How long a client may take to connect and to get its first text.
const OPEN_TIMEOUT: Duration = Duration::from_secs(60);

/// How long to wait for the last changes.
const FINAL_TIMEOUT: Duration = Duration::from_secs(20);

/// A stream's request, and the changes that it shows.
pub(crate) struct Client {
    pub(crate) request: String,
    pub(crate) sequence: Sequence,
    /// How long the client does not read after it has opened the stream.
    pub(crate) pause: Duration,
}

/// The time at which a part of a stream arrived, and its bytes.
pub(crate) type Recorded = (Instant, Vec<u8>);

/// The results of the clients of one turn.
#[derive(Default)]
pub(crate) struct Received {
    /// The time from each change until each stream showed it.
    pub(crate) times: Vec<Duration>,
    /// The number of changes that streams did not show, and of those that belong to another view.
    /// After a pause, a stream need only show the last change.
    pub(crate) lost: u64,
    /// The number of changes that streams showed after a later one.
    pub(crate) late: u64,
    /// The number of streams that showed another snapshot.
    pub(crate) snapshots: u64,
    /// The parts of the first stream.
    pub(crate) recorded: Vec<Recorded>,
}

/// The clients of one turn.
pub(crate) struct Streams {
    runtime: tokio::runtime::Runtime,
    open: Vec<(TcpStream, Sequence, Duration)>,
    pub(crate) opened_within: Duration,
}

impl Streams {
    /// Opens all streams, and waits until each has received `first_text`.
    pub(crate) fn open(
        address: SocketAddr,
        clients: Vec<Client>,
        first_text: &'static str,
    ) -> Result<Self> {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().build()?;
        let begin = Instant::now();
        let open = runtime.block_on(LocalSet::new().run_until(async {
            let connecting = Arc::new(Semaphore::new(CONNECTING));
            let opening: Vec<_> = clients
                .into_iter()
                .map(|client| {
                    let connecting = Arc::clone(&connecting);
                    tokio::task::spawn_local(async move {
                        let _permit = connecting.acquire().await?;
                        let opened = open(address, &client.request, first_text);
                        let stream = timeout(OPEN_TIMEOUT, opened).await??;
                        let opened = (stream, client.sequence, client.pause);
                        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(opened)
                    })
                })
                .collect();
            let mut open = Vec::new();
            for stream in opening {
                open.push(stream.await??);
            }
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(open)
        }))?;
        Ok(Self {
            runtime,
            open,
            opened_within: begin.elapsed(),
        })
    }

    /// Reads all streams until each has shown all changes.
    pub(crate) fn follow(self, changes: &Arc<Changes>, duration: Duration) -> Received {
        let received = Rc::new(RefCell::new(Received::default()));
        let tasks = LocalSet::new();
        let run = tasks.run_until(async {
            let following: Vec<_> = self
                .open
                .into_iter()
                .enumerate()
                .map(|(index, (stream, sequence, pause))| {
                    let checker = Checker {
                        next: sequence.first,
                        step: sequence.step,
                        tail: Vec::new(),
                        is_recorded: index == 0,
                        pause,
                        has_snapshot: false,
                        skipped: Vec::new(),
                        changes: Arc::clone(changes),
                        received: Rc::clone(&received),
                    };
                    tokio::task::spawn_local(follow(stream, checker))
                })
                .collect();
            let all = async {
                let mut open = Vec::new();
                for stream in following {
                    // Streams stay open until all have shown all changes.
                    open.push(stream.await);
                }
                open
            };
            drop(timeout(duration + FINAL_TIMEOUT, all).await);
        });
        self.runtime.block_on(run);
        // The tasks that are left count what they have not received.
        drop(tasks);
        received.take()
    }
}

async fn open(address: SocketAddr, request: &str, first_text: &str) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    stream.write_all(request.as_bytes()).await?;
    let mut text = Vec::new();
    loop {
        if stream.read_buf(&mut text).await? == 0 {
            let text = String::from_utf8_lossy(&text);
            return Err(format!("a stream ended: {text}").into());
        }
        if !text.starts_with(b"HTTP/1.1 200") && text.len() > 12 {
            return Err(String::from_utf8_lossy(&text).into());
        }
        if memmem::find(&text, first_text.as_bytes()).is_some() {
            return Ok(stream);
        }
    }
}

/// Reads a stream until it has shown all changes.
async fn follow(stream: TcpStream, mut checker: Checker) -> Option<TcpStream> {
    thread_local! {
        static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; 1 << 16]);
    }
    tokio::time::sleep(checker.pause).await;
    while !checker.is_done() {
        stream.readable().await.ok()?;
        let is_open = BUFFER.with_borrow_mut(|buffer| match stream.try_read(buffer) {
            Ok(0) => false,
            Ok(count) => {
                checker.feed(&buffer[..count]);
                true
            }
            Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
        });
        if !is_open {
            return None;
        }
    }
    Some(stream)
}

/// Checks the changes that a stream shows. Counts those that it has not shown when dropped.
struct Checker {
    next: u32,
    step: u32,
    /// The end of the text so far, which may contain the beginning of a change's number.
    tail: Vec<u8>,
    is_recorded: bool,
    pause: Duration,
    has_snapshot: bool,
    /// The changes that the stream has not shown, although it has shown a later one.
    skipped: Vec<u32>,
    changes: Arc<Changes>,
    received: Rc<RefCell<Received>>,
}

impl Checker {
    fn is_done(&self) -> bool {
        self.next >= self.changes.end() && self.skipped.is_empty()
    }

    fn feed(&mut self, bytes: &[u8]) {
        if self.is_recorded {
            let mut received = self.received.borrow_mut();
            received.recorded.push((Instant::now(), bytes.to_vec()));
        }
        let mut text = std::mem::take(&mut self.tail);
        text.extend_from_slice(bytes);
        self.has_snapshot |= memmem::find(&text, b"event: snapshot").is_some();
        let mut end = 0;
        for position in memmem::find_iter(&text, MARKER) {
            let start = position + MARKER.len();
            let Some(digits) = text.get(start..start + DIGITS) else {
                break;
            };
            end = start + DIGITS;
            if let Some(change) = std::str::from_utf8(digits)
                .ok()
                .and_then(|d| d.parse().ok())
            {
                self.show(change);
            }
        }
        let tail = text.len().saturating_sub(MARKER.len() + DIGITS).max(end);
        self.tail = text.split_off(tail);
    }

    fn show(&mut self, change: u32) {
        let mut received = self.received.borrow_mut();
        if change < self.next {
            // A stream may also show a change again, for example if it starts with a snapshot.
            if let Some(index) = self.skipped.iter().position(|skipped| *skipped == change) {
                self.skipped.swap_remove(index);
                received.late += 1;
            }
            return;
        }
        if self.pause.is_zero() {
            received.lost += u64::from(!(change - self.next).is_multiple_of(self.step));
            self.skipped
                .extend((self.next..change).step_by(self.step as usize));
            received.times.extend(self.changes.age(change));
        }
        self.next = change + self.step;
    }
}

impl Drop for Checker {
    fn drop(&mut self) {
        let missing = self.changes.end().saturating_sub(self.next);
        let lost = u64::from(missing.div_ceil(self.step)) + self.skipped.len() as u64;
        if let Ok(mut received) = self.received.try_borrow_mut() {
            received.lost += lost;
            received.snapshots += u64::from(self.has_snapshot);
        }
    }
}
