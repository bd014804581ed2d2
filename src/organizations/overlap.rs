//! Finds organizations that can reach the same queue or the same interface.
//!
//! Every overlap is found. Two patterns that are too complex to compare exactly may be
//! reported as an overlap although they have no name in common.

use super::organization::Organization;
use super::pattern::{Pattern, ends_with, starts_with};
use super::template::Template;

/// Two organizations on the same PBX that can reach the same queue or interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlap {
    /// The first organization's name.
    pub first: String,
    /// The second organization's name.
    pub second: String,
    /// A queue name or an interface that both can reach.
    pub example: String,
    /// Whether `example` is a queue name rather than an interface.
    pub is_queue: bool,
    /// Whether both organizations have `shared = true`.
    pub is_allowed: bool,
}

/// Finds the overlaps between all pairs of organizations: at most one queue and one interface per
/// pair.
#[must_use]
pub fn overlaps(organizations: &[&Organization]) -> Vec<Overlap> {
    let mut found = Vec::new();
    for (index, a) in organizations.iter().enumerate() {
        for b in &organizations[index + 1..] {
            if a.pbx != b.pbx {
                continue;
            }
            let queue = common_name(&a.queue_name, &a.queues, &b.queue_name, &b.queues);
            let (a_template, b_template) = (
                without_local_options(&a.interface),
                without_local_options(&b.interface),
            );
            let interface = common_name(
                &a_template,
                &agent_patterns(a),
                &b_template,
                &agent_patterns(b),
            );
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

/// Returns whether a number can match both patterns. A range may count as a larger set of
/// numbers.
#[must_use]
pub fn patterns_overlap(a: &Pattern, b: &Pattern) -> bool {
    match common_number(a, b) {
        Some(number) => number.is_some(),
        None => NameSet::of(a).common_name(&NameSet::of(b)).is_some(),
    }
}

fn agent_patterns(organization: &Organization) -> Vec<Pattern> {
    let any = Pattern::Glob {
        prefix: String::new(),
        suffix: String::new(),
    };
    organization.agents.clone().unwrap_or_else(|| vec![any])
}

/// Removes the options of a Local channel, such as `/n`, from an interface template. They do
/// not change who is dialed.
fn without_local_options(interface: &Template) -> Template {
    if starts_with(interface.prefix(), "Local/") {
        interface.cut_suffix_at('/')
    } else {
        interface.clone()
    }
}

/// Returns a name that both templates can produce from numbers that their patterns match.
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

/// Returns a number that both patterns match, or `Some(None)` if they have no number in common.
/// Returns `None` if neither pattern is a range, or if either is a glob.
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
            let ranges_overlap = digits == other_digits && low <= *last.min(other_last);
            Some(ranges_overlap.then(|| format!("{low:0digits$}")))
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

/// The names that a template produces from a pattern's numbers: one name, or all names with a
/// certain prefix and suffix. A range is reduced to the leading digits that all its numbers
/// share, so the set may contain names outside the range.
struct NameSet {
    prefix: String,
    suffix: String,
    /// Whether the names can have any text between the prefix and the suffix. If false, the
    /// only name is the prefix followed by the suffix.
    is_open: bool,
}

impl NameSet {
    fn new(template: &Template, pattern: &Pattern) -> Self {
        let numbers = Self::of(pattern);
        Self {
            prefix: [template.prefix(), &numbers.prefix].concat(),
            suffix: [&numbers.suffix, template.suffix()].concat(),
            is_open: numbers.is_open,
        }
    }

    /// Returns the set of the pattern's numbers.
    fn of(pattern: &Pattern) -> Self {
        let (prefix, suffix, is_open) = match pattern {
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
            prefix,
            suffix,
            is_open,
        }
    }

    fn shortest_name(&self) -> String {
        [self.prefix.as_str(), &self.suffix].concat()
    }

    /// Returns true if this set, which must be open, contains the name.
    fn contains(&self, name: &str) -> bool {
        name.len() >= self.prefix.len() + self.suffix.len()
            && starts_with(name, &self.prefix)
            && ends_with(name, &self.suffix)
    }

    /// Returns a name that both sets contain. An `…` in the name represents any text.
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

/// Returns the longer of two prefixes or suffixes, or `None` if the longer one does not begin (or
/// end) with the shorter one.
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
    fn common_name_ignores_local_channel_options() {
        for (a, b, overlaps) in [
            ("Local/{agent}@x", "Local/{agent}@x/n", true),
            ("Local/{agent}@x/n", "local/{agent}@X/nj", true),
            ("Local/{agent}@x", "Local/{agent}@y/n", false),
            ("SIP/t/{agent}", "SIP/t/{agent}", true),
        ] {
            let (a_template, a_patterns) = parse(a, &["1001-1099"]);
            let (b_template, b_patterns) = parse(b, &["1050"]);
            let shared = common_name(
                &without_local_options(&a_template),
                &a_patterns,
                &without_local_options(&b_template),
                &b_patterns,
            );
            assert_eq!(shared.is_some(), overlaps, "{a} {b}");
        }
    }

    #[test]
    fn common_name_returns_a_name_that_both_templates_produce() {
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
            let ((a_template, a_patterns), (b_template, b_patterns)) =
                (parse(a.0, a.1), parse(b.0, b.1));
            assert_eq!(
                common_name(&a_template, &a_patterns, &b_template, &b_patterns).as_deref(),
                shared,
                "{a:?} {b:?}"
            );
            assert_eq!(
                common_name(&b_template, &b_patterns, &a_template, &a_patterns).is_some(),
                shared.is_some()
            );
        }
    }
}
