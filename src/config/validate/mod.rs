//! Checks the file's values and converts them to [`Settings`].
//!
//! Each table has a module, whose `validate` function reports mistakes and returns `None` if a
//! required value is missing or wrong. [`value`], [`network`] and [`text`] check individual values
//! and do no IO.

mod accounts;
mod admin;
mod http;
mod limits;
mod lockout;
mod log;
mod network;
mod organization;
mod patterns;
mod pbx;
mod reason;
mod rights;
mod rights_table;
mod secret_file;
mod state;
mod text;
mod token;
mod user;
mod value;
mod wrapup;

pub(crate) use text::line_of_file;
pub(crate) use value::table_name;

use super::file::File;
use super::mistake::Mistakes;
use super::settings::{PbxSettings, Settings};
use crate::organizations::Directory;

/// Validates the whole file.
pub(super) fn validate(file: File, mistakes: &mut Mistakes) -> Option<Settings> {
    let http = http::validate(&file.http, mistakes);
    let admin = admin::validate(&file.admin, mistakes);
    if let (Some(http), Some(admin)) = (&http, &admin)
        && admin.listen == Some(http.listen)
        && http.listen.port() != 0
    {
        mistakes.add("admin.listen", "must differ from http.listen");
    }
    let log = log::validate(&file.log, mistakes);
    let lockout = lockout::validate(&file.lockout, mistakes);
    let state = state::validate(&file.state, mistakes);
    if file.pbx.is_empty() {
        mistakes.add_missing(
            "pbx",
            "add at least one [pbx.NAME] with username and secret",
        );
    }
    if file.organization.is_empty() {
        mistakes.add_missing(
            "organization",
            "add at least one [organization.NAME] with queues and a user or a token",
        );
    }
    let pbx_names: Vec<String> = file.pbx.keys().cloned().collect();
    let pbxes: Vec<PbxSettings> = file
        .pbx
        .into_iter()
        .filter_map(|(name, table)| pbx::validate(name, table, mistakes))
        .collect();
    pbx::require_distinct_addresses(&pbxes, mistakes);
    let (organizations, accounts) =
        organization::validate_all(file.organization, &pbx_names, mistakes);
    let overlaps = organization::allowed_overlaps(&organizations, mistakes);
    Some(Settings {
        http: http?,
        admin: admin?,
        log: log?,
        lockout: lockout?,
        state: state?,
        pbxes,
        directory: Directory::new(organizations, accounts),
        overlaps,
    })
}
