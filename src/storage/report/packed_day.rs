//! Encodes the rows of a day as one blob.
//!
//! Each row is a byte with its kind and flags, followed by variable-length numbers. The flags
//! omit what equals the previous row's, and the beginning is the difference to the previous row's.

use super::entry::{Entry, EntryKind};

const KIND_MASK: u8 = 0b0000_0111;
const NEW_ERA: u8 = 0b0000_1000;
const NEW_INTERFACE: u8 = 0b0001_0000;
const NEW_QUEUE: u8 = 0b0010_0000;
const HAS_VALUE: u8 = 0b0100_0000;
const HAS_ELAPSED: u8 = 0b1000_0000;

/// The values that the first row is compared with.
#[derive(Default)]
struct Previous {
    era: u32,
    interface: u32,
    queue: u32,
    began: i64,
}

/// Encodes rows, and sorts them for that.
pub(super) fn encode(entries: &mut [Entry]) -> Vec<u8> {
    entries.sort_unstable();
    let mut bytes = Vec::with_capacity(entries.len() * 8);
    let mut previous = Previous::default();
    for entry in entries.iter() {
        let flag = |flag, is_set| if is_set { flag } else { 0 };
        bytes.push(
            entry.kind as u8
                | flag(NEW_ERA, entry.era != previous.era)
                | flag(NEW_INTERFACE, entry.interface != previous.interface)
                | flag(NEW_QUEUE, entry.queue != previous.queue)
                | flag(HAS_VALUE, entry.value != 0)
                | flag(HAS_ELAPSED, entry.elapsed.is_some()),
        );
        if entry.era != previous.era {
            write_number(&mut bytes, u64::from(entry.era));
        }
        if entry.interface != previous.interface {
            write_number(&mut bytes, u64::from(entry.interface));
        }
        if entry.queue != previous.queue {
            write_number(&mut bytes, u64::from(entry.queue));
        }
        write_number(&mut bytes, zigzag(entry.began - previous.began));
        write_number(&mut bytes, u64::from(entry.seconds));
        if entry.value != 0 {
            write_number(&mut bytes, u64::from(entry.value));
        }
        if let Some(elapsed) = entry.elapsed {
            write_number(&mut bytes, u64::from(elapsed));
        }
        previous = Previous {
            era: entry.era,
            interface: entry.interface,
            queue: entry.queue,
            began: entry.began,
        };
    }
    bytes
}

/// Decodes a blob, and appends its rows to `entries` in sorted order. Returns `None` if the blob
/// is damaged.
pub(super) fn decode(mut bytes: &[u8], entries: &mut Vec<Entry>) -> Option<()> {
    let mut previous = Previous::default();
    while let Some((&head, rest)) = bytes.split_first() {
        bytes = rest;
        if head & NEW_ERA != 0 {
            previous.era = read_u32(&mut bytes)?;
        }
        if head & NEW_INTERFACE != 0 {
            previous.interface = read_u32(&mut bytes)?;
        }
        if head & NEW_QUEUE != 0 {
            previous.queue = read_u32(&mut bytes)?;
        }
        let difference = unzigzag(read_number(&mut bytes)?);
        previous.began = previous.began.checked_add(difference)?;
        let seconds = read_u32(&mut bytes)?;
        let value = match head & HAS_VALUE {
            0 => 0,
            _ => read_u32(&mut bytes)?,
        };
        let elapsed = match head & HAS_ELAPSED {
            0 => None,
            _ => Some(read_u32(&mut bytes)?),
        };
        entries.push(Entry {
            era: previous.era,
            interface: previous.interface,
            kind: EntryKind::from_number(head & KIND_MASK)?,
            began: previous.began,
            queue: previous.queue,
            seconds,
            value,
            elapsed,
        });
    }
    Some(())
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

/// Writes 7 bits per byte, lowest first.
fn write_number(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn read_number(bytes: &mut &[u8]) -> Option<u64> {
    // Most numbers take one byte.
    if let [byte @ ..0x80, rest @ ..] = *bytes {
        *bytes = rest;
        return Some(u64::from(*byte));
    }
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn read_u32(bytes: &mut &[u8]) -> Option<u32> {
    u32::try_from(read_number(bytes)?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_entry() -> impl Strategy<Value = Entry> {
        let numbers = (any::<u32>(), 0..3_u32, 0..5_u8, any::<i32>());
        let more = (0..3_u32, any::<u32>(), any::<u32>(), any::<Option<u32>>());
        (numbers, more).prop_map(
            |((era, interface, kind, began), (queue, seconds, value, elapsed))| Entry {
                era,
                interface,
                kind: EntryKind::from_number(kind).expect("a kind"),
                began: i64::from(began),
                queue,
                seconds,
                value,
                elapsed,
            },
        )
    }

    proptest! {
        #[test]
        fn decoding_returns_the_encoded_rows_in_order(mut entries in prop::collection::vec(any_entry(), 0..50)) {
            let bytes = encode(&mut entries);
            let mut decoded = Vec::new();
            prop_assert_eq!(decode(&bytes, &mut decoded), Some(()));
            prop_assert_eq!(decoded, entries);
        }

        #[test]
        fn decoding_damaged_blobs_does_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = decode(&bytes, &mut Vec::new());
        }
    }
}
