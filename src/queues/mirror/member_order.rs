//! Where a new member stands among a queue's members, as Asterisk lists them.

use crate::queues::model::Queue;

/// The place at which app_queue lists a member that it adds now.
///
/// A queue keeps its members in a hash table of 37 buckets and lists it bucket by
/// bucket; with strategies that need an order, in a list (app_queue of Asterisk
/// 13 to 23). The next list of the queue tells the real order, should another
/// version do otherwise.
pub(super) fn insertion_index(interface: &str, queue: &Queue) -> usize {
    let members = &queue.members;
    if matches!(queue.strategy.as_str(), "linear" | "rrordered") {
        return members.len();
    }
    let bucket = bucket(interface);
    let behind = |other: &str| self::bucket(other) > bucket;
    let place = members.iter().position(|member| behind(&member.interface));
    place.unwrap_or(members.len())
}

/// app_queue hashes five characters, from the first slash on, without case.
fn bucket(interface: &str) -> i32 {
    let start = interface.find('/').unwrap_or(0);
    let characters = interface.as_bytes()[start..].iter().take(5);
    let hash = characters.enumerate().fold(0i32, |hash, (place, byte)| {
        let compressed = match i32::from(*byte) {
            ..32 => 0,
            byte @ 97.. => byte - 64,
            byte => byte - 32,
        };
        hash.wrapping_add(compressed << (place * 6))
    });
    (hash % 37).abs()
}
