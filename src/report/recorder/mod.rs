//! Turns what the bridge learns about a PBX into rows. Pure: callers pass the time.
//!
//! - `membership` follows one member of one queue: its login and its pause.
//! - `open_row` is a row that lasts, cut at UTC midnights.
//! - `callers` joins the two events about a caller's end into one row.
//! - `clock` notices when the clock was set.

mod callers;
mod clock;
mod membership;
mod open_row;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use self::callers::RecentCallers;
pub use self::clock::Clocks;
use self::clock::{ClockChange, ClockWatch};
use self::membership::{BeforeGap, Membership};
use self::open_row::{RowWriter, new_id};
use super::outcome::CallerOutcome;
use crate::queues::{WorkCall, WorkEvent, WorkMember};
use crate::storage::{EntryKind, ReportBatch, ReportGap, StoredReport};

/// How long after a UTC midnight rows are cut there. An event that arrives later may have happened
/// before.
const CUT_DELAY_SECONDS: i64 = 5;

/// A queue's name and a member's interface.
type MemberId = (Arc<str>, Arc<str>);

/// Records the day's work of one PBX. Times are Unix seconds.
#[derive(Debug)]
pub struct Recorder {
    pbx: String,
    rows: RowWriter,
    /// Whether the bridge sees all changes.
    sees: bool,
    /// The last time at which it did; `None` if it never has.
    sight: Option<i64>,
    /// The last sight before a gap, if it is not stored yet.
    unstored_sight: Option<i64>,
    gap: Option<ReportGap>,
    gaps: Vec<ReportGap>,
    members: HashMap<MemberId, Membership>,
    /// The memberships at the last sight that were not seen since.
    before_gap: HashMap<MemberId, BeforeGap>,
    callers: RecentCallers,
    /// The display names, by interface, and those that are not stored yet.
    aliases: HashMap<Arc<str>, Arc<str>>,
    new_aliases: Vec<(Arc<str>, Arc<str>)>,
    clock: ClockWatch,
}

impl Recorder {
    /// Creates a recorder that continues what a previous process has stored. Its era is `era`, or
    /// the one after the eras of the stored rows if the clock was set back.
    #[must_use]
    pub fn new(pbx: String, stored: StoredReport, era: u32) -> Self {
        let next_era = stored.open_rows.iter().map(|row| row.era + 1).max();
        let era = era.max(next_era.unwrap_or(0));
        let mut recorder = Self {
            pbx,
            rows: RowWriter::new(era),
            sees: false,
            sight: stored.sight,
            unstored_sight: None,
            gap: None,
            gaps: Vec::new(),
            members: HashMap::new(),
            before_gap: HashMap::new(),
            callers: RecentCallers::default(),
            aliases: HashMap::new(),
            new_aliases: Vec::new(),
            clock: ClockWatch::default(),
        };
        if let Some(sight) = stored.sight {
            recorder.gap = stored.open_gap;
            recorder.begin_gap(sight);
            for row in &stored.open_rows {
                let id = (Arc::clone(&row.queue), Arc::clone(&row.interface));
                let before = recorder.before_gap.entry(id);
                before
                    .or_insert_with(|| BeforeGap::new(sight))
                    .add_stored(row);
            }
        }
        recorder
    }

    /// Records the events since the last call, and notes the time: while the bridge sees the PBX,
    /// this is the last sight. Call this at least once a second.
    pub fn record(&mut self, events: impl IntoIterator<Item = WorkEvent>, clocks: Clocks) {
        let now = clocks.unix_seconds();
        let mut events = events.into_iter().peekable();
        match self.clock.tick(clocks) {
            Some(ClockChange::Set { by }) => {
                let before = now - by;
                let is_earlier =
                    |event: &WorkEvent| event.at().abs_diff(before) < event.at().abs_diff(now);
                while let Some(event) = events.next_if(is_earlier) {
                    self.observe(event);
                }
                self.clock_was_set(now, by);
            }
            Some(ClockChange::Stalled { since }) if self.sees => self.gaps.push(ReportGap {
                id: new_id(),
                began: since,
                ended: Some(now),
            }),
            Some(ClockChange::Stalled { .. }) | None => {}
        }
        for event in events {
            self.observe(event);
        }
        if self.sees {
            self.sight = Some(now);
        }
        let latest_cut = now - CUT_DELAY_SECONDS;
        // A large PBX has tens of thousands of members.
        if latest_cut >= self.rows.next_cut() {
            for ((queue, interface), membership) in &mut self.members {
                membership.cut_at_midnights(&mut self.rows, (queue, interface), latest_cut);
            }
            self.rows.set_cut_until(latest_cut);
        }
    }

    fn observe(&mut self, event: WorkEvent) {
        match event {
            WorkEvent::Member {
                at,
                queue,
                interface,
                member,
            } => self.observe_member((queue.into(), interface), member, at),
            WorkEvent::Call { at, queue, call } => self.observe_call(queue.into(), call, at),
            WorkEvent::Seen { at } => self.begin_sight(at),
            WorkEvent::Unseen { last_sight } => self.end_sight(last_sight),
        }
    }

    /// Returns whether the bridge sees the PBX.
    #[must_use]
    pub fn sees(&self) -> bool {
        self.sees
    }

    /// Returns the number of members whose work is recorded.
    #[must_use]
    pub fn member_count(&self) -> usize {
        self.members.len()
    }

