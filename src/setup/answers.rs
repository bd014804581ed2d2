//! Parses the operator's answers and the flags, and shows proposals.

use super::proposal::Proposal;
use crate::ami::value::is_trimmed_line;
use crate::config::table_name;
use crate::organizations::{Pattern, TOKEN_PREFIX, Template};
use crate::terminal::{listed, wrapped};

/// Returns a proposal as text for the operator.
pub(super) fn summary(proposal: &Proposal) -> String {
    let state = match proposal.state_interface.as_str() {
        "" => "the interface's",
        template => template,
    };
    let mut text = format!(
        "  queues     {} (now {})\n  name       {}\n  agents     {}\n  interface  {}\n  state      \
         {state}\n",
        listed(&proposal.queues),
        proposal.queue_count,
        proposal.queue_name,
        listed(&proposal.agents),
        proposal.interface.as_deref().unwrap_or_default(),
    );
    if !proposal.misfits.is_empty() {
        text += &wrapped(
            &format!(
                "Members that match: {}. These do not, so the API shows them but can't change \
                 them: {}.",
                proposal.fitting,
                listed(&proposal.misfits)
            ),
            "  ",
        );
    }
    if !proposal.other_states.is_empty() {
        text += &wrapped(
            &format!(
                "The state interface of these differs. If the API adds them again, they get the \
                 one above: {}.",
                listed(&proposal.other_states)
            ),
            "  ",
        );
    }
    text
}

/// Parses the name of an organization, which becomes the name of a table.
pub(super) fn parse_name(text: &str) -> Result<String, String> {
    table_name(text)?;
    Ok(text.to_owned())
}

pub(super) fn parse_names(text: &str) -> Result<Vec<String>, String> {
    let names = text.split(',').map(|name| parse_name(name.trim()));
    let names: Vec<String> = names.collect::<Result<_, _>>()?;
    let mut lower: Vec<_> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
    lower.sort();
    lower.dedup();
    if lower.len() < names.len() {
        return Err("a name appears twice".to_owned());
    }
    Ok(names)
}

pub(super) fn parse_interface(text: &str) -> Result<String, String> {
    match Template::new(text, "agent")?.unsafe_interface() {
        Some(error) => Err(error.to_owned()),
        None => Ok(text.to_owned()),
    }
}

pub(super) fn parse_state_interface(text: &str) -> Result<String, String> {
    Template::new(text, "agent").map(|_| text.to_owned())
}

pub(super) fn parse_queue_name(text: &str) -> Result<String, String> {
    Template::new(text, "queue").map(|_| text.to_owned())
}

/// Parses the name that a user logs in with. HTTP Basic separates the name from the password by
/// a colon.
pub(super) fn parse_username(text: &str) -> Result<String, String> {
    if text.contains(':') || !is_trimmed_line(text) {
        return Err("must be one line without a colon".to_owned());
    }
    if text.starts_with(TOKEN_PREFIX) {
        return Err(format!("must not begin with {TOKEN_PREFIX}, as tokens do"));
    }
    Ok(text.to_owned())
}

pub(super) fn parse_queues(text: &str) -> Result<Vec<String>, String> {
    parse_list(text, Pattern::parse_queue)
}

pub(super) fn parse_agents(text: &str) -> Result<Vec<String>, String> {
    parse_list(text, Pattern::parse_agent)
}

fn parse_list(
    text: &str,
    parse: impl Fn(&str) -> Result<Pattern, String>,
) -> Result<Vec<String>, String> {
    let items = text.split(',').map(str::trim);
    items
        .map(|item| parse(item).map(|_| item.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_table_names_and_unique() {
        assert_eq!(
            parse_names("acme, globex").expect("names"),
            ["acme", "globex"]
        );
        for text in ["", "acme,", "a.b", "a]", "acme,Acme", &"x".repeat(65)] {
            parse_names(text).expect_err(text);
        }
    }
}
