//! Finds organizations that can reach the same queue or the same interface.
//!
//! Never misses an overlap. May report one that does not exist, if two patterns are too
//! complex to compare exactly.

use super::organization::Organization;
use super::pattern::{Pattern, ends_with, starts_with};
use super::template::Template;

/// Two organizations of the same PBX that can reach the same queue or interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlap {
    /// Name of the first organization.
    pub first: String,
    /// Name of the second organization.
    pub second: String,
    /// An example of a queue name or an interface that both can reach.
    pub example: String,
    /// Whether the example is a queue name; otherwise it is an interface.
    pub is_queue: bool,
    /// Whether both organizations have `shared = true`.
    pub is_allowed: bool,
}

/// Finds overlaps between organizations. Returns at most one queue and one interface per pair.
#[must_use]
pub fn overlaps(organizations: &[&Organization]) -> Vec<Overlap> {
    let mut found = Vec::new();
    for (index, a) in organizations.iter().enumerate() {
        for b in &organizations[index + 1..] {
            if a.pbx != b.pbx {
                continue;
            }
            let queue = common_name(&a.queue_name, &a.queues, &b.queue_name, &b.queues);
            let (a_template, b_template) = (dialed(&a.interface), dialed(&b.interface));
            let interface = common_name(&a_template, &agents(a), &b_template, &agents(b));
            for (example, is_queue) in [(queue, true), (interface, false)] {
                found.extend(example.map(|example| Overlap {
                    first: a.name.clone(),
                    second: b.name.clone(),
                    example,
                    is_queue,
                    is_allowed: a.shared && b.shared,
                }));
            }
        }
    }
    found
}

fn agents(organization: &Organization) -> Vec<Pattern> {
    let any = Pattern::Glob {
        prefix: String::new(),
        suffix: String::new(),
    };
    organization.agents.clone().unwrap_or_else(|| vec![any])
}

/// The template without the options of a Local channel (`/n`), which do not change the
/// dialed extension.
fn dialed(interface: &Template) -> Template {
    if starts_with(interface.prefix(), "Local/") {
        interface.cut_suffix_at('/')
    } else {
        interface.clone()
    }
}

/// Returns a name that both templates can produce from a number of their patterns.
fn common_name(
    a: &Template,
    a_patterns: &[Pattern],
    b: &Template,
    b_patterns: &[Pattern],
) -> Option<String> {
    let same_template =
        a.prefix().eq_ignore_ascii_case(b.prefix()) && a.suffix().eq_ignore_ascii_case(b.suffix());
    for x in a_patterns {
        for y in b_patterns {
            let name = if same_template && let Some(number) = common_number(x, y) {
                number.map(|number| a.expand(&number))
            } else {
                NameSet::new(a, x).common_name(&NameSet::new(b, y))
            };
            if name.is_some() {
                return name;
            }
        }
    }
    None
}

/// Compares a range with a range or a number: returns `Some` of a number that both include,
/// or `Some(None)`. Returns `None` for other patterns.
fn common_number(x: &Pattern, y: &Pattern) -> Option<Option<String>> {
    match (x, y) {
        (
            Pattern::Range {
                digits,
                first,
                last,
            },
            Pattern::Range {
                digits: other_digits,
                first: other_first,
                last: other_last,
            },
        ) => {
            let low = *first.max(other_first);
            let has_common = digits == other_digits && low <= *last.min(other_last);
            Some(has_common.then(|| format!("{low:0digits$}")))
        }
        (Pattern::Range { .. }, Pattern::Exact(number)) => {
            Some(x.matches(number).then(|| number.clone()))
        }
        (Pattern::Exact(number), Pattern::Range { .. }) => {
            Some(y.matches(number).then(|| number.clone()))
        }
        _ => None,
    }
}

/// The names that a template produces from the numbers of a pattern: one name, or all names
/// with a prefix and a suffix. For a range, it uses only the leading digits that all numbers
/// share, so the set may be larger than the range.
struct NameSet {
    prefix: String,
    suffix: String,
    /// Whether any text can follow the prefix. Otherwise the only name is the prefix and the
    /// suffix.
    is_open: bool,
}

impl NameSet {
    fn new(template: &Template, pattern: &Pattern) -> Self {
        let (before, after, is_open) = match pattern {
            Pattern::Exact(number) => (number.clone(), String::new(), false),
            Pattern::Glob { prefix, suffix } => (prefix.clone(), suffix.clone(), true),
            Pattern::Range {
                digits,
                first,
                last,
            } => {
                let (first, last) = (format!("{first:0digits$}"), format!("{last:0digits$}"));
                let shared = first.bytes().zip(last.bytes()).take_while(|(a, b)| a == b);
                (first[..shared.count()].to_owned(), String::new(), true)
            }
        };
        Self {
            prefix: [template.prefix(), &before].concat(),
            suffix: [&after, template.suffix()].concat(),
            is_open,
        }
    }

