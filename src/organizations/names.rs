//! What is wrong with how queues are named, in the configuration or on the PBX.

use std::fmt;

use super::Organization;
use super::pattern::is_number_char;

/// A queue of the PBX whose name an organization can't use, or spells otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum NameProblem {
    /// The configuration spells it otherwise than the PBX.
    Spelling {
        /// The organization.
        organization: String,
        /// As the configuration has it.
        configured: String,
        /// As the PBX has it.
        listed: String,
    },
    /// A pattern includes it, and the interface can't carry its name.
    Unfit {
        /// The organization.
        organization: String,
        /// As the PBX has it.
        listed: String,
        /// A name that would do.
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
                "organization {organization}: the configuration spells queue \"{configured}\" \
                 otherwise than the PBX, which has \"{listed}\"; use the PBX's spelling"
            ),
            Self::Unfit {
                organization,
                listed,
                better,
            } => write!(
                f,
                "organization {organization}: queue {listed:?} is left out, since the interface \
                 carries only letters a-z, digits and _ . - in a queue's number; name it \
                 \"{better}\", say, in Asterisk's configuration"
            ),
        }
    }
}

impl Organization {
    /// What is wrong with the names of these queues of its PBX.
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
        let part = self.queue_name.fitting(name)?;
        let includes = self.queues.iter().any(|pattern| pattern.matches(part));
        let is_fit = |c: char| u8::try_from(c).is_ok_and(is_number_char);
        (includes && !part.chars().all(is_fit)).then(|| NameProblem::Unfit {
            organization: self.name.clone(),
            listed: name.to_owned(),
            better: self.queue_name.expand(&better(part)),
        })
    }
}

/// The part with `_` for what can't be carried; a number where nothing is left.
fn better(part: &str) -> String {
    let is_fit = |c: &char| u8::try_from(*c).is_ok_and(is_number_char);
    let better = part
        .trim()
        .chars()
        .map(|c| if is_fit(&c) { c } else { '_' });
    let better: String = better.collect();
    if better.chars().any(|c| c.is_ascii_alphanumeric()) {
        better
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
                .map(|q| Pattern::queue(q).expect("pattern"))
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
    fn another_spelling_and_names_that_can_not_be_carried_are_found() {
        let found = problems(&["support"], "{queue}", &["Support", "Sales", "Sup port"]);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("\"support\" otherwise than the PBX, which has \"Support\""));
        let found = problems(&["60*"], "ACME-{queue}", &["acme-6001", "other-6001"]);
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("\"ACME-6001\" otherwise"), "{found:?}");
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
            .filter_map(|text| text.split("name it ").nth(1))
            .collect();
        let expected = ["\"my_queue\"", "\"B_ro\"", "\"6001\"", "\"sales_hq\""];
        assert_eq!(betters.len(), expected.len(), "{found:?}");
        for (better, expected) in betters.iter().zip(expected) {
            assert!(better.starts_with(expected), "{better}");
        }
    }
}
