//! Reads and checks a certificate's validity period.

use der::asn1::{GeneralizedTime, UtcTime};
use der::{ErrorKind, Reader, SliceReader, Tag};
use jiff::Timestamp;
use tracing::warn;

/// The bridge warns about certificates that expire in fewer than this many days.
const EXPIRY_WARNING_DAYS: i64 = 21;

/// Whether a certificate is valid and, if it is not, what the problem is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Validity {
    /// Clients accept the certificate.
    Valid,
    /// The certificate expires soon, or its validity period can't be read.
    Questionable(String),
    /// Clients reject the certificate.
    Invalid(String),
}

/// Returns the expiry time of a DER-encoded certificate, and the certificate's validity at
/// `now`. `der` is `None` if the certificate can't be read.
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
    } else if days < EXPIRY_WARNING_DAYS {
        Validity::Questionable(format!("{days} days left; it expires at {end}"))
    } else {
        Validity::Valid
    };
    (Some(end), validity)
}

/// Returns the number of whole days from `now` to `end`; negative if `end` has passed.
pub(crate) fn days_between(now: Timestamp, end: Timestamp) -> i64 {
    (end.as_second() - now.as_second()).div_euclid(86_400)
}

/// Logs a warning if the API's certificate is invalid or expires soon. The API uses the
/// certificate regardless.
pub(crate) fn warn_unless_valid(der: Option<&[u8]>) {
    let (_, validity) = validity_at(der, Timestamp::now());
    if let Validity::Questionable(problem) | Validity::Invalid(problem) = validity {
        warn!("http.tls_certificate: {problem}");
    }
}

/// Reads `notBefore` and `notAfter` from an X.509 certificate (RFC 5280, section 4.1).
/// Returns `None` if the certificate is malformed.
pub(crate) fn validity_period(der: &[u8]) -> Option<(Timestamp, Timestamp)> {
    let mut reader = SliceReader::new(der).ok()?;
    let validity: der::Result<_> = reader.sequence(|certificate| {
        let validity = certificate.sequence(read_tbs_certificate)?;
        certificate.drain(certificate.remaining_len())?;
        Ok(validity)
    });
    validity.ok()
}

/// Reads the validity period from `TBSCertificate`, the part that the signature covers.
fn read_tbs_certificate(fields: &mut SliceReader<'_>) -> der::Result<(Timestamp, Timestamp)> {
    // Version 1 certificates have no version field.
    if Tag::peek(fields)?.is_context_specific() {
        fields.tlv_bytes()?;
    }
    // Skip the serial number, the signature algorithm and the issuer.
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
    // If a certificate never expires, its expiry date is the end of the year 9999 (RFC
    // 5280). That is one day after jiff's maximum.
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

    fn expiry_time(der: &[u8]) -> Option<Timestamp> {
        validity_period(der).map(|(_, end)| end)
    }

    fn certificate_until(year: i32, month: u8, day: u8) -> Vec<u8> {
        let mut params = CertificateParams::new(["localhost".to_owned()]).expect("a valid name");
        params.not_after = date_time_ymd(year, month, day);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a signed certificate");
        certificate.der().to_vec()
    }

    #[test]
    fn expiry_time_is_read_from_both_time_encodings() {
        for (year, month, day) in [(2031, 2, 28), (2049, 12, 31), (2050, 1, 1), (2400, 7, 9)] {
            let expected = date(year, month, day)
                .to_zoned(TimeZone::UTC)
                .expect("a valid date");
            let der = certificate_until(year.into(), month as u8, day as u8);
            assert_eq!(expiry_time(&der), Some(expected.timestamp()));
        }
    }

    #[test]
    fn certificate_without_expiry_date_expires_at_the_maximum_timestamp() {
        assert_eq!(
            expiry_time(&certificate_until(9999, 12, 31)).map(|end| end.as_second()),
            Some(Timestamp::MAX.as_second())
        );
    }

    #[test]
    fn expiry_time_is_read_from_a_version_1_certificate() {
        let pem = include_bytes!("../tests/it/data/x509-v1.pem");
        let der = CertificateDer::from_pem_slice(pem).expect("a PEM certificate");
        assert!(expiry_time(&der).is_some());
        assert_eq!(expiry_time(&der[..100]), None);
    }
}
