//! Time zones by name.
//!
//! The machine's zone files have precedence, because they are updated with the machine. The program
//! also contains the rules of all zones, so it runs where no zone files are installed.

use jiff::tz::{TimeZone, TimeZoneDatabase};

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
        let zone = TimeZone::get(name).or_else(|_| TimeZoneDatabase::bundled().get(name));
        let zone = zone.ok().filter(|zone| !zone.is_unknown())?;
        Some(Self::new(zone))
    }

    /// Returns the machine's zone: `TZ`, otherwise `/etc/localtime`, otherwise UTC.
    #[must_use]
    pub fn of_machine() -> Self {
        Self::new(TimeZone::try_system().unwrap_or(TimeZone::UTC))
    }

    fn new(zone: TimeZone) -> Self {
        // Only the machine's zone can be without a name.
        let name = zone.iana_name().unwrap_or("local").to_owned();
        Self { name, zone }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
