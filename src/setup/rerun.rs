//! Setup with a configuration that exists: shows how the PBX and the flags differ from it, and
//! changes nothing.

use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use super::Setup;
use super::answers::listed;
use super::error::{SetupError, at};
use super::finish::Result as Finish;
use super::flavor::Flavor;
use super::link::Link;
use super::overlaps::load_file;
use super::proposal::{SeenQueue, SeenQueues};
use super::questions::{say, wrapped};
use crate::check;
use crate::config::Settings;
use crate::organizations::{Organization, Pattern};

/// How long to wait for a bridge that may be running.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Shows the differences, checks the configuration, and starts the unit if that was asked for.
///
/// # Errors
/// Returns a mistake if the configuration has one.
pub(super) async fn run(setup: &Setup, path: &Path) -> Result<u8, SetupError> {
    say(&wrapped(
        &format!("{} exists. Setup changes nothing in it.", path.display()),
        "",
    ));
    let settings = load_in_folder(setup, path)?;
    let mut differences = flag_differences(setup, &settings);
    let ignored = Flavor::of(&setup.arguments.asterisk_etc).ignored_queues();
    differences.extend(pbx_differences(&settings, ignored).await);
    for difference in &differences {
        say(&wrapped(&format!("differs: {difference}"), ""));
    }
    if differences.is_empty() {
        say("It matches the PBX and the flags.\n");
    }
    let listen = settings.http.listen;
    let path = settings.http.path.clone();
    say("\n");
    let report = check::check(settings, false).await;
    say(&report.to_string());
    let is_running = TcpStream::connect_timeout(&listen, CONNECT_TIMEOUT).is_ok();
    let is_started = is_running || (report.ok && setup.start_unit()?);
    let finish = Finish {
        listen,
        path,
        users: Vec::new(),
        is_started,
    };
    say(&finish.text(setup));
    Ok(u8::from(!report.ok))
}

/// Loads the configuration. Relative paths in it are relative to its folder.
fn load_in_folder(setup: &Setup, path: &Path) -> Result<Settings, SetupError> {
    let folder = &setup.arguments.directory;
    std::env::set_current_dir(folder).map_err(at(folder))?;
    load_file(path)
}

/// Returns the flags that say something else than the configuration.
fn flag_differences(setup: &Setup, settings: &Settings) -> Vec<String> {
    let arguments = &setup.arguments;
    let mut differences = Vec::new();
    let pbxes = &settings.pbxes;
    if let Some(pbx) = &arguments.pbx
        && !pbxes.iter().any(|known| known.link.address.as_str() == pbx)
    {
        differences.push(format!("no [pbx] has the address {pbx}"));
    }
    let organizations = settings.directory.organizations();
    for name in arguments
        .organization
        .iter()
        .flat_map(|names| names.split(','))
    {
        let organization = organizations.iter().find(|known| known.name == name.trim());
        match organization {
            None => differences.push(format!("there is no [organization.{}]", name.trim())),
            Some(organization) => differences.extend(key_differences(setup, organization)),
        }
    }
    differences
}

/// Returns the keys of an organization that the flags set to something else.
fn key_differences(setup: &Setup, organization: &Organization) -> Vec<String> {
    let arguments = &setup.arguments;
    let joined = |patterns: &[Pattern]| {
        let texts: Vec<_> = patterns.iter().map(ToString::to_string).collect();
        texts.join(",")
    };
    let Organization {
        queues,
        queue_name,
        interface,
        state_interface,
        agents,
        ..
    } = organization;
    let state_interface = state_interface.as_ref();
    let keys = [
        (
            "queues",
            arguments.queues.as_ref().map(|q| q.join(",")),
            joined(queues),
        ),
        (
            "agents",
            arguments.agents.as_ref().map(|agents| agents.join(",")),
            joined(agents.as_deref().unwrap_or_default()),
        ),
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
            state_interface.map_or(String::new(), |template| template.expand("{agent}")),
        ),
    ];
    let differing = keys.into_iter().filter_map(|(key, flag, actual)| {
        let flag = flag.filter(|flag| *flag != actual)?;
        let name = &organization.name;
        Some(format!(
            "organization.{name}.{key} is \"{actual}\", not \"{flag}\""
        ))
    });
    differing.collect()
}

/// Returns what the PBXes have and the configuration does not. A PBX that can't be read is left to
/// the check.
async fn pbx_differences(settings: &Settings, ignored: &[&str]) -> Vec<String> {
    let mut differences = Vec::new();
    for pbx in &settings.pbxes {
        if pbx.link.tls.is_some() {
            continue;
        }
        let link = Link::open(
            &pbx.link.address,
            pbx.link.username.as_str(),
            &pbx.link.secret,
        );
        let Ok(link) = link.await else {
            continue;
        };
        let deadline = Instant::now() + pbx.action_timeout;
        let seen = tokio::time::timeout_at(deadline, link.read_queues()).await;
        link.close().await;
        if let Ok(Ok(seen)) = seen {
            let organizations = settings.directory.organizations().iter();
            let own = organizations.filter(|organization| organization.pbx == pbx.link.name);
            let own: Vec<&Organization> = own.map(AsRef::as_ref).collect();
            differences.extend(queue_differences(&seen, ignored, &own));
        }
    }
    differences
}

/// Returns the queues that no organization has, and the members that are nobody's agents.
fn queue_differences(
    seen: &SeenQueues,
    ignored: &[&str],
    organizations: &[&Organization],
) -> Vec<String> {
    let mut strays = Vec::new();
    let mut others = Vec::new();
    let is_used = |queue: &&SeenQueue| !ignored.contains(&queue.name.as_str());
    for queue in seen.usable.iter().filter(is_used) {
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