    fn shortest_name(&self) -> String {
        [self.prefix.as_str(), &self.suffix].concat()
    }

    /// Whether a set with `is_open` contains the name.
    fn contains(&self, name: &str) -> bool {
        name.len() >= self.prefix.len() + self.suffix.len()
            && starts_with(name, &self.prefix)
            && ends_with(name, &self.suffix)
    }

    /// Returns an example of a name that is in both sets.
    fn common_name(&self, other: &Self) -> Option<String> {
        match (self.is_open, other.is_open) {
            (false, false) => {
                let (a, b) = (self.shortest_name(), other.shortest_name());
                a.eq_ignore_ascii_case(&b).then_some(a)
            }
            (false, true) => Some(self.shortest_name()).filter(|name| other.contains(name)),
            (true, false) => Some(other.shortest_name()).filter(|name| self.contains(name)),
            (true, true) => {
                let prefix = longer(&self.prefix, &other.prefix, starts_with)?;
                let suffix = longer(&self.suffix, &other.suffix, ends_with)?;
                Some([prefix, "…", suffix].concat())
            }
        }
    }
}

/// Returns the longer of two prefixes or suffixes; `None` if it does not include the shorter.
fn longer<'a>(a: &'a str, b: &'a str, includes: fn(&str, &str) -> bool) -> Option<&'a str> {
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    includes(long, short).then_some(long)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(template: &str, patterns: &[&str]) -> (Template, Vec<Pattern>) {
        let patterns = patterns.iter().map(|p| Pattern::parse_agent(p).expect(p));
        let template = Template::new(template, "agent").expect(template);
        (template, patterns.collect())
    }

    #[test]
    fn common_name_ignores_options_of_a_local_channel() {
        for (a, b, same) in [
            ("Local/{agent}@x", "Local/{agent}@x/n", true),
            ("Local/{agent}@x/n", "local/{agent}@X/nj", true),
            ("Local/{agent}@x", "Local/{agent}@y/n", false),
            ("SIP/t/{agent}", "SIP/t/{agent}", true),
        ] {
            let (at, ap) = parse(a, &["1001-1099"]);
            let (bt, bp) = parse(b, &["1050"]);
            let shared = common_name(&dialed(&at), &ap, &dialed(&bt), &bp);
            assert_eq!(shared.is_some(), same, "{a} {b}");
        }
    }

    #[test]
    fn common_name_returns_an_example_of_an_overlap() {
        for (a, b, shared) in [
            (("{agent}", &["6001"][..]), ("{agent}", &["6002"][..]), None),
            (("{agent}", &["6001"]), ("{agent}", &["60*"]), Some("6001")),
            (
                ("{agent}", &["sales"]),
                ("{agent}", &["SALES"]),
                Some("sales"),
            ),
            (("a-{agent}", &["*"]), ("b-{agent}", &["*"]), None),
            (("{agent}", &["*"]), ("b-{agent}", &["*"]), Some("b-…")),
            (
                ("a-{agent}", &["*"]),
                ("a-b-{agent}", &["1"]),
                Some("a-b-1"),
            ),
            (
                ("P/{agent}", &["1001-1099"]),
                ("P/{agent}", &["1100-1199"]),
                None,
            ),
            (
                ("P/{agent}", &["1001-1099"]),
                ("P/{agent}", &["1099-1199"]),
                Some("P/1099"),
            ),
            (
                ("P/{agent}", &["1001-1099"]),
                ("P/{agent}", &["1100"]),
                None,
            ),
            (
                ("P/{agent}", &["1001-1099"]),
                ("p/{agent}", &["1050"]),
                Some("P/1050"),
            ),
            (
                ("P/{agent}", &["1001-1099"]),
                ("P/1{agent}", &["001"]),
                Some("P/1001"),
            ),
            (("P/{agent}@a", &["*"]), ("P/{agent}@b", &["*"]), None),
        ] {
            let ((at, ap), (bt, bp)) = (parse(a.0, a.1), parse(b.0, b.1));
            assert_eq!(
                common_name(&at, &ap, &bt, &bp).as_deref(),
                shared,
                "{a:?} {b:?}"
            );
            assert_eq!(common_name(&bt, &bp, &at, &ap).is_some(), shared.is_some());
        }
    }
}
