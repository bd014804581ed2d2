//! The rows of a report and their fields.

use std::cmp::Ordering;

use rustc_hash::FxHashMap;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::request::ReportRequest;
use super::scope::Scope;
use crate::organizations::natural_order;
use crate::report::{Figures, Group, GroupKey, PauseFigures};

/// The value of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Field<'a> {
    Text(&'a str),
    Date(String),
    Number(i64),
    Null,
    /// The rows of an agent's reasons, which CSV does not have.
    Reasons(Vec<Row<'a>>),
}

impl Serialize for Field<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Date(text) => serializer.serialize_str(text),
            Self::Number(number) => serializer.serialize_i64(*number),
            Self::Null => serializer.serialize_none(),
            Self::Reasons(rows) => rows.serialize(serializer),
        }
    }
}

/// A row: its fields in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Row<'a>(pub(super) Vec<(&'static str, Field<'a>)>);

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, field) in &self.0 {
            map.serialize_entry(name, field)?;
        }
        map.end()
    }
}

/// Returns the rows of a report, sorted by their keys.
pub(super) fn rows<'a>(
    request: &ReportRequest,
    scope: &'a Scope,
    groups: FxHashMap<Group, Figures>,
) -> Vec<Row<'a>> {
    let mut groups: Vec<_> = groups.into_iter().collect();
    let keys = request.by.keys();
    groups.sort_by(|(a, _), (b, _)| {
        let orders = keys.iter().map(|key| compare(*key, a, b, scope));
        orders.fold(Ordering::Equal, Ordering::then)
    });
    let rows = groups
        .iter()
        .map(|(group, figures)| row(request, scope, group, figures));
    rows.collect()
}

fn compare(key: GroupKey, a: &Group, b: &Group, scope: &Scope) -> Ordering {
    let agent = |group: &Group| scope.agents[group.agent as usize].number.as_str();
    let queue = |group: &Group| scope.queues[group.queue as usize].as_str();
    let reason = |group: &Group| scope.reasons[group.reason as usize].as_str();
    match key {
        GroupKey::Agent => natural_order(agent(a), agent(b)),
        GroupKey::Queue => natural_order(queue(a), queue(b)),
        GroupKey::Reason => natural_order(reason(a), reason(b)),
        GroupKey::Day => a.day.cmp(&b.day),
    }
}

fn row<'a>(request: &ReportRequest, scope: &'a Scope, group: &Group, figures: &Figures) -> Row<'a> {
    let mut row = Row::default();
    for key in request.by.keys() {
        let field = match key {
            GroupKey::Agent => Field::Text(&scope.agents[group.agent as usize].number),
            GroupKey::Queue => Field::Text(&scope.queues[group.queue as usize]),
            GroupKey::Reason => reason_field(scope, group.reason),
            GroupKey::Day => Field::Date(request.days.date(group.day as usize).to_string()),
        };
        row.0.push((key.as_str(), field));
    }
    if request.by.has(GroupKey::Agent) {
        let alias = scope.agents[group.agent as usize].alias.as_deref();
        let alias = alias.map_or(Field::Null, Field::Text);
        row.0.push(("alias", alias));
    }
    if request.by.has(GroupKey::Reason) {
        let pauses = figures.reasons.get(&group.reason);
        row.0
            .extend(pause_fields(pauses.copied().unwrap_or_default()));
        return row;
    }
    row.0.extend(agent_fields(scope, figures));
    if request.has_callers() && !request.by.has(GroupKey::Agent) {
        row.0.extend(caller_fields(figures));
    }
    row
}

fn reason_field(scope: &Scope, reason: u32) -> Field<'_> {
    match scope.reasons[reason as usize].as_str() {
        "" => Field::Null,
        name => Field::Text(name),
    }
}

fn pause_fields<'a>(pauses: PauseFigures) -> [(&'static str, Field<'a>); 3] {
    [
        ("paused_seconds", Field::Number(pauses.seconds)),
        ("pauses", count(pauses.pauses)),
        ("overdue_pauses", count(pauses.overdue)),
    ]
}

fn agent_fields<'a>(scope: &'a Scope, figures: &Figures) -> Vec<(&'static str, Field<'a>)> {
    let mut reasons: Vec<_> = figures.reasons.iter().collect();
    reasons.sort_by(|(a, _), (b, _)| {
        let name = |reason: u32| scope.reasons[reason as usize].as_str();
        natural_order(name(**a), name(**b))
    });
    let reasons = reasons.into_iter().map(|(reason, pauses)| {
        let mut row = vec![("reason", reason_field(scope, *reason))];
        row.extend(pause_fields(*pauses));
        Row(row)
    });
    vec![
        (
            "logged_in_seconds",
            Field::Number(figures.logged_in_seconds),
        ),
        ("paused_seconds", Field::Number(figures.paused_seconds)),
        ("pauses", count(figures.pauses())),
        ("overdue_pauses", count(figures.overdue_pauses())),
        ("calls_taken", count(figures.calls_taken)),
        ("talk_seconds", Field::Number(figures.talk_seconds)),
        ("missed_calls", count(figures.missed_calls)),
        ("wrap_up_seconds", Field::Number(figures.wrap_up_seconds)),
        ("reasons", Field::Reasons(reasons.collect())),
    ]
}

fn caller_fields<'a>(figures: &Figures) -> [(&'static str, Field<'a>); 6] {
    let callers = &figures.callers;
    let longest = i64::from(callers.longest_wait_seconds);
    [
        ("callers", count(callers.callers)),
        ("answered", count(callers.answered)),
        ("abandoned", count(callers.abandoned)),
        (
            "average_wait_seconds",
            Field::Number(callers.average_wait_seconds()),
        ),
        ("longest_wait_seconds", Field::Number(longest)),
        (
            "answered_within_service_level",
            count(callers.answered_within_service_level),
        ),
    ]
}

fn count<'a>(number: u64) -> Field<'a> {
    Field::Number(i64::try_from(number).unwrap_or(i64::MAX))
}

/// Returns a row without groups, whose names are the columns of a report without rows.
pub(super) fn columns(request: &ReportRequest) -> Vec<&'static str> {
    let keys = request.by.keys().iter();
    let mut names: Vec<_> = keys.map(|key| key.as_str()).collect();
    if request.by.has(GroupKey::Agent) {
        names.push("alias");
    }
    let scope = Scope::default();
    let figures = Figures::default();
    let fields = if request.by.has(GroupKey::Reason) {
        pause_fields(PauseFigures::default()).to_vec()
    } else {
        agent_fields(&scope, &figures)
    };
    names.extend(fields.iter().map(|(name, _)| *name));
    let has_agent_figures = !request.by.has(GroupKey::Reason);
    if has_agent_figures && request.has_callers() && !request.by.has(GroupKey::Agent) {
        names.extend(caller_fields(&figures).iter().map(|(name, _)| *name));
    }
    names.retain(|name| *name != "reasons");
    names
}
