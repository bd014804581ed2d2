//! Which organizations could reach the same queue or the same agent.
//!
//! Errs on the side of "could": what can't be told apart counts as an overlap.

use super::Organization;
use super::pattern::{Pattern, ends_with, starts_with};
use super::template::Template;

/// Two organizations of one PBX that could reach the same thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlap {
    /// The one.
    pub first: String,
    /// The other.
    pub second: String,
    /// What both could reach: an example of a queue's name or an interface.
    pub example: String,
    /// Whether it is a queue; else it is an agent's interface.
    pub is_queue: bool,
    /// Whether both are configured to share.
    pub intended: bool,
}

/// Finds the overlaps among organizations.
#[must_use]
pub fn overlaps(organizations: &[&Organization]) -> Vec<Overlap> {
    let mut found = Vec::new();
    for (place, a) in organizations.iter().enumerate() {
        for b in &organizations[place + 1..] {
            if a.pbx != b.pbx {
                continue;
            }
            let any = [Pattern::Glob {
                prefix: String::new(),
                suffix: String::new(),
            }];
            let agents = |o: &Organization| o.agents.clone().unwrap_or_else(|| any.to_vec());
            let queue = common(&a.queue_name, &a.queues, &b.queue_name, &b.queues);
            let (a_interface, b_interface) = (rung(&a.interface), rung(&b.interface));
            let agent = common(&a_interface, &agents(a), &b_interface, &agents(b));
            for (example, is_queue) in [(queue, true), (agent, false)] {
                found.extend(example.map(|example| Overlap {
                    first: a.name.clone(),
                    second: b.name.clone(),
                    example,
                    is_queue,
                    intended: a.shared && b.shared,
                }));
            }
        }
    }
    found
}

/// What an interface rings: the options of a Local channel (`/n`) make no
/// difference to that.
fn rung(interface: &Template) -> Template {
    if starts_with(interface.prefix(), "Local/") {
        interface.up_to('/')
    } else {
        interface.clone()
    }
}

/// A name that both templates make of their patterns.
fn common(a: &Template, a_items: &[Pattern], b: &Template, b_items: &[Pattern]) -> Option<String> {
    let same_template =
        a.prefix().eq_ignore_ascii_case(b.prefix()) && a.suffix().eq_ignore_ascii_case(b.suffix());
    for x in a_items {
        for y in b_items {
            let shared = if same_template && let Some(number) = common_range(x, y) {
                number.map(|number| a.expand(&number))
            } else {
                Names::of(a, x).meet(&Names::of(b, y))
            };
            if shared.is_some() {
                return shared;
            }
        }
    }
    None
}

/// For two ranges, or a range and a number, exactly: `Some` of what they share.
/// `None` where the two are not of that kind.
fn common_range(x: &Pattern, y: &Pattern) -> Option<Option<String>> {
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
            let meets = digits == other_digits && low <= *last.min(other_last);
            Some(meets.then(|| format!("{low:0digits$}")))
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

/// The names that a template makes of a pattern: one, or all with that
/// beginning and end.
struct Names {
    prefix: String,
    suffix: String,
    open: bool,
}

impl Names {
    fn of(template: &Template, pattern: &Pattern) -> Self {
        let (before, behind, open) = match pattern {
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
            suffix: [&behind, template.suffix()].concat(),
            open,
        }
    }

    /// An example of a name that is among both.
    fn meet(&self, other: &Self) -> Option<String> {
        let full = |names: &Self| [names.prefix.as_str(), &names.suffix].concat();
        let covers = |names: &Self, name: &str| {
            name.len() >= names.prefix.len() + names.suffix.len()
                && starts_with(name, &names.prefix)
                && ends_with(name, &names.suffix)
        };
        match (self.open, other.open) {
            (false, false) => {
                let (a, b) = (full(self), full(other));
                a.eq_ignore_ascii_case(&b).then_some(a)
            }
            (false, true) => Some(full(self)).filter(|name| covers(other, name)),
            (true, false) => Some(full(other)).filter(|name| covers(self, name)),
            (true, true) => {
                let prefix = longer(&self.prefix, &other.prefix, starts_with)?;
                let suffix = longer(&self.suffix, &other.suffix, ends_with)?;
                Some([prefix, "…", suffix].concat())
            }
        }
    }
}

/// The longer one, where it begins (or ends) with the other.
fn longer<'a>(a: &'a str, b: &'a str, fits: fn(&str, &str) -> bool) -> Option<&'a str> {
    let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    fits(long, short).then_some(long)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(template: &str, patterns: &[&str]) -> (Template, Vec<Pattern>) {
        let patterns = patterns.iter().map(|p| Pattern::agent(p).expect(p));
        let template = Template::new(template, "agent").expect(template);
        (template, patterns.collect())
    }

    #[test]
    fn options_of_a_local_channel_set_nothing_apart() {
        for (a, b, same) in [
            ("Local/{agent}@x", "Local/{agent}@x/n", true),
            ("Local/{agent}@x/n", "local/{agent}@X/nj", true),
            ("Local/{agent}@x", "Local/{agent}@y/n", false),
            ("SIP/t/{agent}", "SIP/t/{agent}", true),
        ] {
            let (at, ap) = reach(a, &["1001-1099"]);
            let (bt, bp) = reach(b, &["1050"]);
            let shared = common(&rung(&at), &ap, &rung(&bt), &bp);
            assert_eq!(shared.is_some(), same, "{a} {b}");
        }
    }

    #[test]
    fn what_two_organizations_share_is_found() {
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
            let ((at, ap), (bt, bp)) = (reach(a.0, a.1), reach(b.0, b.1));
            assert_eq!(common(&at, &ap, &bt, &bp).as_deref(), shared, "{a:?} {b:?}");
            assert_eq!(common(&bt, &bp, &at, &ap).is_some(), shared.is_some());
        }
    }
}
