//! The questions that setup asks, and the flags that answer them in advance.
//!
//! Every function of [`super::questions::Questions`] takes a [`Question`], so setup can't ask
//! anything that is not in this list. A test compares the list with the command line and with
//! `docs/SETUP.md`.

/// Declares the questions, each with its text and its flags.
macro_rules! questions {
    ($($name:ident: $text:literal, $flags:expr;)+) => {
        /// A question.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Question { $($name,)+ }

        impl Question {
            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$name,)+];

            /// Returns the question as the operator reads it.
            pub(super) fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// Returns the flags that answer the question in advance.
            pub(super) fn flags(self) -> &'static [&'static str] {
                match self { $(Self::$name => &$flags,)+ }
            }
        }
    };
}

questions! {
    UserExists: "Does this AMI user exist already?", ["--ami-secret-file"];
    Secret: "Secret of the AMI user (not shown)", ["--ami-secret-file"];
    AddUser: "Add these lines and reload Asterisk's manager?", ["--yes", "--print-ami-user"];
    LinesAdded: "Press Enter when that is done, to try the login", ["--yes"];
    OrganizationName: "Name of the organization", ["--organization"];
    Organizations: "Organizations", ["--organization"];
    Interface: "Interface, such as PJSIP/{agent}", ["--interface"];
    Agents: "Phone numbers of the agents, such as 1001-1099", ["--agents"];
    AcceptProposal: "Is that right?", ["--yes"];
    Queues: "Queue numbers, such as 6001,60*", ["--queues"];
    QueueName: "Name of a queue on the PBX", ["--queue-name"];
    StateInterface: "State interface (none: the interface itself)", ["--state-interface"];
    Username: "Username", ["--username"];
    Share: "May both organizations act on them?", ["--shared"];
    Write: "Write this file, and the secret to pbx-main.secret?", ["--yes", "--dry-run"];
    Start: "Start the bridge now?", ["--start"];
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    const DOCUMENT: &str = include_str!("../../docs/SETUP.md");

    /// Returns the flags of `setup`.
    fn flags() -> Vec<String> {
        let cli = Cli::command();
        let setup = cli.find_subcommand("setup").expect("a subcommand");
        let arguments = setup
            .get_arguments()
            .filter(|argument| !argument.is_global_set());
        let names = arguments.filter_map(clap::Arg::get_long);
        names.map(|name| format!("--{name}")).collect()
    }

    /// Returns the rows of the table after a heading of the document, without the table's head.
    fn rows(heading: &str) -> Vec<&'static str> {
        let (_, section) = DOCUMENT.split_once(heading).expect(heading);
        let lines = section.lines().skip_while(|line| !line.starts_with("|--"));
        lines
            .skip(1)
            .take_while(|line| line.starts_with('|'))
            .collect()
    }

    #[test]
    fn every_question_has_flags_of_the_command_line() {
        let known = flags();
        for question in Question::ALL {
            assert!(!question.flags().is_empty(), "{question:?}");
            for flag in question.flags() {
                assert!(
                    known.iter().any(|known| known == flag),
                    "{question:?}: {flag}"
                );
            }
        }
    }

    #[test]
    fn document_lists_every_question_with_its_flags() {
        let expected = Question::ALL.iter().map(|question| {
            let flags: Vec<_> = question
                .flags()
                .iter()
                .map(|flag| format!("`{flag}`"))
                .collect();
            format!("| {} | {} |", question.text(), flags.join(", "))
        });
        let expected: Vec<String> = expected.collect();
        assert_eq!(rows("\n## Questions\n"), expected);
    }

    #[test]
    fn document_describes_every_flag() {
        let rows = rows("\n## Flags\n");
        for flag in flags() {
            let mark = [format!("`{flag}`"), format!("`{flag} ")];
            let is_described = |row: &&str| {
                let name = row.split('|').nth(1).unwrap_or_default();
                mark.iter().any(|mark| name.contains(mark))
            };
            assert!(rows.iter().any(is_described), "{flag} is not in {rows:?}");
        }
    }
}
