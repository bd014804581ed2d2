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

/// Returns the queues whose names begin with the name of an organization, followed by a separator
/// or by a digit. Of several such prefixes, returns the queues with the most frequent one.
pub(super) fn of_name(organization: &str, names: &[&str]) -> Option<Group> {
    let mut by_prefix: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for name in names.iter().filter(|name| has_prefix(name, organization)) {
        let end = match name.as_bytes()[organization.len()] {
            b'-' | b'_' | b'.' => organization.len() + 1,
            byte if byte.is_ascii_digit() => organization.len(),
            _ => continue,
        };
        if name.len() > end {
            by_prefix.entry(&name[..end]).or_default().push(name);
        }
    }
    let (prefix, _) = by_prefix.iter().max_by_key(|(_, names)| names.len())?;
    let names = names.iter().filter(|name| has_prefix(name, prefix));
    Some(Group {
        prefix: (*prefix).to_owned(),
        queues: names.map(ToString::to_string).collect(),
    })
}

/// Leaves each queue only in the group with the longest prefix.
pub(in crate::setup) fn separate(groups: &mut [Group]) {
    let all = groups.to_vec();
    for group in groups {
        let longer = all.iter();
        let longer: Vec<&Group> = longer
            .filter(|other| other.prefix.len() > group.prefix.len())
            .collect();
        group
            .queues
            .retain(|queue| !longer.iter().any(|other| other.queues.contains(queue)));
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
    let by_prefix = split_nested(by_prefix);
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

/// Separates names such as `acme-west-6001` from names such as `acme-6001`. If a number follows a
/// prefix in some names, a longer prefix before numbers is probably another organization's.
fn split_nested(by_prefix: BTreeMap<String, Vec<&str>>) -> BTreeMap<String, Vec<&str>> {
    let mut split: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (prefix, names) in by_prefix {
        let is_numbered = |name: &&str| starts_with_digit(&name[prefix.len()..]);
        let has_numbers = !prefix.is_empty() && names.iter().any(is_numbered);
        for name in names {
            let own = match has_numbers {
                true => longer_prefix(name, prefix.len()).to_ascii_lowercase(),
                false => prefix.clone(),
            };
            split.entry(own).or_default().push(name);
        }
    }
    split
}

/// Returns the text up to the last separator before a digit, if it is longer than `length` and a
/// letter follows the shorter prefix. Else returns the shorter prefix.
fn longer_prefix(name: &str, length: usize) -> &str {
    let rest = &name[length..];
    let mut separators = rest.rmatch_indices(['-', '_', '.']);
    let last = separators.find(|(position, _)| starts_with_digit(&rest[position + 1..]));
    match last {
        Some((position, _)) if rest.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            &name[..=length + position]
        }
        _ => &name[..length],
    }
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
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
    let is_numbered = |name: &&&str| starts_with_digit(&name[prefix.len()..]);
    let numbered = names.iter().filter(is_numbered).count();
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
