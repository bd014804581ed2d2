//! Runs a recorder for each PBX, and stores what it records.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::{JoinHandle, block_in_place};
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::recorder::{Clocks, Recorder};
use crate::queues::{Pbx, Pbxes, WorkEvent};
use crate::storage::{ReportBatch, ReportReader, Storage, StorageUnavailable};
use crate::wall_clock;

/// How often the recorder looks at the clocks.
const TICK: Duration = Duration::from_secs(1);

/// How many ticks pass before changed rows and the time of the last sight are stored. A kill loses
/// at most this much.
const TICKS_PER_BATCH: u32 = 3;

/// With at least this many events or members, other tasks continue on another thread while the recorder
/// works. A large PBX reports 50,000 members at once, and recording them takes 50 ms. The end of the link
/// and midnight concern all members, too.
const MANY: usize = 10_000;

/// How long a report waits for the disk.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(3);

/// Maximum number of reports that are computed at the same time. A long report takes a core for
/// seconds.
const MAX_CONCURRENT_READS: usize = 2;

/// How long the shutdown waits for the last batch to be queued.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

type FlushReply = oneshot::Sender<Result<(), StorageUnavailable>>;

/// The recorders of all PBXes.
#[derive(Debug)]
pub struct Recordings {
    storage: Storage,
    flushes: HashMap<String, mpsc::UnboundedSender<FlushReply>>,
    reads: Arc<Semaphore>,
}

/// Permits one read. Others wait for its end.
#[derive(Debug)]
pub struct ReadPermit {
    /// `None` only if the semaphore is closed, which never happens.
    _permit: Option<OwnedSemaphorePermit>,
}

impl Recordings {
    /// Waits until a report may be computed.
    pub async fn permit(&self) -> ReadPermit {
        let permit = Arc::clone(&self.reads).acquire_owned().await;
        ReadPermit {
            _permit: permit.ok(),
        }
    }

    /// Stores what is not stored yet, and reads the day's work of a PBX. The permit ends with the
    /// read, also if the caller drops the future.
    ///
    /// # Errors
    /// Returns [`StorageUnavailable`] if the database can't be written or read now. The log has
    /// the reason.
    pub async fn read<T: Send + 'static>(
        &self,
        permit: ReadPermit,
        pbx: &str,
        read: impl FnOnce(&ReportReader<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StorageUnavailable> {
        // The storage has logged the reason.
        self.storage.check()?;
        let result = async {
            self.flush(pbx).await?;
            let read = move |reader: &ReportReader<'_>| {
                let _permit = permit;
                read(reader)
            };
            self.storage.read_report(pbx, read).await
        };
        let result = result.await;
        if let Err(error) = &result {
            warn!(
                pbx,
                reason = error.reason,
                "the day's work can't be read or stored"
            );
        }
        result
    }

    async fn flush(&self, pbx: &str) -> Result<(), StorageUnavailable> {
        let unavailable = |reason: &str| StorageUnavailable {
            reason: reason.to_owned(),
        };
        let Some(flushes) = self.flushes.get(pbx) else {
            return Err(unavailable("the PBX has no recorder"));
        };
        let (reply, result) = oneshot::channel();
        // The recorder ends at shutdown.
        let _ = flushes.send(reply);
        match timeout(FLUSH_TIMEOUT, result).await {
            Ok(Ok(result)) => result,
            Ok(Err(_closed)) => Err(unavailable("the bridge is shutting down")),
            Err(_elapsed) => Err(unavailable("the disk does not respond")),
        }
    }
}

