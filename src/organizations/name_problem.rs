//! Finds queues whose name an organization can't use or spells differently.

use std::fmt;

use super::organization::Organization;
use super::pattern::is_number_char;

/// A problem with a queue name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum NameProblem {
    /// The configured name and the PBX's name differ in case.
    Spelling {
        /// Name of the organization.
        organization: String,
        /// The queue's name as configured.
        configured: String,
        /// The queue's name as the PBX lists it.
        listed: String,
    },
    /// A pattern includes the queue, but its number would have characters that a queue number
    /// can't have.
    Unfit {
        /// Name of the organization.
        organization: String,
        /// The queue's name as the PBX lists it.
        listed: String,
        /// A name that would work.
        better: String,
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
                "organization {organization}: queue \"{configured}\" of the configuration is \
                 \"{listed}\" on the PBX; use the PBX's spelling"
            ),
            Self::Unfit {
                organization,
                listed,
                better,
            } => write!(
                f,
                "organization {organization}: queue {listed:?} is ignored, because a queue number \
                 can only have letters a-z, digits and _ . -; rename the queue in Asterisk's \
                 configuration, for example to \"{better}\""
            ),
        }
    }
}

impl Organization {
    /// Returns the problems with `names`, the queue names on the organization's PBX.
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
        (is_included && !text.chars().all(is_valid)).then(|| NameProblem::Unfit {
            organization: self.name.clone(),
            listed: name.to_owned(),
            better: self.queue_name.expand(&suggest_number(text)),
        })
    }
}

fn is_valid(c: char) -> bool {
    u8::try_from(c).is_ok_and(is_number_char)
}

/// Replaces invalid characters with `_`. Suggests a number if no readable
/// character remains.
fn suggest_number(text: &str) -> String {
    let replaced = text
        .trim()
        .chars()
        .map(|c| if is_valid(c) { c } else { '_' });
    let replaced: String = replaced.collect();
    if replaced.chars().any(|c| c.is_ascii_alphanumeric()) {
        replaced
    } else {
        "6001".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Pattern, Template};
    use super::*;

    fn organization(queues: &[&str], queue_name: &str) -> Organization {
        Organization {
            name: "acme".into(),
            pbx: "main".into(),
            queues: queues
                .iter()
                .map(|q| Pattern::parse_queue(q).expect("pattern"))
                .collect(),
            queue_name: Template::new(queue_name, "queue").expect("template"),
            agents: None,
            interface: Template::new("PJSIP/{agent}", "agent").expect("template"),
            state_interface: None,
            shared: false,
        }
    }

    fn problems(queues: &[&str], queue_name: &str, names: &[&str]) -> Vec<String> {
        let problems = organization(queues, queue_name).name_problems(names.iter().copied());
        problems.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn name_problems_finds_other_spellings_and_invalid_numbers() {
        let found = problems(&["support"], "{queue}", &["Support", "Sales", "Sup port"]);
        assert_eq!(found.len(), 1);
        assert!(
            found[0].contains("queue \"support\" of the configuration is \"Support\" on the PBX")
        );
        let found = problems(&["60*"], "ACME-{queue}", &["acme-6001", "other-6001"]);
        assert_eq!(found.len(), 1);
        assert!(
            found[0].contains("\"ACME-6001\" of the configuration is"),
            "{found:?}"
        );
        let names = [
            "my queue",
            "Verkauf",
            "Büro",
            "תמיכה",
            "a-b.c_d",
            "sales@hq",
        ];
        let found = problems(&["*"], "{queue}", &names);
        let betters: Vec<_> = found
            .iter()
            .filter_map(|text| text.split("for example to ").nth(1))
            .collect();
        let expected = ["\"my_queue\"", "\"B_ro\"", "\"6001\"", "\"sales_hq\""];
        assert_eq!(betters.len(), expected.len(), "{found:?}");
        for (better, expected) in betters.iter().zip(expected) {
            assert!(better.starts_with(expected), "{better}");
        }
    }
}
