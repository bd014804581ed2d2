//! Setup with a configuration that exists: shows how the PBX and the flags differ from it, and
//! changes nothing.

use std::io::stdout;
use std::path::Path;

use super::Setup;
use super::api_address::ApiAddress;
use super::differences::{flag_differences, pbx_differences};
use super::error::{SetupError, at};
use super::finish::Summary;
use super::questions::say;
use super::service;
use crate::check;
use crate::config::{self, Settings};
use crate::terminal::{fitted, wrapped};

/// Shows the differences, checks the configuration, and starts the unit if that was asked for.
///
/// # Errors
/// Returns a mistake if the configuration has one, and an error if the check finds one.
pub(super) async fn run(setup: &Setup, path: &Path) -> Result<(), SetupError> {
    say(&wrapped(
        &format!("{} exists. Setup changes nothing in it.", path.display()),
        "",
    ));
    let settings = load_in_folder(setup, path)?;
    let mut differences = flag_differences(&setup.arguments, &settings).await?;
    let asterisk_folder = &setup.arguments.asterisk_etc;
    let (pbx_differences, are_all_read) = pbx_differences(&settings, asterisk_folder).await;
    differences.extend(pbx_differences);
    for difference in &differences {
        say(&wrapped(&format!("differs: {difference}"), ""));
    }
    match (differences.is_empty(), are_all_read) {
        (true, true) => say("It matches the PBX and the flags.\n"),
        (true, false) => say("It matches the flags.\n"),
        (false, _) => {}
    }
    if !are_all_read {
        say("Setup did not compare it with every PBX.\n");
    }
    let api = ApiAddress::of(&settings.http);
    let username = first_username(&settings);
    say("\n");
    let report = check::check(settings, false, asterisk_folder).await;
    say(&fitted(&report.to_string(), &stdout()));
    if !report.ok {
        let message = "the check has found the errors above: fix them and run setup again";
        return Err(SetupError::Missing(message.to_owned()));
    }
    let is_running = service::reads(&setup.arguments.directory) && service::is_running();
    let is_complete = is_running && (service::is_enabled() || !setup.arguments.start);
    let is_started = is_complete || setup.start_unit("start")?;
    let summary = Summary {
        api,
        username,
        is_started,
    };
    say(&summary.text(setup));
    Ok(())
}

/// Loads the configuration. Relative paths in it are relative to its folder.
fn load_in_folder(setup: &Setup, path: &Path) -> Result<Settings, SetupError> {
    let folder = &setup.arguments.directory;
    std::env::set_current_dir(folder).map_err(at(folder))?;
    config::load(path).map_err(|error| SetupError::Mistake(error.to_string()))
}

/// Returns the name of the first user who may read the queues.
fn first_username(settings: &Settings) -> Option<String> {
    let mut users = settings.directory.users();
    let user = users.find(|user| user.allows_action("showqueue"))?;
    Some(user.name.clone())
}