/// The tasks of all recorders.
#[derive(Debug)]
pub struct RecorderTasks {
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl RecorderTasks {
    /// Queues the last batches, and ends the recorders.
    pub async fn stop(self) {
        self.stop.cancel();
        for task in self.tasks {
            // A recorder that waits for the disk has nothing to store.
            let _ = timeout(STOP_TIMEOUT, task).await;
        }
    }
}

/// The recorders of all PBXes, before they run.
#[must_use]
pub struct Recorders(Vec<Recording>);

impl Recorders {
    /// Starts the recorders.
    #[must_use]
    pub fn start(self) -> RecorderTasks {
        let stop = CancellationToken::new();
        let recordings = self.0.into_iter();
        let tasks = recordings.map(|recording| tokio::spawn(recording.run(stop.clone())));
        RecorderTasks {
            tasks: tasks.collect(),
            stop,
        }
    }
}

/// Creates a recorder for each PBX.
pub fn record(pbxes: &Pbxes, storage: &Storage) -> (Recordings, Recorders) {
    let mut flushes = HashMap::new();
    let mut recorders = Vec::new();
    for (name, pbx) in pbxes {
        let (sender, requests) = mpsc::unbounded_channel();
        flushes.insert(name.clone(), sender);
        recorders.push(Recording {
            name: name.clone(),
            pbx: pbx.clone(),
            storage: storage.clone(),
            requests,
        });
    }
    let recordings = Recordings {
        storage: storage.clone(),
        flushes,
        reads: Arc::new(Semaphore::new(MAX_CONCURRENT_READS)),
    };
    (recordings, Recorders(recorders))
}

/// The recorder of a PBX.
struct Recording {
    name: String,
    pbx: Pbx,
    storage: Storage,
    requests: mpsc::UnboundedReceiver<FlushReply>,
}

impl Recording {
    async fn run(mut self, stop: CancellationToken) {
        let loaded = self.storage.load_report(&self.name);
        let Some(stored) = stop.run_until_cancelled(loaded).await else {
            return;
        };
        let mut database = self.storage.database_number();
        let era = u32::try_from(wall_clock::unix_millis().div_euclid(1000)).unwrap_or(0);
        let mut recorder = Recorder::new(self.name.clone(), stored, era);
        let (sender, mut events) = mpsc::unbounded_channel();
        self.pbx.record_work(sender);
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut writing: Option<JoinHandle<()>> = None;
        loop {
            let requests = &mut self.requests;
            let until_batch = record_until_batch(&mut recorder, requests, &mut events, &mut ticks);
            let reply = stop.run_until_cancelled(until_batch).await;
            record_all(&mut recorder, &mut events);
            let current = self.storage.database_number();
            if std::mem::replace(&mut database, current) != current {
                recorder.store_again();
            }
            let batch = recorder.take_batch();
            let write = write_after(writing.take(), self.storage.clone(), batch);
            let Some(reply) = reply else {
                // The caller limits the time.
                let _ = write.await;
                return;
            };
            writing = Some(tokio::spawn(async move {
                let result = write.await;
                if let Some(reply) = reply {
                    // The client may have gone.
                    let _ = reply.send(result);
                }
            }));
        }
    }
}

/// Records until it is time to store a batch: regularly, if the bridge begins or ceases to see the
/// PBX, or if a request needs it. Returns the request's channel.
async fn record_until_batch(
    recorder: &mut Recorder,
    requests: &mut mpsc::UnboundedReceiver<FlushReply>,
    events: &mut mpsc::UnboundedReceiver<WorkEvent>,
    ticks: &mut Interval,
) -> Option<FlushReply> {
    for _ in 0..TICKS_PER_BATCH {
        tokio::select! {
            Some(request) = requests.recv() => return Some(request),
            _ = ticks.tick() => {}
        }
        let saw = recorder.sees();
        record_all(recorder, events);
        if recorder.sees() != saw {
            break;
        }
    }
    None
}

/// Records the events that have arrived. Events have their own times, so nothing waits for them:
/// waking the recorder for each event would take more time than recording it.
fn record_all(recorder: &mut Recorder, events: &mut mpsc::UnboundedReceiver<WorkEvent>) {
    // No event that arrives later has an earlier time than this.
    let clocks = clocks();
    let (count, members) = (events.len(), recorder.member_count());
    let mut record = || {
        let events = std::iter::from_fn(|| events.try_recv().ok());
        recorder.record(events.take(count), clocks);
    };
    if count.max(members) < MANY {
        record();
    } else {
        block_in_place(record);
    }
}

/// Stores a batch after the previous one, so that no row is replaced by its earlier version.
async fn write_after(
    previous: Option<JoinHandle<()>>,
    storage: Storage,
    batch: ReportBatch,
) -> Result<(), StorageUnavailable> {
    if let Some(previous) = previous {
        // It has no result, and never panics.
        let _ = previous.await;
    }
    storage.write_report(batch).await
}

/// Reads both clocks.
fn clocks() -> Clocks {
    let wall = Duration::from_millis(wall_clock::unix_millis().cast_unsigned());
    Clocks {
        uptime: uptime().unwrap_or(wall),
        wall,
    }
}

/// Returns how long ago the machine was started, including the time in which it was suspended.
/// Tokio's and the standard library's clocks stop while the machine is suspended.
fn uptime() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/uptime").ok()?;
    let seconds: f64 = text.split(' ').next()?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}
