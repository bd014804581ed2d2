//! The report of a check. Its JSON format is documented, so fields may be added but not
//! changed or removed.

use jiff::Timestamp;
use serde::Serialize;

use crate::certificate::days_between;
use crate::config::ConfigError;

/// The result of a check.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Whether the check found no errors. Determines the exit status.
    pub ok: bool,
    /// The PBXes, ordered by name.
    pub pbxes: Vec<PbxReport>,
    /// The organizations on PBXes whose queues could be listed.
    pub organizations: Vec<OrganizationReport>,
    /// The overlaps that `shared = true` allows.
    pub overlaps: Vec<OverlapReport>,
    /// Where the state is stored.
    pub state: StateReport,
    /// The API's certificate, if TLS is configured.
    pub certificate: Option<CertificateReport>,
    /// Problems that should be fixed although the bridge works.
    pub warnings: Vec<String>,
    /// Problems that prevent the bridge from working.
    pub errors: Vec<String>,
}

/// The result for one PBX.
#[derive(Debug, Default, Serialize)]
pub struct PbxReport {
    /// The NAME in `[pbx.NAME]`.
    pub name: String,
    /// `host:port`.
    pub address: String,
    /// Whether the bridge could connect and log in.
    pub linked: bool,
    /// AMI version, such as `11.0.0`.
    pub ami_version: Option<String>,
    /// Asterisk's major version, if the bridge recognizes the AMI version.
    pub asterisk: Option<u32>,
    /// Round-trip time of a `Ping`, in milliseconds.
    pub latency_ms: Option<f64>,
    /// Whether the AMI user may change queues. The login tests this by pausing a nonexistent
    /// member: Asterisk either denies the action or reports that it can't find the member.
    pub may_change_queues: Option<bool>,
    /// Whether the AMI user receives the `FullyBooted` event.
    pub sees_boot: Option<bool>,
    /// Whether the AMI user receives member events.
    pub events: Option<MemberEvents>,
    /// Seconds by which the PBX's clock is ahead of the local clock.
    pub clock_offset_seconds: Option<f64>,
    /// Actions that the AMI user may perform but the bridge does not need.
    pub excess_actions: Option<Vec<String>>,
    /// The lines that the AMI user's section in `manager.conf` must have; empty if it has all
    /// of them.
    pub manager_conf: Option<Vec<String>>,
    /// Asterisk's certificate, if the link uses TLS.
    pub certificate: Option<CertificateReport>,
    /// Number of queues on the PBX, without a distribution's section for default settings.
    pub queues: Option<usize>,
}

/// Whether the AMI user receives member events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MemberEvents {
    /// Unknown, because no member was changed.
    Unverified,
    /// A change caused an event.
    Seen,
    /// A change caused no event.
    Missing,
}

/// The result for one organization.
#[derive(Debug, Serialize)]
pub struct OrganizationReport {
    /// The NAME in `[organization.NAME]`.
    pub name: String,
    /// The NAME in its PBX's `[pbx.NAME]`.
    pub pbx: String,
    /// Number of queues on the PBX that belong to the organization.
    pub queues: usize,
    /// Items in `queues` that match no queue on the PBX.
    pub missing_queues: Vec<String>,
}

/// Two organizations that can reach the same queue or interface.
#[derive(Debug, Serialize)]
pub struct OverlapReport {
    /// The first organization's name.
    pub first: String,
    /// The second organization's name.
    pub second: String,
    /// A queue or an interface that both can reach.
    pub example: String,
}

/// Where what must survive a restart is stored.
#[derive(Debug, Default, Serialize)]
pub struct StateReport {
    /// The directory; `None` if the state is in memory.
    pub directory: Option<String>,
    /// Whether the state can be stored.
    pub status: StateStatus,
    /// Why the directory is not usable.
    pub reason: Option<String>,
}

/// Whether the state can be stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StateStatus {
    /// The state is in memory.
    #[default]
    Memory,
    /// The directory is usable.
    Ok,
    /// A running bridge uses the directory.
    InUse,
    /// The bridge will create the directory.
    Missing,
    /// The directory is not usable.
    Unavailable,
}

/// The validity of a certificate.
#[derive(Debug, Serialize)]
pub struct CertificateReport {
    /// Time at which the certificate expires, in UTC.
    pub not_after: String,
    /// Whole days until the certificate expires; negative if it has expired.
    pub days_left: i64,
}

impl CertificateReport {
    pub(super) fn new(not_after: Timestamp, now: Timestamp) -> Self {
        Self {
            not_after: not_after.to_string(),
            days_left: days_between(now, not_after),
        }
    }
}

impl Report {
    /// Creates the report for an unusable configuration. It contains only the configuration's
    /// mistakes.
    #[must_use]
    pub fn for_unusable_configuration(error: &ConfigError) -> Self {
        let errors = match error {
            ConfigError::Mistakes { mistakes, .. } => {
                mistakes.iter().map(ToString::to_string).collect()
            }
            error => vec![error.to_string()],
        };
        Self {
            errors,
            ..Self::default()
        }
    }

    /// Creates an empty report without errors.
    pub(super) fn new() -> Self {
        Self {
            ok: true,
            ..Self::default()
        }
    }

    /// Adds the report of one PBX.
    pub(super) fn merge(&mut self, mut other: Self) {
        self.ok &= other.ok;
        self.pbxes.append(&mut other.pbxes);
        self.organizations.append(&mut other.organizations);
        self.warnings.append(&mut other.warnings);
        self.errors.append(&mut other.errors);
    }

    pub(super) fn warn(&mut self, warning: impl Into<String>) {
        self.warnings.push(warning.into());
    }

    pub(super) fn fail(&mut self, error: impl Into<String>) {
        self.ok = false;
        self.errors.push(error.into());
    }

    /// Returns the report as JSON.
    #[must_use]
    pub fn json(&self) -> String {
        // The report contains only text and numbers, so it can always be serialized.
        let mut json = serde_json::to_string_pretty(self).unwrap_or_default();
        json.push('\n');
        json
    }
}
