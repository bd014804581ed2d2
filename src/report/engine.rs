//! Computes a report from rows. Pure: rows, selection and grouping in, figures out.
//!
//! Rows come day by day (UTC). Within a day they are sorted by era, agent, kind and beginning, so a
//! union of overlapping spans needs only the end of what is already covered ([`Covered`]). No row
//! crosses a UTC midnight, and rows of different eras never overlap in real time.

use rustc_hash::FxHashMap;

use super::covered::Covered;
use super::days::Days;
use super::figures::Figures;
use super::grouping::{Group, GroupKey, Grouping};
use super::groups::Groups;
use super::outcome::CallerOutcome;
use super::pause_counter::PauseCounter;
use super::selected::Selected;
use super::wrap_up::WrapUps;
use crate::storage::{Entry, EntryKind};

/// Which rows belong to a report, and to which agent, queue and reason.
#[derive(Debug, Default)]
pub struct Selection {
    /// The index of the agent, by the number of the interface's name.
    pub agents: Vec<Option<u32>>,
    /// The index of the queue, by the number of its name.
    pub queues: Vec<Option<u32>>,
    /// The index of the reason, by the number of its name.
    pub reasons: Vec<u32>,
    /// After how many seconds a pause is overdue, by the index of its reason.
    pub limits: Vec<Option<u32>>,
    /// Whether the report has callers.
    pub has_callers: bool,
}

impl Selection {
    fn agent_of(&self, entry: &Entry) -> Option<u32> {
        self.agents.get(entry.interface as usize).copied().flatten()
    }

    fn queue_of(&self, entry: &Entry) -> Option<u32> {
        self.queues.get(entry.queue as usize).copied().flatten()
    }

    fn reason_of(&self, entry: &Entry) -> u32 {
        let reason = self.reasons.get(entry.value as usize);
        reason.copied().unwrap_or_default()
    }
}

/// Computes a report.
#[derive(Debug)]
pub struct Engine<'a> {
    selection: &'a Selection,
    days: &'a Days,
    by_agent: bool,
    by_queue: bool,
    by_reason: bool,
    by_day: bool,
    groups: Groups,
    pauses: PauseCounter,
    logged_in: Covered,
    paused: Covered,
    paused_by_reason: Covered,
    selected: Vec<Selected>,
}

impl<'a> Engine<'a> {
    /// Creates an engine for a report about `days`.
    #[must_use]
    pub fn new(selection: &'a Selection, days: &'a Days, grouping: &Grouping) -> Self {
        Self {
            selection,
            days,
            by_agent: grouping.has(GroupKey::Agent),
            by_queue: grouping.has(GroupKey::Queue),
            by_reason: grouping.has(GroupKey::Reason),
            by_day: grouping.has(GroupKey::Day),
            groups: Groups::default(),
            pauses: PauseCounter::default(),
            logged_in: Covered::default(),
            paused: Covered::default(),
            paused_by_reason: Covered::default(),
            selected: Vec::new(),
        }
    }

    /// Adds the rows of a UTC day. Days must come in order.
    pub fn add_day(&mut self, entries: &[Entry]) {
        let mut selected = std::mem::take(&mut self.selected);
        selected.clear();
        for entry in entries {
            let Some(queue) = self.selection.queue_of(entry) else {
                continue;
            };
            if entry.kind == EntryKind::Caller {
                self.add_caller(entry, queue);
            } else if let Some(agent) = self.selection.agent_of(entry) {
                selected.push(Selected {
                    entry: *entry,
                    agent,
                    queue,
                });
            }
        }
        let key = |row: &Selected| (row.entry.era, row.agent, row.entry.kind, row.entry.began);
        if !selected.is_sorted_by_key(key) {
            selected.sort_by_key(key);
        }
        for rows in selected.chunk_by(|a, b| a.entry.era == b.entry.era && a.agent == b.agent) {
            self.add_agent(rows);
        }
        self.selected = selected;
    }

    /// Returns the figures of the groups in which something happened.
    #[must_use]
    pub fn finish(mut self) -> FxHashMap<Group, Figures> {
        for (group, reason) in self.pauses.overdue() {
            let figures = self.groups.of(group);
            figures.reasons.entry(reason).or_default().overdue += 1;
        }
        self.groups.into_map()
    }

    fn add_agent(&mut self, rows: &[Selected]) {
        self.logged_in.clear();
        self.paused.clear();
        self.paused_by_reason.clear();
        for row in rows {
            match row.entry.kind {
                EntryKind::Login => self.add_login(row),
                EntryKind::Pause => self.add_pause(row),
                EntryKind::Missed => {
                    if let Some(figures) = self.figures_at(row, row.entry.began) {
                        figures.missed_calls += 1;
                    }
                }
                EntryKind::Call | EntryKind::Caller => {}
            }
        }
        if !self.by_reason {
            self.add_calls(&WrapUps::new(rows));
        }
    }

