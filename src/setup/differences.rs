//! Compares a configuration that exists with the flags and with the PBX.

use std::path::Path;

use tokio::time::Instant;

use super::error::SetupError;
use super::link::Link;
use super::proposal::SeenQueues;
use super::secrets::read_line_of;
use crate::ami::Address;
use crate::cli::SetupArguments;
use crate::config::{PbxSettings, Settings};
use crate::distribution::Distribution;
use crate::organizations::{AccountSecret, Organization, Pattern, Template, Verifier};
use crate::terminal::listed;

/// Returns the flags that say something else than the configuration. No text contains a secret.
///
/// # Errors
/// Returns an error if a file that a flag names can't be read.
pub(super) async fn flag_differences(
    arguments: &SetupArguments,
    settings: &Settings,
) -> Result<Vec<String>, SetupError> {
    let mut differences = pbx_flag_differences(arguments, &settings.pbxes)?;
    if let Some(listen) = arguments.listen {
        let actual = settings.http.listen;
        // Port 0 stands for any.
        let is_same_port = [0, actual.port()].contains(&listen.port());
        if listen.ip() != actual.ip() || !is_same_port {
            differences.push(format!("http.listen is \"{actual}\", not \"{listen}\""));
        }
    }
    let organizations = settings.directory.organizations().iter();
    let mut organizations: Vec<&Organization> = organizations.map(AsRef::as_ref).collect();
    if let Some(names) = &arguments.organization {
        let names: Vec<&str> = names.split(',').map(str::trim).collect();
        differences.extend(name_differences(&names, &organizations));
        organizations.retain(|organization| names.contains(&organization.name.as_str()));
    }
    for organization in organizations {
        differences.extend(key_differences(arguments, organization));
        differences.extend(user_difference(arguments, settings, organization).await?);
    }
    Ok(differences)
}

/// Compares the names of the organizations with those in `--organization`.
fn name_differences(names: &[&str], organizations: &[&Organization]) -> Vec<String> {
    let is_known = |name: &&&str| organizations.iter().any(|known| known.name == **name);
    let missing = names.iter().filter(|name| !is_known(name));
    let missing = missing.map(|name| format!("there is no [organization.{name}]"));
    let existing = organizations.iter().map(|organization| &organization.name);
    let others = existing.filter(|name| !names.contains(&name.as_str()));
    let others = others
        .map(|name| format!("[organization.{name}] exists, and --organization does not name it"));
    missing.chain(others).collect()
}

/// Compares the flags of the PBX.
fn pbx_flag_differences(
    arguments: &SetupArguments,
    pbxes: &[PbxSettings],
) -> Result<Vec<String>, SetupError> {
    let mut differences = Vec::new();
    if let Some(text) = &arguments.pbx {
        let given = Address::parse(text);
        let given = given.map_err(|error| SetupError::Mistake(format!("--pbx: {error}")))?;
        if !pbxes
            .iter()
            .any(|pbx| pbx.link.address.is_same_endpoint(&given))
        {
            differences.push(format!("no [pbx] has the address {given}"));
        }
    }
    if let Some(name) = &arguments.ami_username
        && !pbxes.iter().any(|pbx| pbx.link.username.as_str() == name)
    {
        differences.push(format!("no [pbx] has the username {name}"));
    }
    if let Some(file) = &arguments.ami_secret_file {
        let secret = read_line_of(file)?;
        if !pbxes.iter().any(|pbx| *pbx.link.secret == *secret) {
            let file = file.display();
            differences.push(format!("no [pbx] has the secret in {file}"));
        }
    }
    Ok(differences)
}

/// Returns the keys of an organization that the flags set to something else.
fn key_differences(arguments: &SetupArguments, organization: &Organization) -> Vec<String> {
    let Organization {
        name,
        queues,
        queue_name,
        interface,
        state_interface,
        agents,
        ..
    } = organization;
    let agents = agents.as_deref().unwrap_or_default();
    let state_interface = state_interface.as_ref();
    let keys = [
        ("queues", list(arguments.queues.as_deref()), joined(queues)),
        ("agents", list(arguments.agents.as_deref()), joined(agents)),
        (
            "queue_name",
            arguments.queue_name.clone(),
            queue_name.expand("{queue}"),
        ),
        (
            "interface",
            arguments.interface.clone(),
            interface.expand("{agent}"),
        ),
        (
            "state_interface",
            arguments.state_interface.clone(),
            state_interface.map_or(String::new(), |template: &Template| {
                template.expand("{agent}")
            }),
        ),
    ];
    let differing = keys.into_iter().filter_map(|(key, flag, actual)| {
        let flag = flag.filter(|flag| *flag != actual)?;
        Some(format!(
            "organization.{name}.{key} is \"{actual}\", not \"{flag}\""
        ))
    });
    let mut differing: Vec<String> = differing.collect();
    if arguments.shared && !organization.shared {
        differing.push(format!("organization.{name}.shared is false, not true"));
    }
    differing
}

