//! The report for people.

use std::fmt::{Display, Formatter, Result};

use super::probe::UNVERIFIED;
use super::report::{PbxReport, Report};

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        writeln!(f, "configuration: ok")?;
        if let Some(certificate) = &self.certificate {
            writeln!(f, "http.tls_certificate: ends at {}", certificate.not_after)?;
        }
        for pbx in self.pbxes.iter().filter(|pbx| pbx.linked) {
            linked(f, pbx)?;
            let of_pbx = self.organizations.iter().filter(|o| o.pbx == pbx.name);
            for organization in of_pbx {
                let (name, own) = (&organization.name, organization.queues);
                let all = pbx.queues.unwrap_or_default();
                writeln!(
                    f,
                    "organization {name}: reaches {own} of the PBX's {all} queues"
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

fn linked(f: &mut Formatter<'_>, pbx: &PbxReport) -> Result {
    let asterisk = pbx.asterisk;
    let asterisk = asterisk.map_or_else(|| "newer than known".to_owned(), |g| g.to_string());
    let ami = pbx.ami_version.as_deref().unwrap_or_default();
    let (name, address) = (&pbx.name, &pbx.address);
    write!(
        f,
        "pbx {name}: linked to {address}, Asterisk {asterisk} (AMI {ami})"
    )?;
    if let Some(latency) = pbx.latency_ms {
        write!(f, ", round trip {latency:.2} ms")?;
    }
    if let Some(events) = pbx.events {
        let hint = if events == UNVERIFIED {
            " (check --probe verifies them)"
        } else {
            ""
        };
        write!(f, ", events {events}{hint}")?;
    }
    if let Some(certificate) = &pbx.certificate {
        write!(f, ", its certificate ends at {}", certificate.not_after)?;
    }
    writeln!(f)
}

#[cfg(test)]
mod tests {
    use super::super::CertificateReport;
    use super::*;

    #[test]
    fn each_certificate_is_told_with_its_end() {
        let ending = |not_after: &str| {
            Some(CertificateReport {
                not_after: not_after.into(),
                days_left: 5,
            })
        };
        let pbx = PbxReport {
            linked: true,
            certificate: ending("2027-03-01T12:00:00Z"),
            ..PbxReport::default()
        };
        let report = Report {
            pbxes: vec![pbx],
            certificate: ending("2027-04-01T12:00:00Z"),
            ..Report::default()
        };
        let text = report.to_string();
        for told in [
            "http.tls_certificate: ends at 2027-04-01T12:00:00Z\n",
            ", its certificate ends at 2027-03-01T12:00:00Z\n",
        ] {
            assert!(text.contains(told), "{text}");
        }
    }
}
