//! A PBX whose wall clock differs from the host's clock. libfaketime simulates this.

use std::path::Path;

use super::Asterisk;

/// An Asterisk whose wall clock a test can set while Asterisk runs.
///
/// libfaketime reads the offset from a file each time that Asterisk reads the clock. The
/// monotonic clock, the timers and the times of files are not changed.
pub(crate) struct PbxClock {
    pub(crate) asterisk: Asterisk,
    file: std::path::PathBuf,
}

impl PbxClock {
    /// Starts an Asterisk whose clock is `offset` seconds ahead of the host's clock.
    pub(crate) fn start(version: u32, offset: i64) -> Self {
        Self::start_with(version, offset, &[], &[])
    }

    /// Like [`Self::start`], with configuration files that replace those of the sample and
    /// with additional environment variables.
    pub(crate) fn start_with(
        version: u32,
        offset: i64,
        files: &[(&str, &str)],
        environment: &[&str],
    ) -> Self {
        let mut file = None;
        let mut variables = vec![
            // The loader replaces `$LIB` with the library folder of this architecture.
            "LD_PRELOAD=/usr/$LIB/faketime/libfaketimeMT.so.1",
            "FAKETIME_TIMESTAMP_FILE=@INSTANCE@/clock",
            "FAKETIME_NO_CACHE=1",
            "FAKETIME_DONT_FAKE_MONOTONIC=1",
            // Older releases of libfaketime know only this name.
            "DONT_FAKE_MONOTONIC=1",
            "NO_FAKE_STAT=1",
        ];
        variables.extend(environment);
        let asterisk = Asterisk::start_prepared(version, files, &variables, |folder| {
            let path = folder.join("clock");
            write_clock_offset(&path, offset);
            file = Some(path);
        });
        let clock = Self {
            asterisk,
            file: file.expect("set while Asterisk is prepared"),
        };
        let measured = clock.offset();
        assert!(
            (measured - offset as f64).abs() < 2.0,
            "the clock of Asterisk is {measured} s ahead instead of {offset} s. Does the root of \
             Asterisk contain libfaketime? See asterisk-sample/fetch"
        );
        clock
    }

    /// The seconds by which the clock of Asterisk is ahead of the host's clock.
    fn offset(&self) -> f64 {
        let pong = self.asterisk.ami().send("Action: Ping");
        let now = std::time::SystemTime::now();
        let now = now.duration_since(std::time::UNIX_EPOCH).expect("a time");
        let time: f64 = pong["Timestamp"].parse().expect("seconds");
        time - now.as_secs_f64()
    }

    /// Sets the clock to `offset` seconds ahead of the host's clock.
    pub(crate) fn set_offset(&self, offset: i64) {
        write_clock_offset(&self.file, offset);
    }
}

/// Writes the offset for libfaketime. Replaces the file atomically, because the program
/// may read it at any moment.
pub(crate) fn write_clock_offset(path: &Path, offset: i64) {
    let new = path.with_extension("new");
    std::fs::write(&new, format!("{offset:+}\n")).expect("the offset file");
    std::fs::rename(new, path).expect("the offset file");
}