fn list(items: Option<&[String]>) -> Option<String> {
    let items = items?.iter().map(|item| item.trim());
    Some(items.collect::<Vec<_>>().join(","))
}

fn joined(patterns: &[Pattern]) -> String {
    let texts: Vec<_> = patterns.iter().map(ToString::to_string).collect();
    texts.join(",")
}

/// Compares the flags of an organization's user.
async fn user_difference(
    arguments: &SetupArguments,
    settings: &Settings,
    organization: &Organization,
) -> Result<Option<String>, SetupError> {
    if arguments.username.is_none() && arguments.password_file.is_none() {
        return Ok(None);
    }
    let name = &organization.name;
    let username = arguments.username.as_ref().unwrap_or(name);
    let user = settings.directory.user(username);
    let Some(user) = user.filter(|user| user.organization.name == *name) else {
        return Ok(Some(format!("organization.{name} has no user {username}")));
    };
    let (Some(file), AccountSecret::Password(stored)) = (&arguments.password_file, &user.secret)
    else {
        return Ok(None);
    };
    let password = read_line_of(file)?;
    let error = |_| SetupError::Missing("the password can't be compared".to_owned());
    let verifier = Verifier::new().map_err(error)?;
    let is_same = verifier.verify(username, &password, Some(stored)).await;
    Ok((is_same != Ok(true)).then(|| {
        format!(
            "the user {username} has another password than the one in {}",
            file.display()
        )
    }))
}

/// Returns what the PBXes have and the configuration does not, and whether all PBXes could be
/// read. The check reports why a PBX can't be read.
pub(super) async fn pbx_differences(
    settings: &Settings,
    asterisk_folder: &Path,
) -> (Vec<String>, bool) {
    let mut differences = Vec::new();
    let mut are_all_read = true;
    for pbx in &settings.pbxes {
        let Ok(link) = Link::open_with(pbx.link.clone()).await else {
            are_all_read = false;
            continue;
        };
        let deadline = Instant::now() + pbx.action_timeout;
        let distribution = Distribution::at(&pbx.link.address, asterisk_folder);
        let seen = tokio::time::timeout_at(deadline, link.read_queues(distribution)).await;
        link.close().await;
        if let Ok(Ok(seen)) = seen {
            let organizations = settings.directory.organizations().iter();
            let own = organizations.filter(|organization| organization.pbx == pbx.link.name);
            let own: Vec<&Organization> = own.map(AsRef::as_ref).collect();
            differences.extend(queue_differences(&seen, &own));
        } else {
            are_all_read = false;
        }
    }
    (differences, are_all_read)
}

/// Returns the queues that no organization has, and the members that are nobody's agents.
fn queue_differences(seen: &SeenQueues, organizations: &[&Organization]) -> Vec<String> {
    let mut strays = Vec::new();
    let mut others = Vec::new();
    for queue in &seen.usable {
        match organizations
            .iter()
            .find(|organization| organization.queue_number(&queue.name).is_some())
        {
            None => strays.push(queue.name.clone()),
            Some(organization) => {
                let members = queue.members.iter();
                let unknown =
                    members.filter(|member| organization.agent_number(&member.interface).is_none());
                others.extend(unknown.map(|member| member.interface.clone()));
            }
        }
    }
    others.sort();
    others.dedup();
    let mut differences = Vec::new();
    if !strays.is_empty() {
        differences.push(format!(
            "no organization has the queues {}",
            listed(&strays)
        ));
    }
    if !others.is_empty() {
        differences.push(format!(
            "no organization has the members {}",
            listed(&others)
        ));
    }
    differences
}
