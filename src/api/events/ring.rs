//! Stores the entries that not all readers have taken yet. Does no IO and never waits.

use std::collections::VecDeque;
use std::sync::Arc;

/// Entries in their order. Each entry is stored until every reader that was there when it was
/// pushed has taken it or left, or until it is dropped to limit the memory.
#[derive(Debug)]
pub(super) struct Ring<T> {
    slots: VecDeque<Slot<T>>,
    /// The number of the first stored entry.
    first: u64,
    bytes: usize,
    readers: usize,
}

#[derive(Debug)]
struct Slot<T> {
    entry: Arc<T>,
    bytes: usize,
    /// The number of readers that have not taken the entry.
    unread: usize,
}

/// A reader's place: the number of the next entry that it takes.
#[derive(Debug)]
pub(super) struct Place(u64);

/// The result of [`Ring::take`].
#[derive(Debug)]
pub(super) enum Taken<T> {
    Entry(Arc<T>),
    /// The reader has taken all entries.
    Nothing,
    /// The reader's next entry was dropped.
    Dropped,
}

impl<T> Default for Ring<T> {
    fn default() -> Self {
        Self {
            slots: VecDeque::new(),
            first: 0,
            bytes: 0,
            readers: 0,
        }
    }
}

impl<T> Ring<T> {
    /// Adds a reader. It takes the entries that are pushed from now on.
    pub(super) fn join(&mut self) -> Place {
        self.readers += 1;
        Place(self.end())
    }

    /// Removes a reader.
    pub(super) fn leave(&mut self, place: &Place) {
        self.readers -= 1;
        let start = usize::try_from(place.0.saturating_sub(self.first)).unwrap_or(usize::MAX);
        for slot in self.slots.iter_mut().skip(start) {
            slot.unread -= 1;
        }
        self.trim();
    }

    /// Appends an entry of this size.
    pub(super) fn push(&mut self, entry: T, bytes: usize) {
        self.slots.push_back(Slot {
            entry: Arc::new(entry),
            bytes,
            unread: self.readers,
        });
        self.bytes += bytes;
        self.trim();
    }

    /// Takes the next entry.
    pub(super) fn take(&mut self, place: &mut Place) -> Taken<T> {
        if self.has_dropped(place) {
            return Taken::Dropped;
        }
        let index = usize::try_from(place.0 - self.first).unwrap_or(usize::MAX);
        let Some(slot) = self.slots.get_mut(index) else {
            return Taken::Nothing;
        };
        slot.unread -= 1;
        place.0 += 1;
        let entry = Arc::clone(&slot.entry);
        self.trim();
        Taken::Entry(entry)
    }

    /// Returns whether the reader's next entry was dropped.
    pub(super) fn has_dropped(&self, place: &Place) -> bool {
        place.0 < self.first
    }

    /// Drops the oldest entry. Returns false if only the newest one is left.
    pub(super) fn drop_oldest(&mut self) -> bool {
        if self.slots.len() < 2 {
            return false;
        }
        self.pop();
        true
    }

    /// Returns the size of the stored entries.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns the number of the stored entries.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    fn end(&self) -> u64 {
        self.first + self.slots.len() as u64
    }

    /// Removes the entries at the front that no reader needs.
    fn trim(&mut self) {
        while self.slots.front().is_some_and(|slot| slot.unread == 0) {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some(slot) = self.slots.pop_front() {
            self.first += 1;
            self.bytes -= slot.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(ring: &mut Ring<u32>, place: &mut Place) -> Option<u32> {
        match ring.take(place) {
            Taken::Entry(entry) => Some(*entry),
            Taken::Nothing => None,
            Taken::Dropped => panic!("dropped"),
        }
    }

    #[test]
    fn entries_are_stored_until_every_reader_has_taken_them_or_left() {
        let mut ring = Ring::default();
        ring.push(0, 10);
        assert_eq!(ring.bytes(), 0);
        let mut fast = ring.join();
        let mut slow = ring.join();
        ring.push(1, 10);
        ring.push(2, 10);
        let mut late = ring.join();
        assert_eq!(take(&mut ring, &mut fast), Some(1));
        assert_eq!(take(&mut ring, &mut fast), Some(2));
        assert_eq!(take(&mut ring, &mut fast), None);
        assert_eq!(take(&mut ring, &mut late), None);
        assert_eq!(ring.bytes(), 20);
        assert_eq!(take(&mut ring, &mut slow), Some(1));
        assert_eq!(ring.bytes(), 10);
        ring.push(3, 10);
        ring.leave(&slow);
        assert_eq!(ring.bytes(), 10);
        assert_eq!(take(&mut ring, &mut late), Some(3));
        ring.leave(&fast);
        assert_eq!((ring.bytes(), ring.len()), (0, 0));
    }

    #[test]
    fn reader_learns_that_its_next_entry_was_dropped() {
        let mut ring = Ring::default();
        let mut reader = ring.join();
        ring.push(1, 10);
        assert!(!ring.drop_oldest());
        ring.push(2, 10);
        assert!(ring.drop_oldest());
        assert!(matches!(ring.take(&mut reader), Taken::Dropped));
        ring.leave(&reader);
        assert_eq!((ring.bytes(), ring.len()), (0, 0));
        let mut reader = ring.join();
        ring.push(3, 10);
        assert_eq!(take(&mut ring, &mut reader), Some(3));
    }
}
