//! Derives the templates of interfaces from the members that exist. The most frequent form wins.

use std::collections::{BTreeMap, BTreeSet};

use super::{Known, SeenMember};
use crate::organizations::{MAX_AGENT_CHARS, Template, is_number_char};

/// The templates that most members match.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Templates {
    pub(super) interface: String,
    /// Empty if members have no state interface of their own.
    pub(super) state_interface: String,
    /// The numbers of the members that match the interface's template.
    pub(super) numbers: BTreeSet<String>,
    /// How many members match it.
    pub(super) fitting: usize,
    /// The members that do not match it.
    pub(super) misfits: Vec<String>,
    /// The members that match it, but have another state interface.
    pub(super) other_states: Vec<String>,
}

impl Templates {
    /// Returns the known templates, or those that most members match. Returns `None` if the
    /// interface is not known and no member has a number.
    pub(super) fn of(members: &BTreeSet<&SeenMember>, known: &Known) -> Option<Self> {
        let interfaces = members
            .iter()
            .flat_map(|member| interface_templates(&member.interface));
        let interface = known.interface.clone();
        let interface = interface.or_else(|| most_frequent(interfaces))?;
        let template = Template::new(&interface, "agent").ok()?;
        let number = |member: &SeenMember| template.extract(&member.interface).map(str::to_owned);
        let states = members.iter().filter_map(|member| {
            let number = number(member)?;
            state_template(member, &number)
        });
        let state_interface = known.state_interface.clone();
        let usual = known.usual.filter(|usual| usual.interface == interface);
        let state_interface = state_interface
            .or_else(|| most_frequent(states))
            .or_else(|| usual.map(|usual| usual.state_interface.to_owned()));
        let mut templates = Self {
            interface,
            state_interface: state_interface.unwrap_or_default(),
            numbers: BTreeSet::new(),
            fitting: 0,
            misfits: Vec::new(),
            other_states: Vec::new(),
        };
        for member in members {
            let Some(number) = number(member) else {
                templates.misfits.push(describe(member));
                continue;
            };
            let state = state_template(member, &number);
            if state.is_none_or(|state| state != templates.state_interface) {
                templates.other_states.push(describe(member));
            }
            templates.numbers.insert(number);
            templates.fitting += 1;
        }
        Some(templates)
    }
}

/// Returns a member as text for the operator.
pub(super) fn describe(member: &SeenMember) -> String {
    let SeenMember {
        interface,
        state_interface,
    } = member;
    if has_state_interface(member) {
        format!("{interface} (state from {state_interface})")
    } else {
        interface.clone()
    }
}

fn has_state_interface(member: &SeenMember) -> bool {
    !member.state_interface.is_empty()
        && !member
            .state_interface
            .eq_ignore_ascii_case(&member.interface)
}

/// Returns the templates that an interface matches: with the whole name as the number, and if
/// the name has a prefix, such as `acme-1001`, with the digits after it.
fn interface_templates(interface: &str) -> Vec<String> {
    let Some((start, end)) = name_position(interface) else {
        return Vec::new();
    };
    let name = &interface[start..end];
    if name.is_empty() || name.len() > MAX_AGENT_CHARS || !name.bytes().all(is_number_char) {
        return Vec::new();
    }
    let mut starts = vec![start];
    if let Some(separator) = name.rfind(['-', '_', '.']) {
        let digits = &name[separator + 1..];
        if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
            starts.push(start + separator + 1);
        }
    }
    let texts = starts.into_iter().map(|start| {
        let (prefix, suffix) = (&interface[..start], &interface[end..]);
        format!("{prefix}{{agent}}{suffix}")
    });
    texts
        .filter(|text| {
            let template = Template::new(text, "agent");
            template.is_ok_and(|template| template.unsafe_interface().is_none())
        })
        .collect()
}

/// Returns the position of the phone's name in an interface: before the context or the host, and
/// after the trunk.
fn name_position(interface: &str) -> Option<(usize, usize)> {
    let (technology, rest) = interface.split_once('/')?;
    let rest_start = technology.len() + 1;
    let end = rest.find('@').map_or(interface.len(), |at| rest_start + at);
    let start = match interface[rest_start..end].rfind('/') {
        // Only the options of a Local channel follow a slash.
        Some(_) if technology.eq_ignore_ascii_case("Local") => return None,
        Some(slash) => rest_start + slash + 1,
        None => rest_start,
    };
    Some((start, end))
}

/// Returns the template of a member's state interface: empty if the member has none, and `None`
/// if it does not contain the member's number.
fn state_template(member: &SeenMember, number: &str) -> Option<String> {
    if !has_state_interface(member) {
        return Some(String::new());
    }
    let state = &member.state_interface;
    let is_boundary = |c: Option<char>| c.is_none_or(|c| !c.is_ascii_alphanumeric());
    let position = state.match_indices(number).find(|(start, _)| {
        let (before, after) = (&state[..*start], &state[start + number.len()..]);
        is_boundary(before.chars().next_back()) && is_boundary(after.chars().next())
    });
    let (start, _) = position?;
    let (prefix, suffix) = (&state[..start], &state[start + number.len()..]);
    let text = format!("{prefix}{{agent}}{suffix}");
    Template::new(&text, "agent").is_ok().then_some(text)
}

/// Returns the most frequent text. Of equally frequent texts, returns the longest, which is the
/// most specific one.
fn most_frequent(texts: impl Iterator<Item = String>) -> Option<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for text in texts {
        *counts.entry(text).or_default() += 1;
    }
    let rank = |(text, count): &(String, usize)| (*count, text.len());
    counts.into_iter().max_by_key(rank).map(|(text, _)| text)
}
