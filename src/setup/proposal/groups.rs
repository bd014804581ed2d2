//! Divides queue names by their prefixes: `acme-6001` and `globex-6001` probably belong to two
//! organizations.

use std::collections::BTreeMap;

/// Queues whose names have the same prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::setup) struct Group {
    /// The prefix with its separator, such as `acme-`; empty for queues without a prefix.
    pub(in crate::setup) prefix: String,
    /// The names of the queues, with their prefix.
    pub(in crate::setup) queues: Vec<String>,
}

impl Group {
    /// Returns the name of the organization that the prefix suggests; empty without a prefix.
    pub(in crate::setup) fn suggested_name(&self) -> String {
        let name = self.prefix.trim_end_matches(['-', '_', '.']);
        let valid = name.chars().map(|c| match c {
            c if c.is_ascii_alphanumeric() || "_-".contains(c) => c.to_ascii_lowercase(),
            _ => '-',
        });
        valid.collect()
    }
}

/// Returns whether a name has the prefix, followed by at least one character. Ignores case, as
/// Asterisk does.
pub(super) fn has_prefix(name: &str, prefix: &str) -> bool {
    let start = name.get(..prefix.len());
    name.len() > prefix.len() && start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// Divides the queue names into groups, ordered by prefix. Names whose prefix does not look like
/// an organization form a group without a prefix.
pub(super) fn divide(names: &[&str]) -> Vec<Group> {
    let mut by_prefix: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for name in names {
        let prefix = prefix(name).to_ascii_lowercase();
        by_prefix.entry(prefix).or_default().push(name);
    }
    let rests = rests(&by_prefix);
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (prefix, names) in &by_prefix {
        let key = match looks_like_organization(prefix, names, &rests) {
            true => most_frequent_spelling(prefix.len(), names),
            false => String::new(),
        };
        let group = groups.entry(key).or_default();
        group.extend(names.iter().map(ToString::to_string));
    }
    let groups = groups.into_iter();
    groups
        .map(|(prefix, queues)| Group { prefix, queues })
        .collect()
}

/// Returns the text up to and including the first separator. Returns an empty text if the name
/// has no separator, if nothing follows it, or if no letter precedes it.
fn prefix(name: &str) -> &str {
    let Some(separator) = name.find(['-', '_', '.']) else {
        return "";
    };
    let (prefix, rest) = name.split_at(separator + 1);
    let is_prefix = !rest.is_empty() && prefix.bytes().any(|b| b.is_ascii_alphabetic());
    if is_prefix { prefix } else { "" }
}

/// Counts the prefixes after which each rest of a name occurs.
fn rests(by_prefix: &BTreeMap<String, Vec<&str>>) -> BTreeMap<String, usize> {
    let mut rests = BTreeMap::new();
    for (prefix, names) in by_prefix.iter().filter(|(prefix, _)| !prefix.is_empty()) {
        for name in names {
            *rests.entry(rest(name, prefix)).or_default() += 1;
        }
    }
    rests
}

fn rest(name: &str, prefix: &str) -> String {
    name[prefix.len()..].to_ascii_lowercase()
}

/// A prefix looks like an organization if numbers follow it in most names, or if the same text
/// follows another prefix too. `sales-de` alone is just a name.
fn looks_like_organization(prefix: &str, names: &[&str], rests: &BTreeMap<String, usize>) -> bool {
    let starts_with_digit =
        |name: &&&str| rest(name, prefix).starts_with(|c: char| c.is_ascii_digit());
    let numbered = names.iter().filter(starts_with_digit).count();
    let is_shared = |name: &&str| {
        rests
            .get(&rest(name, prefix))
            .is_some_and(|count| *count > 1)
    };
    !prefix.is_empty() && (numbered * 2 > names.len() || names.iter().any(is_shared))
}

fn most_frequent_spelling(length: usize, names: &[&str]) -> String {
    let mut spellings: BTreeMap<&str, usize> = BTreeMap::new();
    for name in names {
        *spellings.entry(&name[..length]).or_default() += 1;
    }
    let most_frequent = spellings.into_iter().max_by_key(|(_, count)| *count);
    most_frequent
        .map(|(spelling, _)| spelling.to_owned())
        .unwrap_or_default()
}
