//! Recognizes the distribution that manages a PBX by its files.

use std::path::Path;

use crate::ami::Address;

/// The folder in which packages put Asterisk's configuration.
pub const ASTERISK_FOLDER: &str = "/etc/asterisk";

/// A distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Distribution {
    /// The files of the PBX are on another machine, or in an unknown folder.
    Unknown,
    /// Asterisk without a distribution.
    Plain,
    FreePbx,
    Issabel,
    VitalPbx,
}

/// The templates that a distribution uses for every member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UsualTemplates {
    pub(crate) interface: &'static str,
    pub(crate) state_interface: &'static str,
}

/// Files and folders by which a distribution is recognized. The first part is relative to the
/// folder that contains Asterisk's configuration folder, usually `/etc`.
const MARKS: [(&str, Distribution); 7] = [
    ("issabel.conf", Distribution::Issabel),
    ("issabelpbx.conf", Distribution::Issabel),
    ("elastix.conf", Distribution::Issabel),
    ("asterisk/vitalpbx", Distribution::VitalPbx),
    ("freepbx.conf", Distribution::FreePbx),
    ("amportal.conf", Distribution::FreePbx),
    // Without access to /etc, such as in a container that has only Asterisk's folder.
    ("asterisk/freepbx_menu.conf", Distribution::FreePbx),
];

/// Files in Asterisk's folder that both FreePBX and Issabel write.
const FREEPBX_FILES: [&str; 2] = ["queues_additional.conf", "manager_additional.conf"];

impl Distribution {
    /// Recognizes the distribution of the PBX at an address.
    pub(crate) fn at(address: &Address, asterisk_folder: &Path) -> Self {
        match has_files_of(asterisk_folder, address) {
            true => Self::of(asterisk_folder),
            false => Self::Unknown,
        }
    }

    /// Recognizes the distribution by Asterisk's configuration folder and its parent.
    pub(crate) fn of(asterisk_folder: &Path) -> Self {
        if !asterisk_folder.is_dir() {
            return Self::Unknown;
        }
        let mark = MARKS.iter().find(|(mark, _)| {
            let path = match mark.strip_prefix("asterisk/") {
                Some(rest) => asterisk_folder.join(rest),
                None => asterisk_folder.with_file_name(mark),
            };
            path.exists()
        });
        match mark {
            Some((_, distribution)) => *distribution,
            None if FREEPBX_FILES
                .iter()
                .all(|name| asterisk_folder.join(name).exists()) =>
            {
                Self::FreePbx
            }
            None => Self::Plain,
        }
    }

    /// Returns the name for the operator.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Unknown => "distribution unknown",
            Self::Plain => "plain Asterisk",
            Self::FreePbx => "FreePBX",
            Self::Issabel => "Issabel",
            Self::VitalPbx => "VitalPBX",
        }
    }

    /// Returns the templates of the members that the distribution's own pages add.
    pub(crate) fn usual_templates(self) -> Option<UsualTemplates> {
        match self {
            Self::FreePbx | Self::Issabel => Some(UsualTemplates {
                interface: "Local/{agent}@from-queue/n",
                state_interface: "hint:{agent}@ext-local",
            }),
            Self::Unknown | Self::Plain | Self::VitalPbx => None,
        }
    }

    /// Returns whether Asterisk takes a section of the distribution's `queues.conf` for a queue,
    /// although the section is for default settings. With members, it is a queue.
    pub(crate) fn has_only_settings_in(self, queue: &str, has_members: bool) -> bool {
        matches!(self, Self::FreePbx | Self::Issabel) && queue == "default" && !has_members
    }
}

/// Returns whether a folder has the files of the PBX at `address`. Another folder than the usual
/// one was chosen for this PBX, such as the folder of a container.
pub(crate) fn has_files_of(asterisk_folder: &Path, address: &Address) -> bool {
    address.is_loopback() || asterisk_folder != Path::new(ASTERISK_FOLDER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_folder_has_the_files_of_this_machine() {
        for (folder, address, expected) in [
            (ASTERISK_FOLDER, "127.0.0.1:5038", true),
            (ASTERISK_FOLDER, "192.0.2.1:5038", false),
            ("/srv/pbx/etc", "192.0.2.1:5038", true),
        ] {
            let address = Address::parse(address).expect("an address");
            let has_files = has_files_of(Path::new(folder), &address);
            assert_eq!(has_files, expected, "{folder} {address}");
        }
    }

    #[test]
    fn distribution_is_recognized_by_files() {
        for (files, expected) in [
            (&[][..], Distribution::Plain),
            (&["freepbx.conf", "amportal.conf"], Distribution::FreePbx),
            (&["amportal.conf", "issabel.conf"], Distribution::Issabel),
            (&["asterisk/vitalpbx"], Distribution::VitalPbx),
            (&["asterisk/queues_additional.conf"], Distribution::Plain),
            (
                &[
                    "asterisk/queues_additional.conf",
                    "asterisk/manager_additional.conf",
                ],
                Distribution::FreePbx,
            ),
        ] {
            let folder = tempfile::tempdir().expect("a folder");
            let asterisk = folder.path().join("asterisk");
            std::fs::create_dir(&asterisk).expect("a folder");
            for file in files {
                std::fs::write(folder.path().join(file), "").expect("written");
            }
            assert_eq!(Distribution::of(&asterisk), expected, "{files:?}");
        }
    }
}
