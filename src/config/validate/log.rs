//! `[log]`

use crate::config::file;
use crate::config::mistake::Mistakes;
use crate::telemetry::{LogFormat, LogSettings};

pub(super) fn validate(table: &file::Log, mistakes: &mut Mistakes) -> Option<LogSettings> {
    let is_filter = tracing_subscriber::EnvFilter::try_new(&table.level).is_ok();
    if !is_filter || !table.level.split(',').all(is_directive) {
        let message = "must be a level (off, error, warn, info, debug, trace) or a filter such \
                       as \"info,ami_bridge=debug\"";
        mistakes.add("log.level", message);
    }
    let format = match table.format.as_str() {
        "auto" => Ok(LogFormat::Auto),
        "pretty" => Ok(LogFormat::Pretty),
        "json" => Ok(LogFormat::Json),
        "journald" => Ok(LogFormat::Journald),
        _ => Err("must be \"auto\", \"pretty\", \"json\" or \"journald\""),
    };
    Some(LogSettings {
        level: table.level.clone(),
        format: mistakes.ok_or_add("log.format", format)?,
    })
}

/// Returns true if a filter directive is a level, or a target with a level. `EnvFilter` treats
/// any other word, such as a misspelled level, as a target name, and then logs only that
/// target.
fn is_directive(directive: &str) -> bool {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let is_level = |text: &str| LEVELS.iter().any(|level| level.eq_ignore_ascii_case(text));
    let target_end = directive.find(['=', '[']);
    let Some(target_end) = target_end else {
        return is_level(directive);
    };
    let (target, rest) = directive.split_at(target_end);
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_:-".contains(&byte);
    let level = directive.rsplit_once('=').map(|(_, level)| level);
    // After a target, EnvFilter also accepts a number as the level.
    let is_level_or_number =
        |level: &str| is_level(level) || ["0", "1", "2", "3", "4", "5"].contains(&level);
    target.bytes().all(is_allowed)
        && (rest.starts_with('[') || level.is_some_and(is_level_or_number))
}
