//! Recognizes the distribution that manages a PBX by its files.

use std::path::Path;

use super::proposal::UsualTemplates;

/// A distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flavor {
    /// The files of the PBX are on another machine, or in another folder.
    Unknown,
    /// Asterisk without a distribution.
    Plain,
    FreePbx,
    Issabel,
    VitalPbx,
}

/// Files and folders by which a distribution is recognized. The first part is relative to the
/// folder that contains Asterisk's configuration folder, usually `/etc`.
const MARKS: [(&str, Flavor); 7] = [
    ("issabel.conf", Flavor::Issabel),
    ("issabelpbx.conf", Flavor::Issabel),
    ("elastix.conf", Flavor::Issabel),
    ("asterisk/vitalpbx", Flavor::VitalPbx),
    ("freepbx.conf", Flavor::FreePbx),
    ("amportal.conf", Flavor::FreePbx),
    // Without access to /etc, such as in a container that has only Asterisk's folder.
    ("asterisk/freepbx_menu.conf", Flavor::FreePbx),
];

/// Files in Asterisk's folder that both FreePBX and Issabel write.
const FREEPBX_FILES: [&str; 2] = ["queues_additional.conf", "manager_additional.conf"];

impl Flavor {
    /// Recognizes the distribution by Asterisk's configuration folder and its parent.
    pub(super) fn of(asterisk_folder: &Path) -> Self {
        let mark = MARKS.iter().find(|(mark, _)| {
            let path = match mark.strip_prefix("asterisk/") {
                Some(rest) => asterisk_folder.join(rest),
                None => asterisk_folder.with_file_name(mark),
            };
            path.exists()
        });
        match mark {
            Some((_, flavor)) => *flavor,
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
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Unknown => "distribution unknown",
            Self::Plain => "plain Asterisk",
            Self::FreePbx => "FreePBX",
            Self::Issabel => "Issabel",
            Self::VitalPbx => "VitalPBX",
        }
    }

    /// Returns the templates of the members that the distribution's own pages add.
    pub(super) fn usual_templates(self) -> Option<UsualTemplates> {
        match self {
            Self::FreePbx | Self::Issabel => Some(UsualTemplates {
                interface: "Local/{agent}@from-queue/n",
                state_interface: "hint:{agent}@ext-local",
            }),
            Self::Unknown | Self::Plain | Self::VitalPbx => None,
        }
    }

    /// Returns the names of queues that nobody uses. The distribution's `queues.conf` has a
    /// section for default settings, which Asterisk takes for a queue.
    pub(super) fn ignored_queues(self) -> &'static [&'static str] {
        match self {
            Self::FreePbx | Self::Issabel => &["default"],
            Self::Unknown | Self::Plain | Self::VitalPbx => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flavor_is_recognized_by_files() {
        for (files, expected) in [
            (&[][..], Flavor::Plain),
            (&["freepbx.conf", "amportal.conf"], Flavor::FreePbx),
            (&["amportal.conf", "issabel.conf"], Flavor::Issabel),
            (&["asterisk/vitalpbx"], Flavor::VitalPbx),
            (&["asterisk/queues_additional.conf"], Flavor::Plain),
            (
                &[
                    "asterisk/queues_additional.conf",
                    "asterisk/manager_additional.conf",
                ],
                Flavor::FreePbx,
            ),
        ] {
            let folder = tempfile::tempdir().expect("a folder");
            let asterisk = folder.path().join("asterisk");
            std::fs::create_dir(&asterisk).expect("a folder");
            for file in files {
                std::fs::write(folder.path().join(file), "").expect("written");
            }
            assert_eq!(Flavor::of(&asterisk), expected, "{files:?}");
        }
    }
}
