//! The wall clock of a PBX, other than this machine's, by libfaketime.

use std::path::Path;

use super::Asterisk;

/// A clock that a test can set while Asterisk runs.
///
/// libfaketime reads the offset from a file each time that Asterisk asks for the time.
/// Asterisk's monotonic clock, its timers and the times of files stay true.
pub(crate) struct PbxClock {
    pub(crate) asterisk: Asterisk,
    file: std::path::PathBuf,
}

impl PbxClock {
    /// An Asterisk whose clock differs from this machine's by that many seconds.
    pub(crate) fn start(version: u32, offset: i64) -> Self {
        Self::start_with(version, offset, &[], &[])
    }

    /// With files that take the place of the sample's, and more variables.
    pub(crate) fn start_with(
        version: u32,
        offset: i64,
        files: &[(&str, &str)],
        environment: &[&str],
    ) -> Self {
        let mut file = None;
        let mut variables = vec![
            // The loader replaces `$LIB` by the folder of this architecture.
            "LD_PRELOAD=/usr/$LIB/faketime/libfaketimeMT.so.1",
            "FAKETIME_TIMESTAMP_FILE=@INSTANCE@/clock",
            "FAKETIME_NO_CACHE=1",
            "FAKETIME_DONT_FAKE_MONOTONIC=1",
            // The name that older releases know.
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
            file: file.expect("prepared"),
        };
        let measured = clock.offset();
        assert!(
            (measured - offset as f64).abs() < 2.0,
            "the clock is {measured} s off, not {offset}: does the root have libfaketime? \
             See asterisk-sample/fetch"
        );
        clock
    }

    /// How many seconds Asterisk's clock is ahead of this machine's.
    fn offset(&self) -> f64 {
        let pong = self.asterisk.ami().send("Action: Ping");
        let now = std::time::SystemTime::now();
        let now = now.duration_since(std::time::UNIX_EPOCH).expect("a time");
        let time: f64 = pong["Timestamp"].parse().expect("seconds");
        time - now.as_secs_f64()
    }

    /// Sets the clock, at once, to this machine's plus that many seconds.
    pub(crate) fn set_offset(&self, offset: i64) {
        write_clock_offset(&self.file, offset);
    }
}

/// Sets the offset of libfaketime in one step: the program reads the file at any moment.
pub(crate) fn write_clock_offset(path: &Path, offset: i64) {
    let new = path.with_extension("new");
    std::fs::write(&new, format!("{offset:+}\n")).expect("the clock's file");
    std::fs::rename(new, path).expect("the clock's file");
}
