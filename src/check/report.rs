//! The report of a check. Its JSON form is documented, so fields may be added but not changed
//! or removed.

use jiff::Timestamp;
use serde::Serialize;

use crate::certificate::days_between;
use crate::config::ConfigError;

/// The result of a check.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Whether the bridge will work. Determines the exit status.
    pub ok: bool,
    /// The PBXes, ordered by name.
    pub pbxes: Vec<PbxReport>,
    /// The organizations of PBXes whose queues could be listed.
    pub organizations: Vec<OrganizationReport>,
    /// The overlaps that `shared = true` allows.
    pub overlaps: Vec<OverlapReport>,
    /// The API's certificate, if it has one.
    pub certificate: Option<CertificateReport>,
    /// Problems that the operator should fix although the bridge works.
    pub warnings: Vec<String>,
    /// Problems that stop the bridge from working.
    pub errors: Vec<String>,
}

/// The result for one PBX.
#[derive(Debug, Default, Serialize)]
pub struct PbxReport {
    /// NAME of `[pbx.NAME]`.
    pub name: String,
    /// `host:port`.
    pub address: String,
    /// Whether the bridge could connect and log in.
    pub linked: bool,
    /// Version of the AMI, such as `11.0.0`.
    pub ami_version: Option<String>,
    /// Major version of Asterisk, if the bridge knows the AMI version.
    pub asterisk: Option<u32>,
    /// Round-trip time of a `Ping`, in milliseconds.
    pub latency_ms: Option<f64>,
    /// Whether the AMI user may change queues. The login tests this by pausing a member that
    /// does not exist: Asterisk denies the action or does not find the member.
    pub may_change_queues: Option<bool>,
    /// Whether the AMI user receives the event that Asterisk has booted.
    pub sees_boot: Option<bool>,
    /// Whether the AMI user receives events about members.
    pub events: Option<MemberEvents>,
    /// Seconds by which the PBX's clock is ahead of the local clock.
    pub clock_offset_seconds: Option<f64>,
    /// Actions that the AMI user may perform and the bridge does not need.
    pub excess_actions: Option<Vec<String>>,
    /// The lines that the AMI user's section of `manager.conf` must have; empty if it has
    /// them.
    pub manager_conf: Option<Vec<String>>,
    /// Asterisk's certificate, if the link uses TLS.
    pub certificate: Option<CertificateReport>,
    /// Number of queues on the PBX.
    pub queues: Option<usize>,
}

/// Whether the AMI user receives events about members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MemberEvents {
    /// Unknown: no member was changed.
    Unverified,
    /// A change caused an event.
    Seen,
    /// A change caused no event.
    Missing,
}

/// The result for one organization.
#[derive(Debug, Serialize)]
pub struct OrganizationReport {
    /// NAME of `[organization.NAME]`.
    pub name: String,
    /// NAME of its `[pbx.NAME]`.
    pub pbx: String,
    /// Number of queues on the PBX that belong to the organization.
    pub queues: usize,
    /// Items of `queues` for which the PBX has no queue.
    pub missing_queues: Vec<String>,
}

/// Two organizations that can reach the same queue or interface.
#[derive(Debug, Serialize)]
pub struct OverlapReport {
    /// Name of the first organization.
    pub first: String,
    /// Name of the second organization.
    pub second: String,
    /// A queue or an interface that both can reach.
    pub example: String,
}

/// The validity of a certificate.
#[derive(Debug, Serialize)]
pub struct CertificateReport {
    /// When the certificate expires, in UTC.
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
    /// Creates the report for an invalid configuration. It contains only the mistakes.
    #[must_use]
    pub fn of_mistakes(error: &ConfigError) -> Self {
        let errors = match error {
            ConfigError::Mistakes { mistakes, .. } => {
                mistakes.iter().map(ToString::to_string).collect()
            }
            other => vec![other.to_string()],
        };
        Self {
            errors,
            ..Self::default()
        }
    }

    /// Creates a report without problems.
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

    /// The report as JSON.
    #[must_use]
    pub fn json(&self) -> String {
        // The report contains only text and numbers, so it can always be serialized.
        let mut json = serde_json::to_string_pretty(self).unwrap_or_default();
        json.push('\n');
        json
    }
}
