//! The validity period of a certificate.

use der::asn1::{GeneralizedTime, UtcTime};
use der::{ErrorKind, Reader, SliceReader, Tag};
use jiff::Timestamp;
use tracing::warn;

/// A certificate that expires in less than this number of days causes a warning.
const WARN_DAYS: i64 = 21;

/// Whether clients accept a certificate.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Validity {
    /// Clients accept it.
    Valid,
    /// It expires soon, or its validity period can't be read.
    Questionable(String),
    /// Clients refuse it.
    Invalid(String),
}

/// Returns when the certificate (in DER) expires, and whether clients accept it at `now`.
pub(crate) fn validity_at(der: Option<&[u8]>, now: Timestamp) -> (Option<Timestamp>, Validity) {
    let Some((start, end)) = der.and_then(validity_period) else {
        let problem = "its validity period can't be read".to_owned();
        return (None, Validity::Questionable(problem));
    };
    let days = days_between(now, end);
    let validity = if start > now {
        Validity::Invalid(format!(
            "valid only from {start} (is this machine's clock right?)"
        ))
    } else if end < now {
        Validity::Invalid(format!("expired at {end}"))
    } else if days < WARN_DAYS {
        Validity::Questionable(format!("{days} days left; it expires at {end}"))
    } else {
        Validity::Valid
    };
    (Some(end), validity)
}

/// Whole days from `now` to `end`; negative if `end` has passed.
pub(crate) fn days_between(now: Timestamp, end: Timestamp) -> i64 {
    (end.as_second() - now.as_second()).div_euclid(86_400)
}

/// Warns if clients refuse the API's certificate now, or will soon. The API serves it
/// anyway.
pub(crate) fn warn_if_unusable(der: Option<&[u8]>) {
    let (_, validity) = validity_at(der, Timestamp::now());
    if let Validity::Questionable(problem) | Validity::Invalid(problem) = validity {
        warn!("http.tls_certificate: {problem}");
    }
}

/// Reads `notBefore` and `notAfter` of an X.509 certificate (RFC 5280, section 4.1).
/// Returns `None` if it is malformed.
pub(crate) fn validity_period(der: &[u8]) -> Option<(Timestamp, Timestamp)> {
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
    // A certificate that never expires ends with the year 9999 (RFC 5280), one day after
    // jiff's maximum.
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

    fn end_of(der: &[u8]) -> Option<Timestamp> {
        validity_period(der).map(|(_, end)| end)
    }

    fn certificate_until(year: i32, month: u8, day: u8) -> Vec<u8> {
        let mut params = CertificateParams::new(["localhost".to_owned()]).expect("names");
        params.not_after = date_time_ymd(year, month, day);
        let key = KeyPair::generate().expect("a key");
        params.self_signed(&key).expect("signed").der().to_vec()
    }

    #[test]
    fn end_is_read_from_both_time_encodings() {
        for (year, month, day) in [(2031, 2, 28), (2049, 12, 31), (2050, 1, 1), (2400, 7, 9)] {
            let expected = date(year, month, day)
                .to_zoned(TimeZone::UTC)
                .expect("a time");
            let der = certificate_until(year.into(), month as u8, day as u8);
            assert_eq!(end_of(&der), Some(expected.timestamp()));
        }
    }

    #[test]
    fn certificate_that_never_expires_ends_at_the_last_timestamp() {
        assert_eq!(
            end_of(&certificate_until(9999, 12, 31)).map(|end| end.as_second()),
            Some(Timestamp::MAX.as_second())
        );
    }

    #[test]
    fn end_is_read_from_a_version_1_certificate() {
        let old = include_bytes!("../tests/it/data/x509-v1.pem");
        let old = CertificateDer::from_pem_slice(old).expect("PEM");
        assert!(end_of(&old).is_some());
        assert_eq!(end_of(&old[..100]), None);
    }
}
