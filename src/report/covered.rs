//! The union of time spans.

/// The end of the time that is already counted, for each key. Spans must come in the order in
/// which they begin.
#[derive(Debug, Default)]
pub(super) struct Covered(Vec<(u64, i64)>);

impl Covered {
    /// Forgets everything, because the next spans overlap no earlier ones.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Returns the beginning of the part of a span that no earlier span with the same key covers.
    /// The part is empty if this is not before `ended`.
    pub(super) fn uncovered(&mut self, key: u64, began: i64, ended: i64) -> i64 {
        let mut covered = self.0.iter_mut();
        match covered.find(|(known, _)| *known == key) {
            Some((_, until)) => {
                let start = began.max(*until);
                *until = ended.max(*until);
                start
            }
            None => {
                self.0.push((key, ended));
                began
            }
        }
    }
}
