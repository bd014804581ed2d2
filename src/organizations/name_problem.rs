//! Finds queue names that an organization can't use, or that its configuration spells
//! differently.

use std::fmt;

use super::organization::Organization;
use super::pattern::is_number_char;

/// A problem with a queue name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum NameProblem {
    /// The configured name and the name on the PBX differ in case.
    Spelling {
        /// The organization's name.
        organization: String,
        /// The queue's name as configured.
        configured: String,
        /// The queue's name as the PBX lists it.
        listed: String,
    },
    /// A pattern includes the queue, but its name has characters that a queue number can't
    /// have.
    InvalidCharacters {
        /// The organization's name.
        organization: String,
        /// The queue's name as the PBX lists it.
        listed: String,
        /// A valid name for the queue.
        suggestion: String,
    },
}

impl fmt::Display for NameProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spelling {
                organization,
                configured,
                listed,
            } => write!(
                f,
                "organization {organization}: the configured queue \"{configured}\" is \
                 \"{listed}\" on the PBX; use the PBX's spelling"
            ),
            Self::InvalidCharacters {
                organization,
                listed,
                suggestion,
            } => write!(
                f,
                "organization {organization}: queue {listed:?} is ignored, because a queue number \
                 can only have letters a-z, digits and _ . -; rename the queue in Asterisk's \
                 configuration, for example to \"{suggestion}\""
            ),
        }
    }
}

impl Organization {
    /// Returns the problems with `names`, which are queue names on the organization's PBX.
    #[must_use]
    pub fn name_problems<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Vec<NameProblem> {
        let problems = names.into_iter().filter_map(|name| self.name_problem(name));
        problems.collect()
    }

    fn name_problem(&self, name: &str) -> Option<NameProblem> {
        if let Some(number) = self.queue_number(name) {
            let configured = self.queue_name.expand(&number);
            return (configured != name).then(|| NameProblem::Spelling {
                organization: self.name.clone(),
                configured,
                listed: name.to_owned(),
            });
        }
        let text = self.queue_name.text_at_placeholder(name)?;
        let is_included = self.queues.iter().any(|pattern| pattern.matches(text));
        (is_included && !text.chars().all(is_valid_char)).then(|| NameProblem::InvalidCharacters {
            organization: self.name.clone(),
            listed: name.to_owned(),
            suggestion: self.queue_name.expand(&suggest_number(text)),
        })
    }
}

fn is_valid_char(c: char) -> bool {
    u8::try_from(c).is_ok_and(is_number_char)
}

/// Replaces invalid characters with `_`. Returns an example number if no letter or digit
/// remains.
fn suggest_number(text: &str) -> String {
    let replaced = text
        .trim()
        .chars()
        .map(|c| if is_valid_char(c) { c } else { '_' });
    let replaced: String = replaced.collect();
    if replaced.chars().any(|c| c.is_ascii_alphanumeric()) {
        replaced
    } else {
        "6001".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(queues: &[&str], queue_name: &str, names: &[&str]) -> Vec<String> {
        let problems =
            Organization::for_test(queues, queue_name).name_problems(names.iter().copied());
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn name_problems_reports_spellings_and_invalid_characters() {
        let reported = problems(&["support"], "{queue}", &["Support", "Sales", "Sup port"]);
        assert_eq!(reported.len(), 1);
        assert!(reported[0].contains("configured queue \"support\" is \"Support\" on the PBX"));
        let reported = problems(&["60*"], "ACME-{queue}", &["acme-6001", "other-6001"]);
        assert_eq!(reported.len(), 1);
        assert!(
            reported[0].contains("configured queue \"ACME-6001\" is"),
            "{reported:?}"
        );
        let names = [
            "my queue",
            "Verkauf",
            "Büro",
            "תמיכה",
            "a-b.c_d",
            "sales@hq",
        ];
        let reported = problems(&["*"], "{queue}", &names);
        let suggestions: Vec<_> = reported
            .iter()
            .filter_map(|text| text.split("for example to ").nth(1))
            .collect();
        let expected = ["\"my_queue\"", "\"B_ro\"", "\"6001\"", "\"sales_hq\""];
        assert_eq!(suggestions.len(), expected.len(), "{reported:?}");
        for (suggestion, expected) in suggestions.iter().zip(expected) {
            assert!(suggestion.starts_with(expected), "{suggestion}");
        }
    }
}
