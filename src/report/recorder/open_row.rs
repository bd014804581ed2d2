//! Rows that last, and the rows that are not stored yet.

use std::sync::Arc;

use crate::storage::{DAY_SECONDS, EntryKind, ReportRow};

/// A queue's name and a member's interface.
pub(super) type MemberName<'a> = (&'a Arc<str>, &'a Arc<str>);

/// A row that lasts.
#[derive(Debug, Clone)]
pub(super) struct OpenRow {
    id: i64,
    era: u32,
    kind: EntryKind,
    reason: Arc<str>,
    began: i64,
    /// If the row continues another one, how long the whole had lasted when it began.
    elapsed: Option<u32>,
}

impl OpenRow {
    /// Begins a row. `whole_began` is when the whole began that the row continues, if it does.
    pub(super) fn begin(
        rows: &mut RowWriter,
        name: MemberName<'_>,
        (kind, reason): (EntryKind, Arc<str>),
        (began, whole_began): (i64, Option<i64>),
        at: i64,
    ) -> Self {
        let elapsed = whole_began.map(|whole| u32::try_from(began - whole).unwrap_or(0));
        let mut row = Self {
            id: new_id(),
            era: rows.era,
            kind,
            reason,
            began,
            elapsed,
        };
        row.cut_at_midnights(rows, name, at);
        row.write(rows, name, None);
        row
    }

    /// Restores a row that a previous process has stored.
    pub(super) fn restore(row: &ReportRow) -> Self {
        Self {
            id: row.id,
            era: row.era,
            kind: row.kind,
            reason: Arc::clone(&row.reason),
            began: row.began,
            elapsed: row.elapsed,
        }
    }

    /// Returns when the whole began that the row belongs to.
    pub(super) fn whole_began(&self) -> i64 {
        self.began - i64::from(self.elapsed.unwrap_or(0))
    }

    pub(super) fn began(&self) -> i64 {
        self.began
    }

    pub(super) fn reason(&self) -> &Arc<str> {
        &self.reason
    }

    /// Sets the reason of a pause that began without one.
    pub(super) fn set_reason(
        &mut self,
        rows: &mut RowWriter,
        name: MemberName<'_>,
        reason: &Arc<str>,
    ) {
        self.reason = Arc::clone(reason);
        self.write(rows, name, None);
    }

    /// Ends the row at each UTC midnight until `now`, and continues it after that.
    pub(super) fn cut_at_midnights(
        &mut self,
        rows: &mut RowWriter,
        name: MemberName<'_>,
        now: i64,
    ) {
        let mut is_cut = false;
        loop {
            let midnight = next_midnight(self.began);
            if now < midnight {
                break;
            }
            self.write(rows, name, Some(midnight));
            self.continue_at(midnight);
            is_cut = true;
        }
        if is_cut {
            self.write(rows, name, None);
        }
    }

    /// Ends the row.
    pub(super) fn end(mut self, rows: &mut RowWriter, name: MemberName<'_>, ended: i64) {
        self.cut_at_midnights(rows, name, ended);
        self.write(rows, name, Some(ended));
    }

    /// Ends the row because the clock was set.
    pub(super) fn end_era(&mut self, rows: &mut RowWriter, name: MemberName<'_>, ended: i64) {
        self.cut_at_midnights(rows, name, ended);
        self.write(rows, name, Some(ended));
        self.continue_at(ended);
    }

    /// Continues the row in a new era.
    pub(super) fn begin_era(&mut self, rows: &mut RowWriter, name: MemberName<'_>, began: i64) {
        self.began = began;
        self.era = rows.era;
        self.write(rows, name, None);
    }

    fn continue_at(&mut self, began: i64) {
        let elapsed = u32::try_from(began - self.whole_began()).unwrap_or(0);
        self.elapsed = Some(elapsed);
        self.began = began;
        self.id = new_id();
    }

    /// Stores the row, which lasts if `ended` is `None`.
    pub(super) fn write(
        &self,
        rows: &mut RowWriter,
        (queue, interface): MemberName<'_>,
        ended: Option<i64>,
    ) {
        rows.put(ReportRow {
            id: self.id,
            kind: self.kind,
            era: self.era,
            queue: Arc::clone(queue),
            interface: Arc::clone(interface),
            began: self.began,
            seconds: ended.map(|ended| u32::try_from(ended - self.began).unwrap_or(0)),
            reason: Arc::clone(&self.reason),
            value: 0,
            elapsed: self.elapsed,
        });
    }
}

/// The rows that are not stored yet.
#[derive(Debug)]
pub(super) struct RowWriter {
    rows: Vec<ReportRow>,
    era: u32,
    /// When the era began; the beginning of time if the clock was not set.
    era_began: i64,
    /// No row that lasts has to be cut before this time.
    next_cut: i64,
    no_name: Arc<str>,
}

impl RowWriter {
    pub(super) fn new(era: u32) -> Self {
        Self {
            rows: Vec::new(),
            era,
            era_began: i64::MIN,
            next_cut: i64::MAX,
            no_name: "".into(),
        }
    }

    /// Begins an era, because the clock was set and now shows `now`.
    pub(super) fn begin_era(&mut self, now: i64) {
        self.era += 1;
        self.era_began = now;
    }

    pub(super) fn era_began(&self) -> i64 {
        self.era_began
    }

    /// Returns the earliest time at which a row that lasts may have to be cut.
    pub(super) fn next_cut(&self) -> i64 {
        self.next_cut
    }

    /// Notes that all rows that last were cut at the midnights until `now`.
    pub(super) fn set_cut_until(&mut self, now: i64) {
        self.next_cut = next_midnight(now);
    }

    /// Adds or replaces a row.
    fn put(&mut self, row: ReportRow) {
        if row.seconds.is_none() {
            self.next_cut = self.next_cut.min(next_midnight(row.began));
        }
        self.rows.push(row);
    }

    /// Adds a row that does not last. `values` are its seconds and its value.
    pub(super) fn add(
        &mut self,
        kind: EntryKind,
        (queue, interface): MemberName<'_>,
        at: i64,
        values: (u32, u32),
    ) {
        let (seconds, value) = values;
        self.put(ReportRow {
            id: new_id(),
            kind,
            era: self.era,
            queue: Arc::clone(queue),
            interface: Arc::clone(interface),
            began: at,
            seconds: Some(seconds),
            reason: Arc::clone(&self.no_name),
            value,
            elapsed: None,
        });
    }

    /// Adds or replaces the row of a caller.
    pub(super) fn put_caller(&mut self, id: i64, queue: Arc<str>, at: i64, values: (u32, u32)) {
        let (seconds, value) = values;
        self.put(ReportRow {
            id,
            kind: EntryKind::Caller,
            era: self.era,
            queue,
            interface: Arc::clone(&self.no_name),
            began: at,
            seconds: Some(seconds),
            reason: Arc::clone(&self.no_name),
            value,
            elapsed: None,
        });
    }

    pub(super) fn take(&mut self) -> Vec<ReportRow> {
        std::mem::take(&mut self.rows)
    }
}

/// Returns the first UTC midnight after a time.
fn next_midnight(time: i64) -> i64 {
    (time.div_euclid(DAY_SECONDS) + 1) * DAY_SECONDS
}

/// Returns an id for a new row. Ids are random, so that a new process needs no counter.
pub(super) fn new_id() -> i64 {
    fastrand::i64(1..)
}
