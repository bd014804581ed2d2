//! Finds the two lines on which a duplicate key appears. Does no IO.

use std::ops::Range;

use toml::de::{DeArray, DeTable, DeValue, Error};

/// A key that appears twice in a table.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DuplicateKey {
    pub(super) key: String,
    /// Line number of the first occurrence, starting at 1.
    pub(super) first: usize,
    /// Line number of the second occurrence, starting at 1.
    pub(super) second: usize,
}

/// Returns the duplicate key that the parser reported, or `None` if `error` is a different
/// error. The parser reports only the second occurrence.
pub(super) fn find(text: &str, error: &Error) -> Option<DuplicateKey> {
    let span = error
        .span()
        .filter(|_| error.message() == "duplicate key")?;
    let key = text.get(span.clone())?.trim_matches(['"', '\'']);
    let before = &text[..span.start];
    let (tree, _) = DeTable::parse_recoverable(before);
    let mut candidates = Vec::new();
    collect_from_table(tree.get_ref(), key, &mut candidates);
    let first = candidates
        .into_iter()
        .find(|candidate| is_first_occurrence(text, candidate, span.start))?;
    Some(DuplicateKey {
        key: key.to_owned(),
        first: line_number(text, first.start),
        second: line_number(text, span.start),
    })
}

/// Returns true if the key at `candidate` is the first occurrence of the duplicate key at
/// `second`. Several tables may have a key with the same name. The candidate is the first
/// occurrence if renaming it makes the error disappear.
fn is_first_occurrence(text: &str, candidate: &Range<usize>, second: usize) -> bool {
    const UNUSED_KEY: &str = "ami_bridge_has_no_such_key";
    let renamed = [&text[..candidate.start], UNUSED_KEY, &text[candidate.end..]].concat();
    let second = second + UNUSED_KEY.len() - candidate.len();
    let (_, errors) = DeTable::parse_recoverable(&renamed);
    let mut spans = errors.iter().filter_map(Error::span);
    !spans.any(|span| span.start == second)
}

fn collect_from_table(table: &DeTable<'_>, name: &str, spans: &mut Vec<Range<usize>>) {
    for (key, value) in table {
        if key.get_ref() == name {
            spans.push(key.span());
        }
        collect_from_value(value.get_ref(), name, spans);
    }
}

fn collect_from_array(array: &DeArray<'_>, name: &str, spans: &mut Vec<Range<usize>>) {
    for item in array {
        collect_from_value(item.get_ref(), name, spans);
    }
}

fn collect_from_value(value: &DeValue<'_>, name: &str, spans: &mut Vec<Range<usize>>) {
    match value {
        DeValue::Table(table) => collect_from_table(table, name, spans),
        DeValue::Array(array) => collect_from_array(array, name, spans),
        _ => {}
    }
}

/// Returns the line number at a byte offset, starting at 1.
pub(super) fn line_number(text: &str, offset: usize) -> usize {
    text[..offset].matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn find_returns_both_lines_of_a_duplicate_key() {
        for (text, expected) in [
            ("a = 1\nb = 2\na = 3\n", Some(("a", 1, 3))),
            ("a = 1\n\"a\" = 3\n", Some(("a", 1, 2))),
            ("[x]\n[y]\n[x]\n", Some(("x", 1, 3))),
            // Only a key in the same table counts as the first occurrence.
            ("[x]\na = 1\n[y]\na = 1\nb = 1\na = 2\n", Some(("a", 4, 6))),
            ("[[o.u]]\nn = 1\n[[o.u]]\nn = 2\nn = 3\n", Some(("n", 4, 5))),
            ("[x]\nb = { c = 1, c = 2 }\n", Some(("c", 2, 2))),
            ("[a]\nb.c = 1\n[a.b]\nd = 1\n", Some(("b", 2, 3))),
            ("# é\na = \"é\"\na = 1\n", Some(("a", 2, 3))),
            ("a = \n", None),
            ("a = \"b\n", None),
        ] {
            let error = text.parse::<toml::Table>().expect_err(text);
            let duplicate = find(text, &error);
            let expected = expected.map(|(key, first, second)| DuplicateKey {
                key: key.to_owned(),
                first,
                second,
            });
            assert_eq!(duplicate, expected, "{text}");
        }
    }
}
