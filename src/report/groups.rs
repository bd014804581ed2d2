//! The figures of all groups of a report.

use rustc_hash::FxHashMap;

use super::figures::Figures;
use super::grouping::Group;

/// The figures by group. Most rows belong to the same group as the row before, so its place is
/// cached.
#[derive(Debug, Default)]
pub(super) struct Groups {
    places: FxHashMap<Group, usize>,
    figures: Vec<(Group, Figures)>,
    latest: usize,
}

impl Groups {
    /// Returns the figures of a group, which are new if the group is.
    pub(super) fn of(&mut self, group: Group) -> &mut Figures {
        let is_latest = self
            .figures
            .get(self.latest)
            .is_some_and(|(latest, _)| *latest == group);
        if !is_latest {
            self.latest = *self.places.entry(group).or_insert_with(|| {
                self.figures.push((group, Figures::default()));
                self.figures.len() - 1
            });
        }
        &mut self.figures[self.latest].1
    }

    /// Returns the figures of the groups in which something happened.
    pub(super) fn into_map(self) -> FxHashMap<Group, Figures> {
        let figures = self.figures.into_iter();
        figures
            .filter(|(_, figures)| *figures != Figures::default())
            .collect()
    }
}
