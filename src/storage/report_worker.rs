//! The day's work that waits for the disk.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::database::Database;
use super::database_error::DatabaseError;
use super::queue::{InsertReply, ReportWrite};
use super::{ReportBatch, ReportGap};
use crate::wall_clock;

/// Maximum number of rows that wait. More are dropped, and reported as a gap.
const MAX_ROWS: usize = 200_000;

/// How often to look whether a day can be packed or removed.
const MAINTENANCE_INTERVAL: Duration = Duration::from_secs(60);

/// The batches that wait, by PBX.
#[derive(Debug, Default)]
pub(super) struct PendingReports {
    batches: BTreeMap<String, ReportBatch>,
    /// Since when rows of a PBX have been dropped, in Unix seconds.
    dropped_since: BTreeMap<String, i64>,
    maintained_at: Option<Instant>,
}

impl PendingReports {
    /// Adds batches, and returns the channels for their results.
    pub(super) fn add(&mut self, writes: Vec<ReportWrite>) -> Vec<InsertReply> {
        let mut replies = Vec::with_capacity(writes.len());
        for ReportWrite { mut batch, reply } in writes {
            let waiting: usize = self.batches.values().map(|batch| batch.rows.len()).sum();
            if waiting + batch.rows.len() > MAX_ROWS {
                batch.rows.clear();
                let now = wall_clock::unix_millis().div_euclid(1000);
                self.dropped_since.entry(batch.pbx.clone()).or_insert(now);
            }
            match self.batches.get_mut(&batch.pbx) {
                Some(waiting) => waiting.extend(batch),
                None => drop(self.batches.insert(batch.pbx.clone(), batch)),
            }
            replies.push(reply);
        }
        replies
    }

    /// Stores everything that waits. From time to time, packs a finished day.
    pub(super) fn store(
        &mut self,
        database: &mut Database,
        keep_seconds: Option<i64>,
    ) -> Result<(), DatabaseError> {
        if !self.batches.is_empty() {
            self.add_gaps_for_dropped_rows();
            database.write_reports(self.batches.values())?;
            self.batches.clear();
            self.dropped_since.clear();
        }
        let is_due = self
            .maintained_at
            .is_none_or(|at| at.elapsed() >= MAINTENANCE_INTERVAL);
        if let (true, Some(keep_seconds)) = (is_due, keep_seconds) {
            let now = wall_clock::unix_millis().div_euclid(1000);
            let has_more = database.maintain_reports(now, keep_seconds)?;
            self.maintained_at = (!has_more).then(Instant::now);
        }
        Ok(())
    }

    fn add_gaps_for_dropped_rows(&mut self) {
        let now = wall_clock::unix_millis().div_euclid(1000);
        for (pbx, began) in &self.dropped_since {
            if let Some(batch) = self.batches.get_mut(pbx) {
                batch.gaps.push(ReportGap {
                    id: fastrand::i64(1..),
                    began: *began,
                    ended: Some(now),
                });
            }
        }
    }
}
