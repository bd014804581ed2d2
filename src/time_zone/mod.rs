//! Time zones: from the machine's zone files, or from the rules in this program.
//!
//! `zones.txt` has the rules of all zones, so the bridge also runs where no zone files are
//! installed. It takes 12 kB instead of the 300 kB of complete zone files, because reports need no
//! rules of the past. `tools/time_zones` generates it.

use std::fs;
use std::path::Path;

use jiff::tz::TimeZone;

/// The rules of all zones. Each line has a rule and the names of its zones. A rule is a POSIX time
/// zone, or `@` and the times of all changes with the offsets that follow, where the changes follow
/// no rule.
const ZONES: &str = include_str!("zones.txt");

/// Where operating systems have their zone files.
const ZONE_FOLDER: &str = "/usr/share/zoneinfo";

/// The machine's zone.
const LOCAL_ZONE: &str = "/etc/localtime";

/// A time zone with its name, for example `Asia/Jerusalem`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedZone {
    /// The name.
    pub name: String,
    /// The rules.
    pub zone: TimeZone,
}

impl NamedZone {
    /// Returns the zone with this name. Prefers the machine's zone files, because they are updated
    /// with the machine. Returns `None` if there is no such zone.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+-".contains(&byte);
        let is_name = !name.starts_with('/') && name.bytes().all(is_allowed);
        if name.is_empty() || !is_name {
            return None;
        }
        let file = Path::new(ZONE_FOLDER).join(name);
        let zone = read(&file, name).or_else(|| bundled(name))?;
        Some(Self {
            name: name.to_owned(),
            zone,
        })
    }

    /// Returns the machine's zone: `TZ`, else `/etc/localtime`, else UTC.
    #[must_use]
    pub fn of_machine() -> Self {
        let variable = std::env::var("TZ").ok();
        let variable = variable.as_deref().map(|name| name.trim_start_matches(':'));
        if let Some(zone) = variable.and_then(Self::find) {
            return zone;
        }
        let target = fs::canonicalize(LOCAL_ZONE).unwrap_or_default();
        let target = target.to_string_lossy();
        let linked = target.split_once("/zoneinfo/").map(|(_, name)| name);
        if let Some(zone) = linked.and_then(Self::find) {
            return zone;
        }
        let name = fs::read_to_string("/etc/timezone").unwrap_or_default();
        let name = name.trim();
        match read(Path::new(LOCAL_ZONE), name) {
            Some(zone) => Self {
                name: if name.is_empty() { "local" } else { name }.to_owned(),
                zone,
            },
            None => Self::find(name).unwrap_or_else(Self::utc),
        }
    }

    fn utc() -> Self {
        Self {
            name: "UTC".to_owned(),
            zone: TimeZone::UTC,
        }
    }
}

fn read(file: &Path, name: &str) -> Option<TimeZone> {
    TimeZone::tzif(name, &fs::read(file).ok()?).ok()
}

/// Returns the zone with this name from this program's rules.
pub(crate) fn bundled(name: &str) -> Option<TimeZone> {
    let mut lines = ZONES.lines().filter_map(|line| line.split_once(' '));
    let (rule, _) = lines.find(|(_, names)| names.split(' ').any(|zone| zone == name))?;
    match rule.strip_prefix('@') {
        None => TimeZone::posix(rule).ok(),
        Some(changes) => TimeZone::tzif(name, &zone_file(changes)?).ok(),
    }
}

/// Converts changes, such as `1772330400+7200,1774483200+3600`, to a zone file of version 2
/// (RFC 8536). The offset of the last change stays.
fn zone_file(changes: &str) -> Option<Vec<u8>> {
    let mut times = Vec::new();
    let mut offsets: Vec<i32> = Vec::new();
    for change in changes.split(',') {
        let sign = change.rfind(['+', '-'])?;
        times.push(change[..sign].parse::<i64>().ok()?);
        offsets.push(change[sign..].parse().ok()?);
    }
    let mut types = offsets.clone();
    types.sort_unstable();
    types.dedup();
    let header = |times: u32, types: u32, letters: u32| {
        let mut bytes = b"TZif2".to_vec();
        bytes.extend([0; 15]);
        for count in [0, 0, 0, times, types, letters] {
            bytes.extend(count.to_be_bytes());
        }
        bytes
    };
    // Version 1 is empty, because all readers know version 2.
    let mut bytes = header(0, 1, 1);
    bytes.extend([0; 7]);
    let count = |length: usize| u32::try_from(length).ok();
    bytes.extend(header(count(times.len())?, count(types.len())?, 4));
    bytes.extend(times.iter().flat_map(|time| time.to_be_bytes()));
    for offset in &offsets {
        let index = types.iter().position(|other| other == offset)?;
        bytes.push(u8::try_from(index).ok()?);
    }
    for offset in types {
        bytes.extend(offset.to_be_bytes());
        bytes.extend([0, 0]);
    }
    bytes.extend(b"-00\0\n\n");
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn bundled_rules_agree_with_the_machines_zone_files() {
        let names = ZONES.lines().filter_map(|line| line.split_once(' '));
        let names: Vec<&str> = names.flat_map(|(_, names)| names.split(' ')).collect();
        assert!(names.len() > 400, "{}", names.len());
        for name in names {
            let own = bundled(name).unwrap_or_else(|| panic!("no rules for {name}"));
            let Some(file) = read(&Path::new(ZONE_FOLDER).join(name), name) else {
                continue;
            };
            // Every 12 hours from 2026 to 2036.
            for step in 0..20 * 365 {
                let time = Timestamp::from_second(1_767_225_600 + step * 43_200).expect("a time");
                assert_eq!(own.to_offset(time), file.to_offset(time), "{name} {time}");
            }
        }
    }

    #[test]
    fn only_names_of_zones_are_found() {
        for name in [
            "Asia/Jerusalem",
            "UTC",
            "Etc/GMT+5",
            "America/Port-au-Prince",
        ] {
            assert_eq!(NamedZone::find(name).expect(name).name, name);
        }
        for name in [
            "",
            "Asia/Jerusalen",
            "../etc/passwd",
            "/etc/localtime",
            "Asia/ Jerusalem",
        ] {
            assert_eq!(NamedZone::find(name), None, "{name}");
        }
    }
}
