//! Deserializes every valid value, and reports every invalid one.

use config::{Value, ValueKind};
use serde::Deserialize;

use super::file::File;
use super::mistake::Mistakes;

/// Deserializes the tree. serde stops at the first error, so each invalid value is removed and
/// deserialization is repeated. One mistake thus does not hide the rest.
pub(super) fn deserialize(mut tree: Value, mistakes: &mut Mistakes) -> File {
    loop {
        let mut track = serde_path_to_error::Track::new();
        let deserializer = serde_path_to_error::Deserializer::new(tree.clone(), &mut track);
        let error = match File::deserialize(deserializer) {
            Ok(file) => return file,
            Err(error) => error,
        };
        let path: Vec<String> = track.path().iter().map(ToString::to_string).collect();
        mistakes.add(join(&path), describe(&error));
        if !remove(&mut tree, &path) {
            return File::default();
        }
    }
}

/// Joins path segments into a key such as `organization.acme.user[0].password`. An index
/// segment already has its brackets: `[0]`.
fn join(path: &[String]) -> String {
    let mut key = String::new();
    for segment in path {
        if !key.is_empty() && !segment.starts_with('[') {
            key.push('.');
        }
        key += segment;
    }
    key
}

/// Describes the expected value or key. serde's message also quotes the actual value, which
/// may be a secret, so only the text after "expected" is used.
fn describe(error: &config::ConfigError) -> String {
    let text = error.to_string();
    if text.contains("unknown field") {
        let known = text.split_once("expected").map_or("", |(_, known)| known);
        let known = known.split(" for key").next().unwrap_or_default();
        let known = known.replace("one of", "").replace('`', "");
        return format!("unknown key; valid keys: {}", known.trim());
    }
    match text.rsplit_once("expected ") {
        Some((_, expected)) => {
            let expected = expected.split(" for key").next().unwrap_or(expected);
            let expected = expected.split(" in ").next().unwrap_or(expected);
            match expected.trim() {
                "a map" => "must be a table: [NAME]".to_owned(),
                "a sequence" => "must be a list of tables: [[…]] with double brackets".to_owned(),
                expected => format!("must be {expected}"),
            }
        }
        None => "has the wrong type".to_owned(),
    }
}

/// Removes the value at `path`. Returns false if there is no value.
fn remove(tree: &mut Value, path: &[String]) -> bool {
    let Some((last, parents)) = path.split_last() else {
        return false;
    };
    let mut node = tree;
    for segment in parents {
        let next = match &mut node.kind {
            ValueKind::Table(table) => table.get_mut(segment),
            ValueKind::Array(items) => parse_index(segment).and_then(|index| items.get_mut(index)),
            _ => None,
        };
        let Some(next) = next else {
            return false;
        };
        node = next;
    }
    match &mut node.kind {
        ValueKind::Table(table) => table.remove(last).is_some(),
        ValueKind::Array(items) => match parse_index(last) {
            Some(index) if index < items.len() => {
                items.remove(index);
                true
            }
            _ => false,
        },
        _ => false,
    }
}

/// Parses an index segment, such as `[3]`.
fn parse_index(segment: &str) -> Option<usize> {
    segment.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}
