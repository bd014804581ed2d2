//! What was found. Its JSON is documented, and is added to only.

use jiff::Timestamp;
use serde::Serialize;

use crate::certificate::days_between;
use crate::config::ConfigError;

/// What was found; `ok` decides the exit status.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Whether everything that is needed works.
    pub ok: bool,
    /// The PBXes, in the order of their names.
    pub pbxes: Vec<PbxReport>,
    /// The organizations of PBXes whose queues could be read.
    pub organizations: Vec<OrganizationReport>,
    /// What organizations share, as configured.
    pub overlaps: Vec<OverlapReport>,
    /// The interface's certificate, where it has one.
    pub certificate: Option<CertificateReport>,
    /// What works and should be otherwise.
    pub warnings: Vec<String>,
    /// What does not work.
    pub errors: Vec<String>,
}

/// A PBX.
#[derive(Debug, Default, Serialize)]
pub struct PbxReport {
    /// Name in the configuration.
    pub name: String,
    /// `host:port`.
    pub address: String,
    /// Whether a link could be made.
    pub linked: bool,
    /// Version of the AMI, as `11.0.0`.
    pub ami_version: Option<String>,
    /// Generation of Asterisk, where it is known.
    pub asterisk: Option<u32>,
    /// A round trip of a Ping.
    pub latency_ms: Option<f64>,
    /// Whether the AMI user may change queues: a pause of a member that exists
    /// nowhere was denied or not.
    pub may_change_queues: Option<bool>,
    /// Whether the AMI user sees that Asterisk has booted.
    pub sees_boot: Option<bool>,
    /// Whether events about members come: `unverified`, `seen` or `missing`.
    pub events: Option<&'static str>,
    /// Seconds by which the PBX's clock is ahead of this machine's.
    pub clock_offset_seconds: Option<f64>,
    /// What the AMI user may do that the bridge does not need.
    pub excess_actions: Option<Vec<String>>,
    /// The lines that its section of `manager.conf` needs; empty where it has them.
    pub manager_conf: Option<Vec<String>>,
    /// Asterisk's certificate, over TLS.
    pub certificate: Option<CertificateReport>,
    /// How many queues it has.
    pub queues: Option<usize>,
}

/// An organization.
#[derive(Debug, Serialize)]
pub struct OrganizationReport {
    /// Name in the configuration.
    pub name: String,
    /// Its PBX.
    pub pbx: String,
    /// How many of the PBX's queues are its.
    pub queues: usize,
    /// Numbers and patterns for which the PBX has no queue.
    pub missing_queues: Vec<String>,
}

/// Two organizations that share.
#[derive(Debug, Serialize)]
pub struct OverlapReport {
    /// The one.
    pub first: String,
    /// The other.
    pub second: String,
    /// A queue or an interface that both reach.
    pub example: String,
}

/// A certificate.
#[derive(Debug, Serialize)]
pub struct CertificateReport {
    /// Its end, in UTC.
    pub not_after: String,
    /// Whole days until then; negative behind it.
    pub days_left: i64,
}

impl CertificateReport {
    pub(super) fn of(end: Timestamp, now: Timestamp) -> Self {
        Self {
            not_after: end.to_string(),
            days_left: days_between(now, end),
        }
    }
}

impl Report {
    /// Of a configuration that can't be used: its mistakes, and nothing else.
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

    /// That nothing is wrong, as far as is known.
    pub(super) fn nothing_found() -> Self {
        Self {
            ok: true,
            ..Self::default()
        }
    }

    /// Adds what was found of a PBX.
    pub(super) fn append(&mut self, mut found: Self) {
        self.ok &= found.ok;
        self.pbxes.append(&mut found.pbxes);
        self.organizations.append(&mut found.organizations);
        self.warnings.append(&mut found.warnings);
        self.errors.append(&mut found.errors);
    }

    pub(super) fn fail(&mut self, error: String) {
        self.ok = false;
        self.errors.push(error);
    }

    /// For machines.
    #[must_use]
    pub fn json(&self) -> String {
        // Text and numbers only: nothing in it can fail to be written.
        let mut json = serde_json::to_string_pretty(self).unwrap_or_default();
        json.push('\n');
        json
    }
}
