//! The report for people.

use std::fmt::{Display, Formatter, Result};

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
    if let Some(certificate) = &pbx.certificate {
        write!(f, ", its certificate ends at {}", certificate.not_after)?;
    }
    writeln!(f)
}
