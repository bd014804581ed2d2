//! Runs Asterisk with libfaketime, so that its wall clock differs from the host's.

use std::path::Path;

use super::Asterisk;

/// An Asterisk whose wall clock a test can set while Asterisk runs.
///
/// Whenever Asterisk reads the clock, libfaketime reads the offset from a file. It does not
/// change the monotonic clock, timers or file times.
pub(crate) struct PbxClock {
    pub(crate) asterisk: Asterisk,
    offset_file: std::path::PathBuf,
}

impl PbxClock {
    /// Starts an Asterisk whose clock is `offset` seconds ahead of the host's.
    pub(crate) fn start(version: u32, offset: i64) -> Self {
        Self::start_with(version, offset, &[], &[])
    }

    /// Like [`Self::start`], but `files` replace files of the sample configuration, and
    /// `environment` adds environment variables.
    pub(crate) fn start_with(
        version: u32,
        offset: i64,
        files: &[(&str, &str)],
        environment: &[&str],
    ) -> Self {
        let mut offset_file = None;
        let mut variables = vec![
            // The dynamic loader replaces `$LIB` with this architecture's library folder.
            "LD_PRELOAD=/usr/$LIB/faketime/libfaketimeMT.so.1",
            "FAKETIME_TIMESTAMP_FILE=@INSTANCE@/clock",
            "FAKETIME_NO_CACHE=1",
            "FAKETIME_DONT_FAKE_MONOTONIC=1",
            // Older releases of libfaketime use this name for the previous variable.
            "DONT_FAKE_MONOTONIC=1",
            "NO_FAKE_STAT=1",
        ];
        variables.extend(environment);
        let asterisk = Asterisk::start_prepared(version, files, &variables, |folder| {
            let path = folder.join("clock");
            write_clock_offset(&path, offset);
            offset_file = Some(path);
        });
        let clock = Self {
            asterisk,
            offset_file: offset_file.expect("a file, since `prepare` has run"),
        };
        let measured = clock.measure_offset();
        assert!(
            (measured - offset as f64).abs() < 2.0,
            "Asterisk's clock is {measured} s ahead instead of {offset} s. Is libfaketime \
             installed in the Asterisk root? See asterisk-sample/fetch"
        );
        clock
    }

    /// Returns how many seconds Asterisk's clock is ahead of the host's.
    fn measure_offset(&self) -> f64 {
        let pong = self.asterisk.ami().send("Action: Ping");
        let now = std::time::SystemTime::now();
        let now = now.duration_since(std::time::UNIX_EPOCH).expect("a time");
        let time: f64 = pong["Timestamp"].parse().expect("seconds");
        time - now.as_secs_f64()
    }

    /// Sets Asterisk's clock to `offset` seconds ahead of the host's.
    pub(crate) fn set_offset(&self, offset: i64) {
        write_clock_offset(&self.offset_file, offset);
    }
}

/// Writes the clock offset, in seconds, to the file that libfaketime reads. Replaces the file
/// atomically, because libfaketime may read it at any moment.
pub(crate) fn write_clock_offset(path: &Path, offset: i64) {
    let new_path = path.with_extension("new");
    std::fs::write(&new_path, format!("{offset:+}\n")).expect("the offset file");
    std::fs::rename(new_path, path).expect("the offset file");
}
