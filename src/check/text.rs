//! Formats the report as human-readable text.

use std::fmt::{Display, Formatter, Result};

use super::report::{MemberEvents, PbxReport, Report, StateReport, StateStatus};

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        writeln!(f, "configuration: ok")?;
        if let Some(certificate) = &self.certificate {
            let not_after = &certificate.not_after;
            writeln!(f, "http.tls_certificate: expires at {not_after}")?;
        }
        write_state(f, &self.state)?;
        for pbx in self.pbxes.iter().filter(|pbx| pbx.linked) {
            write_pbx(f, pbx)?;
            let organizations = self.organizations.iter().filter(|o| o.pbx == pbx.name);
            for organization in organizations {
                let (name, reachable) = (&organization.name, organization.queues);
                let total = pbx.queues.unwrap_or_default();
                writeln!(
                    f,
                    "organization {name}: reaches {reachable} of the PBX's {total} queues"
                )?;
            }
        }
        for warning in &self.warnings {
            writeln!(f, "warning: {warning}")?;
        }
        for error in &self.errors {
            writeln!(f, "error: {error}")?;
        }
        Ok(())
    }
}

fn write_state(f: &mut Formatter<'_>, state: &StateReport) -> Result {
    let text = match state.status {
        StateStatus::Memory => {
            return writeln!(
                f,
                "state: in memory only, unless systemd sets STATE_DIRECTORY, as it does for the \
                 packaged unit"
            );
        }
        StateStatus::Ok => "this user can store the state",
        StateStatus::InUse => "the running bridge uses it",
        StateStatus::Missing => "does not exist yet; the bridge creates it at startup",
        StateStatus::Unavailable => "not usable, see the warning",
    };
    let directory = state.directory.as_deref().unwrap_or_default();
    writeln!(f, "state: {directory}: {text}")
}

fn write_pbx(f: &mut Formatter<'_>, pbx: &PbxReport) -> Result {
    let asterisk = pbx.asterisk.map(|version| version.to_string());
    let asterisk = asterisk.as_deref().unwrap_or("of an unknown version");
    let ami = pbx.ami_version.as_deref().unwrap_or_default();
    let (name, address) = (&pbx.name, &pbx.address);
    write!(
        f,
        "pbx {name}: linked to {address}, Asterisk {asterisk} (AMI {ami})"
    )?;
    if let Some(latency) = pbx.latency_ms {
        write!(f, ", round trip {latency:.2} ms")?;
    }
    match pbx.events {
        Some(MemberEvents::Unverified) => {
            write!(f, ", events unverified (check --probe verifies them)")?;
        }
        Some(MemberEvents::Seen) => write!(f, ", events seen")?,
        Some(MemberEvents::Missing) => write!(f, ", events missing")?,
        None => {}
    }
    if let Some(certificate) = &pbx.certificate {
        write!(f, ", certificate expires at {}", certificate.not_after)?;
    }
    writeln!(f)
}

#[cfg(test)]
mod tests {
    use super::super::CertificateReport;
    use super::*;

    #[test]
    fn text_shows_the_expiry_of_each_certificate() {
        let certificate = |not_after: &str| {
            Some(CertificateReport {
                not_after: not_after.into(),
                days_left: 5,
            })
        };
        let pbx = PbxReport {
            linked: true,
            certificate: certificate("2027-03-01T12:00:00Z"),
            ..PbxReport::default()
        };
        let report = Report {
            pbxes: vec![pbx],
            certificate: certificate("2027-04-01T12:00:00Z"),
            ..Report::default()
        };
        let text = report.to_string();
        for expected in [
            "http.tls_certificate: expires at 2027-04-01T12:00:00Z\n",
            ", certificate expires at 2027-03-01T12:00:00Z\n",
        ] {
            assert!(text.contains(expected), "{text}");
        }
    }
}
