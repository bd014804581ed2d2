//! The report for people.

use std::fmt::{Display, Formatter, Result};

use super::report::{PbxReport, Report};

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        writeln!(f, "configuration: ok")?;
        // One that has expired is among the errors.
        let valid = self.certificate.as_ref().filter(|c| c.days_left >= 0);
        if let Some(certificate) = valid {
            let (days, ends) = (certificate.days_left, &certificate.not_after);
            writeln!(f, "http.tls_certificate: {days} days left, until {ends}")?;
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
    writeln!(f)
}

#[cfg(test)]
mod tests {
    use super::super::CertificateReport;
    use super::*;

    #[test]
    fn days_are_left_until_the_end_only() {
        for (days_left, told) in [(5, true), (0, true), (-2368, false)] {
            let report = Report {
                certificate: Some(CertificateReport {
                    not_after: "2027-03-01T12:00:00Z".into(),
                    days_left,
                }),
                ..Report::default()
            };
            assert_eq!(
                report.to_string().contains("days left"),
                told,
                "{days_left}"
            );
        }
    }
}
