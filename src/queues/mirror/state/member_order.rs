//! The order in which Asterisk lists a queue's members.

use crate::queues::model::Queue;

/// Returns the index at which app_queue will list a new member.
///
/// app_queue stores a queue's members in a hash table with 37 buckets and lists them bucket by
/// bucket. For strategies that depend on the order, it stores them in a list. This is how
/// app_queue works in Asterisk 13 to 23. If another version uses a different order, the next list
/// of the queue corrects the mirror.
pub(super) fn insertion_index(interface: &str, queue: &Queue) -> usize {
    let members = &queue.members;
    if matches!(queue.strategy.as_str(), "linear" | "rrordered") {
        return members.len();
    }
    let bucket = bucket(interface);
    let is_after = |other: &str| self::bucket(other) > bucket;
    let index = members
        .iter()
        .position(|member| is_after(&member.interface));
    index.unwrap_or(members.len())
}

/// Returns app_queue's hash bucket. app_queue hashes five characters, starting at the first
/// slash, and ignores case.
fn bucket(interface: &str) -> i32 {
    let start = interface.find('/').unwrap_or(0);
    let characters = interface.as_bytes()[start..].iter().take(5);
    let hash = characters.enumerate().fold(0i32, |hash, (index, byte)| {
        let compressed = match i32::from(*byte) {
            ..32 => 0,
            byte @ 97.. => byte - 64,
            byte => byte - 32,
        };
        hash.wrapping_add(compressed << (index * 6))
    });
    (hash % 37).abs()
}
