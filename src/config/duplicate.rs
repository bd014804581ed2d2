//! A key that stands twice in the file: both of its lines. Pure.

use toml::de::{DeArray, DeTable, DeValue, Error};

/// A key that stands twice.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Duplicate {
    pub(super) key: String,
    /// The line of the first one, from 1.
    pub(super) first: usize,
    /// The line of the second one, from 1.
    pub(super) second: usize,
}

/// The key that the parser refused because it stands twice; `None` for another error.
pub(super) fn find(text: &str, error: &Error) -> Option<Duplicate> {
    let span = error
        .span()
        .filter(|_| error.message() == "duplicate key")?;
    let key = text.get(span.clone())?.trim_matches(['"', '\'']);
    let before = &text[..span.start];
    let (tree, _) = DeTable::parse_recoverable(before);
    let mut places = Vec::new();
    of_table(tree.get_ref(), key, &mut places);
    let first = places
        .into_iter()
        .find(|place| is_first(text, place, span.start))?;
    Some(Duplicate {
        key: key.to_owned(),
        first: line(text, first.start),
        second: line(text, span.start),
    })
}

/// Several tables may have a key of that name. It is the right one if the error goes
/// once this one has another name.
fn is_first(text: &str, place: &std::ops::Range<usize>, second: usize) -> bool {
    const OTHER: &str = "ami_bridge_has_no_such_key";
    let renamed = [&text[..place.start], OTHER, &text[place.end..]].concat();
    let second = second + OTHER.len() - place.len();
    let (_, errors) = DeTable::parse_recoverable(&renamed);
    let mut spans = errors.iter().filter_map(Error::span);
    !spans.any(|span| span.start == second)
}

fn of_table(table: &DeTable<'_>, name: &str, places: &mut Vec<std::ops::Range<usize>>) {
    for (key, value) in table {
        if key.get_ref() == name {
            places.push(key.span());
        }
        of_value(value.get_ref(), name, places);
    }
}

fn of_array(array: &DeArray<'_>, name: &str, places: &mut Vec<std::ops::Range<usize>>) {
    for item in array {
        of_value(item.get_ref(), name, places);
    }
}

fn of_value(value: &DeValue<'_>, name: &str, places: &mut Vec<std::ops::Range<usize>>) {
    match value {
        DeValue::Table(table) => of_table(table, name, places),
        DeValue::Array(array) => of_array(array, name, places),
        _ => {}
    }
}

/// The line of a byte, from 1.
pub(super) fn line(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_lines_of_a_key_are_found() {
        for (text, expected) in [
            ("a = 1\nb = 2\na = 3\n", Some(("a", 1, 3))),
            ("a = 1\n\"a\" = 3\n", Some(("a", 1, 2))),
            ("[x]\n[y]\n[x]\n", Some(("x", 1, 3))),
            // The key of another table is not the first one.
            ("[x]\na = 1\n[y]\na = 1\nb = 1\na = 2\n", Some(("a", 4, 6))),
            ("[[o.u]]\nn = 1\n[[o.u]]\nn = 2\nn = 3\n", Some(("n", 4, 5))),
            ("[x]\nb = { c = 1, c = 2 }\n", Some(("c", 2, 2))),
            ("[a]\nb.c = 1\n[a.b]\nd = 1\n", Some(("b", 2, 3))),
            ("# é\na = \"é\"\na = 1\n", Some(("a", 2, 3))),
            ("a = \n", None),
            ("a = \"b\n", None),
        ] {
            let error = text.parse::<toml::Table>().expect_err(text);
            let found = find(text, &error);
            let expected = expected.map(|(key, first, second)| Duplicate {
                key: key.to_owned(),
                first,
                second,
            });
            assert_eq!(found, expected, "{text}");
        }
    }
}
