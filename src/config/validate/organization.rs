//! `[organization.NAME]`

use std::collections::BTreeMap;
use std::sync::Arc;

use super::accounts::AccountCollector;
use super::patterns::patterns;
use super::value::table_name;
use super::{reason, wrapup};
use crate::ami::value::MAX_MEMBER_BYTES;
use crate::config::file;
use crate::config::mistake::Mistakes;
use crate::organizations::{
    Account, MAX_AGENT_CHARS, Organization, Overlap, Pattern, Template, overlaps,
};
use crate::time_zone::NamedZone;

/// Validates all organizations with their users and tokens.
pub(super) fn validate_all(
    tables: BTreeMap<String, file::Organization>,
    pbxes: &[String],
    mistakes: &mut Mistakes,
) -> (Vec<Arc<Organization>>, Vec<Account>) {
    let mut organizations = Vec::new();
    let mut accounts = AccountCollector::default();
    for (name, table) in tables {
        let organization = validate(&name, &table, pbxes, mistakes).map(Arc::new);
        accounts.add(&name, &table, organization.as_ref(), mistakes);
        organizations.extend(organization);
    }
    (organizations, accounts.into_accounts())
}

fn validate(
    name: &str,
    table: &file::Organization,
    pbxes: &[String],
    mistakes: &mut Mistakes,
) -> Option<Organization> {
    let key = |key: &str| format!("organization.{name}.{key}");
    mistakes.ok_or_add(&format!("organization.{name}"), table_name(name));
    let pbx = mistakes
        .ok_or_add(&key("pbx"), pbx_of(table, pbxes))
        .flatten();
    if table.queues.is_empty() {
        let hint = "queue numbers, such as [\"6001\", \"60*\"]";
        mistakes.add_missing(&key("queues"), hint);
    }
    let queues = patterns(
        &key("queues"),
        &table.queues,
        Pattern::parse_queue,
        mistakes,
    );
    if table.agents.as_ref().is_some_and(Vec::is_empty) {
        let message = "must not be empty: remove the key to allow any agent";
        mistakes.add(key("agents"), message);
    }
    let agents = table
        .agents
        .as_ref()
        .map(|agents| patterns(&key("agents"), agents, Pattern::parse_agent, mistakes));
    let queue_name = Template::new(&table.queue_name, "queue");
    let queue_name = mistakes.ok_or_add(&key("queue_name"), queue_name);
    let interface = agent_template(&key("interface"), &table.interface, mistakes);
    if let Some(message) = interface.as_ref().and_then(Template::unsafe_interface) {
        mistakes.add(key("interface"), message);
    }
    let state_interface = match table.state_interface.as_str() {
        "" => None,
        text => Some(agent_template(&key("state_interface"), text, mistakes)?),
    };
    let reasons = reason::validate(&format!("organization.{name}"), table, mistakes);
    let wrapup = wrapup::validate(&key("wrapup"), &table.wrapup, &queues, mistakes);
    let time_zone = mistakes.ok_or_add(&key("time_zone"), time_zone(table.time_zone.as_deref()));
    Some(Organization {
        name: name.to_owned(),
        pbx: pbx?,
        queues,
        queue_name: queue_name?,
        agents,
        interface: interface?,
        state_interface,
        shared: table.shared,
        reasons,
        reason_required: table.reason_required,
        other_reasons: table.other_reasons,
        wrapup,
        time_zone: time_zone?,
    })
}

/// Returns the organization's PBX, or `None` if no PBX is configured, which is a mistake of its
/// own.
fn pbx_of(table: &file::Organization, pbxes: &[String]) -> Result<Option<String>, String> {
    match (&table.pbx, pbxes) {
        (Some(pbx), _) if pbxes.contains(pbx) => Ok(Some(pbx.clone())),
        (None, [only]) => Ok(Some(only.clone())),
        (_, []) => Ok(None),
        (_, names) => Err(format!("must be one of {}", names.join(", "))),
    }
}

/// Returns the zone of the organization's days, by default the machine's.
fn time_zone(name: Option<&str>) -> Result<NamedZone, &'static str> {
    let Some(name) = name else {
        return Ok(NamedZone::of_machine());
    };
    let zone = NamedZone::find(name);
    zone.ok_or("must be the name of a time zone, such as \"Asia/Jerusalem\" or \"UTC\"")
}

/// Parses `interface` or `state_interface`.
fn agent_template(key: &str, text: &str, mistakes: &mut Mistakes) -> Option<Template> {
    let template = mistakes.ok_or_add(key, Template::new(text, "agent"))?;
    if template.prefix().len() + template.suffix().len() + MAX_AGENT_CHARS > MAX_MEMBER_BYTES {
        let message = format!(
            "is too long: with a phone number of {MAX_AGENT_CHARS} characters it would exceed \
             Asterisk's limit of {MAX_MEMBER_BYTES} bytes"
        );
        mistakes.add(key, message);
    }
    Some(template)
}

/// Returns the overlaps between organizations that both have `shared = true`. Reports all
/// other overlaps as mistakes.
pub(super) fn allowed_overlaps(
    organizations: &[Arc<Organization>],
    mistakes: &mut Mistakes,
) -> Vec<Overlap> {
    let organizations: Vec<&Organization> = organizations.iter().map(AsRef::as_ref).collect();
    let (allowed, refused) = overlaps(&organizations)
        .into_iter()
        .partition::<Vec<_>, _>(|overlap| overlap.is_allowed);
    for overlap in refused {
        let (key, subject) = if overlap.is_queue {
            ("queues", "the queue")
        } else {
            ("agents", "the interface")
        };
        mistakes.add(
            format!("organization.{}.{key}", overlap.second),
            format!(
                "{subject} {} can also be reached by organization {}: separate the two, or set \
                 shared = true in both",
                overlap.example, overlap.first
            ),
        );
    }
    allowed
}
