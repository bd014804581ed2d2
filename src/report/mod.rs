//! The day's work: how long agents were logged in and paused, and what became of the calls.
//!
//! ```text
//! mirror ──Observation──▶ recorder ──rows──▶ storage ──rows──▶ engine ──figures──▶ showreport
//!                           ▲ clock            SQLite            ▲ days, selection
//! ```
//!
//! The mirror sends an `Observation` whenever Asterisk reports that a member is logged in or
//! paused, or no longer, and for every call. [`Recorder`] turns observations into rows: a login, a
//! pause, a call, a missed call, a caller. It is pure: callers pass the time. Each PBX has one
//! recorder, whose task ([`record`]) stores the changed rows every few seconds, off every path that
//! anyone waits for.
//!
//! What a row is:
//!
//! - Times are whole Unix seconds, as Asterisk writes them to `queue_log`, on the bridge's clock.
//! - A login or a pause is stored when it begins, and again when it ends. With each batch, the
//!   time of the last sight is stored. After a kill, everything that was open ends there.
//! - No row crosses a UTC midnight: the recorder ends the row and begins another one that
//!   continues it. A UTC day is therefore complete, and is packed into one blob when it is over.
//! - A row that continues another one knows how long the whole had lasted, so that a pause counts
//!   once, where it began.
//! - When the clock is set, all rows are cut, and the next ones are of another era. Only spans of
//!   one era are united, so a changed clock neither adds nor hides a second.
//!
//! Gaps: while the bridge does not see the PBX, a gap is stored. After it, `LoginTime` and
//! `LastPause` of the members that are still there fill in what they prove; nothing else.
//!
//! A report ([`Engine`]) unites overlapping spans of an agent, cuts them at the midnights of the
//! organization's time zone ([`Days`]), and adds them up by [`Grouping`]. Rows have the PBX's names,
//! so organizations and limits apply as they are configured when the report is made.

mod covered;
mod days;
mod engine;
mod figures;
mod grouping;
mod groups;
mod outcome;
mod pause_counter;
mod recorder;
mod recording;
mod selected;
mod wrap_up;

pub use days::Days;
pub use engine::{Engine, Selection};
pub use figures::{CallerFigures, Figures, PauseFigures};
pub use grouping::{Group, GroupKey, Grouping};
pub use outcome::CallerOutcome;
pub use recorder::{Clocks, Recorder};
pub use recording::{RecorderTasks, Recorders, Recordings, record};
