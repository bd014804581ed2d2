//! Time zones by name.
//!
//! The machine's zone files have precedence, because they are updated with the machine. The program
//! also contains the rules of all zones, so it runs where no zone files are installed. `zones.txt`
//! has only the rules since 2025, because reports need no earlier ones: 12 kB instead of the
//! 250 kB of jiff's database, for which the packages have no room. `tools/time_zones` generates it.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

/// The rules of all zones. Each line has a rule and the names of its zones. A rule is a POSIX time
/// zone, or `@` and the times of all changes with the offsets that follow, where the changes follow
/// no rule.
const ZONES: &str = include_str!("zones.txt");

/// A time zone with its name, for example `Asia/Jerusalem`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedZone {
    /// The name.
    pub name: String,
    /// The rules.
    pub zone: TimeZone,
}

impl NamedZone {
    /// Returns the zone with this name, in upper or lower case. Returns `None` if there is no such
    /// zone.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        if let Ok(zone) = TimeZone::get(name) {
            return (!zone.is_unknown()).then(|| Self::new(zone));
        }
        bundled(name)
    }

    /// Returns the machine's zone: `TZ`, otherwise `/etc/localtime`, otherwise UTC.
    #[must_use]
    pub fn of_machine() -> Self {
        if let Ok(zone) = TimeZone::try_system() {
            return Self::new(zone);
        }
        // There may be no zone files.
        let variable = std::env::var("TZ").ok();
        let zone = variable.and_then(|name| Self::find(&name));
        zone.unwrap_or_else(|| Self::new(TimeZone::UTC))
    }

    fn new(zone: TimeZone) -> Self {
        // Only the machine's zone can be without a name.
        let name = match zone.iana_name() {
            Some(name) => name.to_owned(),
            None => fixed_offset(&zone).map_or_else(|| "local".to_owned(), offset_name),
        };
        Self { name, zone }
    }
}

/// Returns the offset of a zone that has the same offset at all times from now on.
fn fixed_offset(zone: &TimeZone) -> Option<Offset> {
    let now = Timestamp::now();
    let is_fixed = zone.following(now).next().is_none();
    is_fixed.then(|| zone.to_offset(now))
}

/// Returns the name of a zone with this offset, for example `UTC+05:45`.
fn offset_name(offset: Offset) -> String {
    let sign = if offset.is_negative() { '-' } else { '+' };
    let minutes = offset.seconds().abs() / 60;
    format!("UTC{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Returns the zone with this name from this program's rules.
fn bundled(name: &str) -> Option<NamedZone> {
    let mut lines = ZONES.lines().filter_map(|line| line.split_once(' '));
    let (rule, name) = lines.find_map(|(rule, names)| {
        let mut names = names.split(' ');
        let name = names.find(|zone| zone.eq_ignore_ascii_case(name))?;
        Some((rule, name))
    })?;
    let zone = match rule.strip_prefix('@') {
        None => TimeZone::posix(rule),
        Some(changes) => TimeZone::tzif(name, &zone_file(changes)?),
    };
    Some(NamedZone {
        name: name.to_owned(),
        zone: zone.ok()?,
    })
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
    use super::*;

    #[test]
    fn bundled_rules_agree_with_the_machines_zone_files() {
        let names = ZONES.lines().filter_map(|line| line.split_once(' '));
        let names: Vec<&str> = names.flat_map(|(_, names)| names.split(' ')).collect();
        assert!(names.len() > 400, "{}", names.len());
        for name in names {
            let own = bundled(name)
                .unwrap_or_else(|| panic!("no rules for {name}"))
                .zone;
            let Ok(file) = TimeZone::get(name) else {
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
    fn zone_without_a_name_is_named_after_its_offset() {
        for (rule, name) in [
            ("<+0545>-5:45", "UTC+05:45"),
            ("XYZ3:30", "UTC-03:30"),
            ("XYZ0", "UTC+00:00"),
            ("EST5EDT,M3.2.0,M11.1.0", "local"),
        ] {
            let zone = TimeZone::posix(rule).expect(rule);
            assert_eq!(NamedZone::new(zone).name, name);
        }
    }

    #[test]
    fn only_names_of_zones_are_found() {
        for name in [
            "Asia/Jerusalem",
            "UTC",
            "Etc/GMT+5",
            "America/Port-au-Prince",
            // Debian's package tzdata does not contain this name.
            "US/Eastern",
        ] {
            assert_eq!(NamedZone::find(name).expect(name).name, name);
        }
        let zone = NamedZone::find("asia/jerusalem").expect("a zone");
        assert_eq!(zone.name, "Asia/Jerusalem");
        for name in [
            "",
            "Asia/Jerusalen",
            "../etc/passwd",
            "/etc/localtime",
            "Asia/Jerusalem ",
            "Etc/Unknown",
            "EST5EDT,M3.2.0,M11.1.0",
        ] {
            assert_eq!(NamedZone::find(name), None, "{name}");
        }
    }
}