    fn add_login(&mut self, row: &Selected) {
        if self.by_reason {
            return;
        }
        let key = self.union_key(row);
        let entry = &row.entry;
        let start = self.logged_in.uncovered(key, entry.began, entry.ended());
        self.add_seconds(row, 0, start, entry.ended(), |figures| {
            &mut figures.logged_in_seconds
        });
    }

    fn add_pause(&mut self, row: &Selected) {
        let entry = &row.entry;
        let (began, ended) = (entry.began, entry.ended());
        let reason = self.selection.reason_of(entry);
        let key = self.union_key(row);
        if !self.by_reason {
            let start = self.paused.uncovered(key, began, ended);
            self.add_seconds(row, 0, start, ended, |figures| &mut figures.paused_seconds);
        }
        let reason_key = key << 32 | u64::from(reason);
        let start = self.paused_by_reason.uncovered(reason_key, began, ended);
        self.add_seconds(row, reason, start, ended, |figures| {
            &mut figures.reasons.entry(reason).or_default().seconds
        });
        let limit = self.selection.limits.get(reason as usize);
        let limit = limit.copied().flatten();
        let is_first = self.pauses.add(self.pause_key(row, reason), entry, limit);
        if is_first && let Some(group) = self.group_at(row, reason, began) {
            self.pauses.set_group(self.pause_key(row, reason), group);
            let figures = self.groups.of(group);
            figures.reasons.entry(reason).or_default().pauses += 1;
        }
    }

    fn add_calls(&mut self, wrap_ups: &WrapUps<'_>) {
        for (index, row) in wrap_ups.calls().iter().enumerate() {
            let entry = &row.entry;
            if let Some(figures) = self.figures_at(row, entry.began) {
                figures.calls_taken += 1;
                figures.talk_seconds += i64::from(entry.seconds);
            }
            if entry.value > 0 {
                self.add_seconds(row, 0, entry.began, wrap_ups.end(index), |figures| {
                    &mut figures.wrap_up_seconds
                });
            }
        }
    }

    fn add_caller(&mut self, entry: &Entry, queue: u32) {
        if !self.selection.has_callers || self.by_agent || self.by_reason {
            return;
        }
        let Some(day) = self.days.index_of(entry.began) else {
            return;
        };
        let group = Group {
            queue: if self.by_queue { queue } else { 0 },
            day: if self.by_day { day as u32 } else { 0 },
            ..Group::default()
        };
        let callers = &mut self.groups.of(group).callers;
        callers.callers += 1;
        let outcome = CallerOutcome::from_number(entry.value);
        match outcome {
            CallerOutcome::Left => return,
            CallerOutcome::Abandoned => callers.abandoned += 1,
            CallerOutcome::Answered {
                within_service_level,
            } => {
                callers.answered += 1;
                callers.answered_within_service_level += u64::from(within_service_level);
            }
        }
        callers.wait_seconds += i64::from(entry.seconds);
        callers.longest_wait_seconds = callers.longest_wait_seconds.max(entry.seconds);
    }

    /// Returns the key of the spans whose union counts: those of the agent, or of the agent in one
    /// queue.
    fn union_key(&self, row: &Selected) -> u64 {
        if self.by_queue {
            u64::from(row.queue) + 1
        } else {
            0
        }
    }

    fn pause_key(&self, row: &Selected, reason: u32) -> (u32, u32, u32) {
        let queue = if self.by_queue { row.queue } else { 0 };
        (row.agent, queue, reason)
    }

    fn group(&self, row: &Selected, reason: u32, day: usize) -> Group {
        Group {
            agent: if self.by_agent { row.agent } else { 0 },
            queue: if self.by_queue { row.queue } else { 0 },
            reason: if self.by_reason { reason } else { 0 },
            day: if self.by_day { day as u32 } else { 0 },
        }
    }

    /// Returns the group in which something counts that happened at `time`; `None` if that is not
    /// within the report's days.
    fn group_at(&self, row: &Selected, reason: u32, time: i64) -> Option<Group> {
        let day = self.days.index_of(time)?;
        Some(self.group(row, reason, day))
    }

    fn figures_at(&mut self, row: &Selected, time: i64) -> Option<&mut Figures> {
        if self.by_reason {
            return None;
        }
        let group = self.group_at(row, 0, time)?;
        Some(self.groups.of(group))
    }

    /// Adds the seconds of a span to the figures of each day that it touches.
    fn add_seconds(
        &mut self,
        row: &Selected,
        reason: u32,
        began: i64,
        ended: i64,
        field: impl Fn(&mut Figures) -> &mut i64,
    ) {
        let days = self.days;
        days.split(began, ended, |day, seconds| {
            let group = self.group(row, reason, day);
            *field(self.groups.of(group)) += seconds;
        });
    }
}

#[cfg(test)]
mod tests;