    /// Stores again everything that lasts, because the database is a new one.
    pub fn store_again(&mut self) {
        for ((queue, interface), membership) in &mut self.members {
            membership.write(&mut self.rows, (queue, interface));
        }
        for ((queue, interface), before) in &self.before_gap {
            before.write(&mut self.rows, (queue, interface));
        }
        self.gaps.extend(self.gap);
        let aliases = self.aliases.iter();
        self.new_aliases = aliases
            .map(|(interface, alias)| (Arc::clone(interface), Arc::clone(alias)))
            .collect();
        self.unstored_sight = self.sight;
    }

    /// Takes everything that is not stored yet.
    pub fn take_batch(&mut self) -> ReportBatch {
        ReportBatch {
            pbx: self.pbx.clone(),
            sight: if self.sees {
                self.sight
            } else {
                self.unstored_sight.take()
            },
            rows: self.rows.take(),
            gaps: std::mem::take(&mut self.gaps),
            aliases: std::mem::take(&mut self.new_aliases),
            dropped: None,
        }
    }

    fn observe_member(&mut self, id: MemberId, member: Option<WorkMember>, at: i64) {
        let Some(member) = member else {
            // The storage removes the name when nothing stored has it any more.
            self.aliases.remove(&id.1);
            if let Some(membership) = self.members.remove(&id) {
                membership.end(&mut self.rows, (&id.0, &id.1), at);
            }
            if let Some(before) = self.before_gap.remove(&id) {
                before.end(&mut self.rows, (&id.0, &id.1));
            }
            return;
        };
        if self.aliases.get(&id.1) != Some(&member.name) {
            let alias = (Arc::clone(&id.1), Arc::clone(&member.name));
            self.aliases.insert(alias.0.clone(), alias.1.clone());
            self.new_aliases.push(alias);
        }
        if let Some(membership) = self.members.get_mut(&id) {
            return membership.update(&mut self.rows, (&id.0, &id.1), &member, at);
        }
        let before = self.before_gap.remove(&id);
        let last_sight = self.sight.filter(|_| !self.sees);
        let name = (&id.0, &id.1);
        let membership = Membership::begin(&mut self.rows, name, &member, before, last_sight, at);
        self.members.insert(id, membership);
    }

    fn observe_call(&mut self, queue: Arc<str>, call: WorkCall, at: i64) {
        match call {
            WorkCall::Joined { unique_id } => self.callers.joined(&queue, &unique_id),
            WorkCall::Answered {
                unique_id,
                wait_seconds,
                within_service_level,
            } => {
                let outcome = CallerOutcome::Answered {
                    within_service_level,
                };
                self.caller_left(queue, unique_id, wait_seconds, outcome, at);
            }
            WorkCall::Abandoned {
                unique_id,
                wait_seconds,
            } => self.caller_left(queue, unique_id, wait_seconds, CallerOutcome::Abandoned, at),
            WorkCall::Left { unique_id } => {
                self.caller_left(queue, unique_id, 0, CallerOutcome::Left, at);
            }
            WorkCall::Completed {
                interface,
                talk_seconds,
                wrap_up_seconds,
            } => {
                let kind = EntryKind::Call;
                let values = (talk_seconds, wrap_up_seconds);
                self.rows.add(kind, (&queue, &interface), at, values);
            }
            WorkCall::Missed { interface } => {
                let kind = EntryKind::Missed;
                self.rows.add(kind, (&queue, &interface), at, (0, 0));
            }
        }
    }

    fn caller_left(
        &mut self,
        queue: Arc<str>,
        unique_id: String,
        wait_seconds: u32,
        outcome: CallerOutcome,
        at: i64,
    ) {
        let next_id = new_id();
        let row = self.callers.left(queue, unique_id, outcome, next_id, at);
        if let Some((id, queue, left_at)) = row {
            let values = (wait_seconds, outcome.number());
            self.rows.put_caller(id, queue, left_at, values);
        }
    }

    fn begin_sight(&mut self, at: i64) {
        self.sees = true;
        self.sight = Some(at);
        for ((queue, interface), before) in self.before_gap.drain() {
            before.end(&mut self.rows, (&queue, &interface));
        }
        if let Some(gap) = self.gap.take() {
            // Something may have happened earlier in this second.
            let first_seen_second = at + 1;
            // If the clock was set back during the gap, the times in between passed twice.
            self.gaps.push(ReportGap {
                began: gap.began.min(first_seen_second),
                ended: Some(gap.began.max(first_seen_second)),
                ..gap
            });
        }
    }

    fn end_sight(&mut self, last_sight: i64) {
        for (id, membership) in self.members.drain() {
            self.before_gap.insert(id, membership.suspend(last_sight));
        }
        if self.sees {
            self.sees = false;
            self.sight = Some(last_sight);
            self.unstored_sight = Some(last_sight);
            self.begin_gap(last_sight);
        }
    }

    fn begin_gap(&mut self, began: i64) {
        let gap = self.gap.unwrap_or(ReportGap {
            id: new_id(),
            began,
            ended: None,
        });
        self.gap = Some(gap);
        self.gaps.push(gap);
    }

    /// Cuts all rows, because the clock was set forward by `by` seconds, and now shows `now`.
    fn clock_was_set(&mut self, now: i64, by: i64) {
        let before = now - by;
        for ((queue, interface), membership) in &mut self.members {
            membership.end_era(&mut self.rows, (queue, interface), before);
        }
        self.rows.begin_era(now);
        for ((queue, interface), membership) in &mut self.members {
            membership.begin_era(&mut self.rows, (queue, interface), now);
        }
        for before in self.before_gap.values_mut() {
            before.shift(by);
        }
        self.sight = self.sight.map(|sight| sight + by);
    }
}
