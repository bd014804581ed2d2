//! A hash map for keys that consist of indexes.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A map whose keys consist of `u32` indexes. Clients can't choose them, so the hash need not resist
/// attacks. It takes a fifth of the standard hash's time, which is most of a long report's time.
pub type IndexMap<K, V> = HashMap<K, V, BuildHasherDefault<IndexHasher>>;

/// Hashes `u32` indexes.
#[derive(Debug, Default)]
pub struct IndexHasher(u64);

/// An odd number whose bits look random.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

impl Hasher for IndexHasher {
    fn write_u32(&mut self, index: u32) {
        self.0 = (self.0.rotate_left(23) ^ u64::from(index)).wrapping_mul(MULTIPLIER);
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn finish(&self) -> u64 {
        // The map uses the lowest and the highest bits, and multiplication mixes only the higher.
        self.0.rotate_left(26)
    }
}
