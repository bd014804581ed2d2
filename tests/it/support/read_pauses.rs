//! Measures how long the bridge leaves bytes from Asterisk unread. Asterisk writes to AMI
//! while it holds a queue's lock, so a slow reader delays calls.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use rustix::fd::OwnedFd;
use rustix::io::ioctl_fionread;
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use super::{Bridge, Proxy};

/// The interval between two samples of the socket.
const SAMPLE_INTERVAL: Duration = Duration::from_millis(1);

/// The longest pauses in which the bridge did not read its AMI socket.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ReadPauses {
    /// The longest pause in wall-clock time.
    pub(crate) longest: Duration,
    /// The longest pause, excluding the time in which the reading thread was runnable but waited
    /// for a processor. Other processes cause that wait.
    pub(crate) longest_without_cpu_wait: Duration,
    pub(crate) samples: usize,
    /// The number of samples with unread bytes.
    unread_samples: usize,
}

/// A period in which the socket had unread bytes and the bridge did not read.
struct Pause {
    begun: Instant,
    last_sample: Instant,
    /// The total time that the thread had waited for a processor when the pause began.
    waited: Duration,
    /// The number of bytes that the bridge had read when the pause began.
    read: u64,
}

impl ReadPauses {
    /// Adds a finished pause. `waited` is the total time that the thread has waited for a
    /// processor. The kernel counts a wait only after the wait has ended.
    fn add(&mut self, pause: &Pause, waited: Duration) {
        let length = pause.last_sample - pause.begun;
        let without_wait = length.saturating_sub(waited - pause.waited);
        self.longest = self.longest.max(length);
        self.longest_without_cpu_wait = self.longest_without_cpu_wait.max(without_wait);
    }
}

impl fmt::Display for ReadPauses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "longest pause in reading the AMI socket: {:.1?} ({:.1?} without waiting for a \
             processor); {} samples, {} of them with unread bytes",
            self.longest, self.longest_without_cpu_wait, self.samples, self.unread_samples
        )
    }
}

/// A thread that samples the bridge's AMI socket.
pub(crate) struct ReadPauseMonitor {
    done: Arc<AtomicBool>,
    thread: JoinHandle<ReadPauses>,
}

impl ReadPauseMonitor {
    pub(crate) fn start(bridge: &Bridge, proxy: &Proxy) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let (stop, forwarded) = (Arc::clone(&done), proxy.forwarded_bytes());
        let (port, pid) = (proxy.port, bridge.pid());
        let thread = spawn(move || {
            let schedstat = schedstat_path(pid, "ami");
            let socket = duplicate_link_socket(pid, port);
            let mut pauses = ReadPauses::default();
            let mut pause: Option<Pause> = None;
            while !stop.load(Ordering::Relaxed) {
                let written = forwarded.load(Ordering::SeqCst);
                let unread = ioctl_fionread(&socket).expect("a socket");
                let (now, waited) = (Instant::now(), run_delay(&schedstat));
                let read = written.saturating_sub(unread);
                pauses.samples += 1;
                pauses.unread_samples += usize::from(unread > 0);
                match &mut pause {
                    Some(pause) if unread > 0 && read <= pause.read => pause.last_sample = now,
                    _ => {
                        if let Some(finished) = pause.take() {
                            pauses.add(&finished, waited);
                        }
                        pause = (unread > 0).then_some(Pause {
                            begun: now,
                            last_sample: now,
                            waited,
                            read,
                        });
                    }
                }
                // Limits the sampling rate. No result depends on this delay.
                sleep(SAMPLE_INTERVAL);
            }
            if let Some(pause) = pause {
                pauses.add(&pause, run_delay(&schedstat));
            }
            pauses
        });
        Self { done, thread }
    }

    pub(crate) fn stop(self) -> ReadPauses {
        self.done.store(true, Ordering::Relaxed);
        self.thread.join().expect("no panic in the monitor thread")
    }
}

/// Returns the path of the scheduler statistics of the thread `name`.
fn schedstat_path(pid: u32, name: &str) -> String {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect("the bridge's threads");
    let mut paths = tasks.map(|task| task.expect("a thread").path());
    let found = paths.find(|path| {
        let comm = std::fs::read_to_string(path.join("comm"));
        comm.is_ok_and(|comm| comm.trim() == name)
    });
    let path = found.unwrap_or_else(|| panic!("the bridge has no thread {name}"));
    path.join("schedstat").to_string_lossy().into_owned()
}

/// Returns the total time in which the thread was runnable but waited for a processor.
fn run_delay(schedstat: &str) -> Duration {
    let text = std::fs::read_to_string(schedstat).unwrap_or_default();
    let delay = text.split(' ').nth(1).and_then(|text| text.parse().ok());
    Duration::from_nanos(delay.unwrap_or_default())
}

/// Duplicates the bridge's socket that is connected to `port`.
fn duplicate_link_socket(pid: u32, port: u16) -> OwnedFd {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("a socket table");
    let remote = format!(":{port:04X} 01 ");
    let mut inodes = table.lines().filter_map(|line| {
        // number, local address, remote address, state, …, inode
        let at = line.find(&remote)?;
        let is_remote = line[..at].matches(':').count() == 2;
        is_remote.then(|| line.split_whitespace().nth(9)).flatten()
    });
    let link = format!("socket:[{}]", inodes.next().expect("a connected socket"));
    let entries = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("descriptors");
    let mut entries = entries.map(|entry| entry.expect("a descriptor"));
    let found = entries.find(|entry| {
        std::fs::read_link(entry.path()).is_ok_and(|path| path.as_os_str() == link.as_str())
    });
    let number = found.expect("a descriptor for the socket").file_name();
    let number = number.to_str().and_then(|text| text.parse().ok());
    let pid = Pid::from_raw(pid.cast_signed()).expect("a process id");
    let process = pidfd_open(pid, PidfdFlags::empty()).expect("the bridge");
    let number = number.expect("a descriptor number");
    pidfd_getfd(process, number, PidfdGetfdFlags::empty()).expect("the bridge's socket")
}
