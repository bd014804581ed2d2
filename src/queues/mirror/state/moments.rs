//! The times at which members change without an event from Asterisk.

use std::collections::{BTreeSet, HashMap};

use super::member_key::MemberKey;

/// The next time at which each member changes, in Unix milliseconds. Members that time does
/// not change have none.
#[derive(Debug, Default)]
pub(super) struct Moments {
    by_time: BTreeSet<(i64, MemberKey)>,
    by_member: HashMap<MemberKey, i64>,
}

impl Moments {
    /// Replaces the member's moment.
    pub(super) fn set(&mut self, key: &MemberKey, at: Option<i64>) {
        if let Some(before) = self.by_member.get(key).copied() {
            if at == Some(before) {
                return;
            }
            self.by_member.remove(key);
            self.by_time.remove(&(before, key.clone()));
        }
        if let Some(at) = at {
            self.by_member.insert(key.clone(), at);
            self.by_time.insert((at, key.clone()));
        }
    }

    /// Returns the earliest moment.
    pub(super) fn next(&self) -> Option<i64> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Removes and returns the members whose moment has come.
    pub(super) fn take_due(&mut self, now: i64) -> Vec<MemberKey> {
        let mut due = Vec::new();
        while let Some((at, _)) = self.by_time.first()
            && *at <= now
            && let Some((_, key)) = self.by_time.pop_first()
        {
            self.by_member.remove(&key);
            due.push(key);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_member_has_one_moment_and_due_moments_are_taken_in_order() {
        let mut moments = Moments::default();
        let [a, b, c] = ["a", "b", "c"].map(|interface| MemberKey::new("Sales", interface));
        for (key, at) in [(&a, 30), (&b, 20), (&c, 10), (&a, 5), (&c, 40)] {
            moments.set(key, Some(at));
        }
        moments.set(&MemberKey::new("SALES", "B"), Some(25));
        assert_eq!(moments.next(), Some(5));
        assert_eq!(moments.take_due(4), []);
        assert_eq!(moments.take_due(25), [a, b.clone()]);
        moments.set(&b, None);
        moments.set(&c, None);
        assert_eq!(moments.next(), None);
    }
}
