//! Writes lists of queue numbers and phone numbers as patterns.

use std::collections::BTreeSet;

/// The longest phone number that is an internal number. Longer numbers are external, so no range
/// may contain their neighbors.
const MAX_INTERNAL_DIGITS: usize = 5;

/// The largest number that [`MAX_INTERNAL_DIGITS`] allows, and therefore the last one of the
/// last range.
const MAX_INTERNAL_NUMBER: u64 = 99_999;

/// Numbers in a row that are written as a range. Fewer numbers are written one by one.
const MIN_RUN: usize = 3;

/// Returns patterns that match `included` and none of `excluded`: `*` if nothing is excluded, else
/// patterns such as `6*`, else the numbers themselves. If there is no queue yet, returns `*`.
pub(super) fn for_queues(included: &[String], excluded: &[String]) -> Vec<String> {
    if included.is_empty() || excluded.is_empty() {
        return vec!["*".to_owned()];
    }
    let initial = |number: &String| number.chars().next().map(|c| c.to_ascii_lowercase());
    let initials: BTreeSet<_> = included.iter().filter_map(initial).collect();
    let is_digit = |initial: &char| initial.is_ascii_digit();
    let is_excluded = |number: &String| initial(number).is_some_and(|c| initials.contains(&c));
    if initials.iter().all(is_digit) && !excluded.iter().any(is_excluded) {
        return initials
            .iter()
            .map(|initial| format!("{initial}*"))
            .collect();
    }
    included.to_vec()
}

/// Returns patterns that match all numbers, and the other numbers of the same hundreds, so that
/// the next colleague's phone is included.
pub(super) fn for_agents(numbers: &BTreeSet<String>) -> Vec<String> {
    let mut ranges: BTreeSet<(usize, u64, u64)> = BTreeSet::new();
    let mut others = Vec::new();
    for number in numbers {
        match internal_number(number) {
            Some((digits, value)) => {
                let size = if digits > 2 { 100 } else { 10 };
                let first = value / size * size;
                ranges.insert((digits, first, first + size - 1));
            }
            None => others.push(number.clone()),
        }
    }
    let mut patterns = joined(ranges);
    patterns.extend(others);
    patterns
}

/// Returns patterns that match exactly these numbers.
pub(super) fn for_exact_agents(numbers: &BTreeSet<String>) -> Vec<String> {
    let internal = numbers.iter().filter_map(|number| internal_number(number));
    let ranges = internal
        .map(|(digits, value)| (digits, value, value))
        .collect();
    let mut patterns = joined(ranges);
    let others = numbers
        .iter()
        .filter(|number| internal_number(number).is_none());
    patterns.extend(others.cloned());
    patterns
}

/// Returns the number of digits and the value of an internal phone number.
fn internal_number(number: &str) -> Option<(usize, u64)> {
    let is_internal = (2..=MAX_INTERNAL_DIGITS).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit());
    let value = number
        .parse()
        .ok()
        .filter(|value| *value <= MAX_INTERNAL_NUMBER)?;
    is_internal.then_some((number.len(), value))
}

/// Joins adjacent ranges of numbers with equally many digits.
fn joined(ranges: BTreeSet<(usize, u64, u64)>) -> Vec<String> {
    let mut joined: Vec<(usize, u64, u64)> = Vec::new();
    for (digits, first, last) in ranges {
        match joined.last_mut() {
            Some((d, _, end)) if *d == digits && *end + 1 == first => *end = last,
            _ => joined.push((digits, first, last)),
        }
    }
    let texts = joined.into_iter().flat_map(|(digits, first, last)| {
        if last - first + 1 < MIN_RUN as u64 {
            (first..=last).map(|n| format!("{n:0digits$}")).collect()
        } else {
            vec![format!("{first:0digits$}-{last:0digits$}")]
        }
    });
    texts.collect()
}
