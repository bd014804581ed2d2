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
                let now = unix_seconds();
                let waiting = self.batches.get(&batch.pbx);
                batch.dropped = Some(ReportGap {
                    id: fastrand::i64(1..),
                    began: waiting.and_then(|batch| batch.sight).unwrap_or(now),
                    ended: Some(now),
                });
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
            database.write_reports(self.batches.values())?;
            self.batches.clear();
        }
        let is_due = self
            .maintained_at
            .is_none_or(|at| at.elapsed() >= MAINTENANCE_INTERVAL);
        if let (true, Some(keep_seconds)) = (is_due, keep_seconds) {
            let has_more = database.maintain_reports(unix_seconds(), keep_seconds)?;
            self.maintained_at = (!has_more).then(Instant::now);
        }
        Ok(())
    }
}

fn unix_seconds() -> i64 {
    wall_clock::unix_millis().div_euclid(1000)
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;
    use crate::storage::{EntryKind, ReportRow};

    fn write(pbx: &str, sight: i64, rows: usize) -> ReportWrite {
        let row = ReportRow {
            id: 1,
            kind: EntryKind::Missed,
            era: 1,
            queue: "6001".into(),
            interface: "PJSIP/1001".into(),
            began: 1,
            seconds: Some(0),
            reason: "".into(),
            value: 0,
            elapsed: None,
        };
        let batch = ReportBatch {
            pbx: pbx.to_owned(),
            sight: Some(sight),
            rows: vec![row; rows],
            ..ReportBatch::default()
        };
        ReportWrite {
            batch,
            reply: oneshot::channel().0,
        }
    }

    #[test]
    fn rows_without_room_are_dropped_and_leave_a_gap() {
        let mut pending = PendingReports::default();
        pending.add(vec![
            write("main", 100, MAX_ROWS - 1),
            write("other", 200, 1),
        ]);
        assert!(
            pending
                .batches
                .values()
                .all(|batch| batch.dropped.is_none())
        );
        pending.add(vec![write("main", 103, 1), write("main", 106, 0)]);
        let waiting = &pending.batches["main"];
        assert_eq!(
            (waiting.rows.len(), waiting.sight),
            (MAX_ROWS - 1, Some(106))
        );
        assert_eq!(waiting.dropped.map(|gap| gap.began), Some(100));
        assert_eq!(pending.batches["other"].dropped, None);
    }
}
