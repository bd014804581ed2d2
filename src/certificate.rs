//! From when until when a certificate is valid.

use der::asn1::{GeneralizedTime, UtcTime};
use der::{ErrorKind, Reader, SliceReader, Tag};
use jiff::Timestamp;
use tracing::warn;

/// Days before its end from which on a certificate is warned of.
const DAYS: i64 = 21;

/// Whether clients take it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Yes, and for long.
    Valid,
    /// Yes, and not for long, or it can't be told.
    Doubtful(String),
    /// No.
    Invalid(String),
}

/// The end of the certificate, in DER, and what that means at that time.
pub(crate) fn judge(der: Option<&[u8]>, now: Timestamp) -> (Option<Timestamp>, Verdict) {
    let Some((begins, ends)) = der.and_then(validity) else {
        let told = "how long it is valid can't be read".to_owned();
        return (None, Verdict::Doubtful(told));
    };
    let days = days_between(now, ends);
    let verdict = if begins > now {
        Verdict::Invalid(format!(
            "valid only from {begins} on (is this machine's clock right?)"
        ))
    } else if ends < now {
        Verdict::Invalid(format!("expired at {ends}"))
    } else if days < DAYS {
        Verdict::Doubtful(format!("{days} days left; it ends at {ends}"))
    } else {
        Verdict::Valid
    };
    (Some(ends), verdict)
}

/// Whole days; negative where the end is over.
pub(crate) fn days_between(now: Timestamp, end: Timestamp) -> i64 {
    (end.as_second() - now.as_second()).div_euclid(86_400)
}

/// Warns where clients will not take the interface's certificate, or not for long. It
/// is served all the same.
pub(crate) fn tell(der: Option<&[u8]>) {
    if let Verdict::Doubtful(told) | Verdict::Invalid(told) = judge(der, Timestamp::now()).1 {
        warn!("http.tls_certificate: {told}");
    }
}

/// Reads `notBefore` and `notAfter` of an X.509 certificate (RFC 5280, section 4.1).
/// Returns `None` if it is malformed.
pub(crate) fn validity(der: &[u8]) -> Option<(Timestamp, Timestamp)> {
    let mut reader = SliceReader::new(der).ok()?;
    let validity: der::Result<_> = reader.sequence(|certificate| {
        let validity = certificate.sequence(read_signed_part)?;
        certificate.drain(certificate.remaining_len())?;
        Ok(validity)
    });
    validity.ok()
}

/// Reads the part that the signature covers (`TBSCertificate`).
fn read_signed_part(fields: &mut SliceReader<'_>) -> der::Result<(Timestamp, Timestamp)> {
    // Certificates of version 1 have no version field.
    if Tag::peek(fields)?.is_context_specific() {
        fields.tlv_bytes()?;
    }
    // Serial number, signature algorithm, issuer.
    for _ in 0..3 {
        fields.tlv_bytes()?;
    }
    let validity = fields.sequence(|times| Ok((read_time(times)?, read_time(times)?)));
    fields.drain(fields.remaining_len())?;
    validity
}

fn read_time(reader: &mut SliceReader<'_>) -> der::Result<Timestamp> {
    let since_epoch = if Tag::peek(reader)? == Tag::UtcTime {
        reader.decode::<UtcTime>()?.to_unix_duration()
    } else {
        reader.decode::<GeneralizedTime>()?.to_unix_duration()
    };
    // A certificate that never expires ends with the year 9999, one day after jiff's maximum.
    let seconds = i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds.min(Timestamp::MAX.as_second()))
        .map_err(|_| ErrorKind::DateTime.into())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use jiff::tz::TimeZone;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};
    use tokio_rustls::rustls::pki_types::CertificateDer;
    use tokio_rustls::rustls::pki_types::pem::PemObject;

    use super::*;

    fn not_after(der: &[u8]) -> Option<Timestamp> {
        validity(der).map(|(_, end)| end)
    }

    fn ending(year: i32, month: u8, day: u8) -> Vec<u8> {
        let mut params = CertificateParams::new(["localhost".to_owned()]).expect("names");
        params.not_after = date_time_ymd(year, month, day);
        let key = KeyPair::generate().expect("a key");
        params.self_signed(&key).expect("signed").der().to_vec()
    }

    #[test]
    fn the_end_is_found_in_both_forms_of_time() {
        for (year, month, day) in [(2031, 2, 28), (2049, 12, 31), (2050, 1, 1), (2400, 7, 9)] {
            let expected = date(year, month, day)
                .to_zoned(TimeZone::UTC)
                .expect("a time");
            let der = ending(year.into(), month as u8, day as u8);
            assert_eq!(not_after(&der), Some(expected.timestamp()));
        }
    }

    #[test]
    fn one_that_never_ends_is_long_valid() {
        assert_eq!(
            not_after(&ending(9999, 12, 31)).map(|end| end.as_second()),
            Some(Timestamp::MAX.as_second())
        );
    }

    #[test]
    fn certificates_of_version_1_have_one_too() {
        let old = include_bytes!("../tests/it/data/x509-v1.pem");
        let old = CertificateDer::from_pem_slice(old).expect("PEM");
        assert!(not_after(&old).is_some());
        assert_eq!(not_after(&old[..100]), None);
    }
}
