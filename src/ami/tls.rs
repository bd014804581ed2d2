//! TLS to Asterisk: certificate verification, and advice for the operator about TLS
//! errors.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{
    CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

use crate::pem;

/// The certificates that the bridge accepts from Asterisk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// Certificates signed by an authority that the operating system trusts.
    System,
    /// Certificates signed by an authority in this PEM file.
    Authority(PathBuf),
    /// Only the certificate whose DER encoding has this SHA-256 digest.
    Pin([u8; 32]),
}

/// Settings for TLS connections to Asterisk.
#[derive(Clone)]
pub struct TlsSettings {
    config: Arc<ClientConfig>,
    trust: Trust,
    server_name: ServerName<'static>,
}

impl std::fmt::Debug for TlsSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsSettings")
            .field("trust", &self.trust)
            .field("server_name", &self.server_name)
            .finish_non_exhaustive()
    }
}

/// Settings are equal if they trust the same certificates for the same server name.
impl PartialEq for TlsSettings {
    fn eq(&self, other: &Self) -> bool {
        let Self {
            config: _,
            trust,
            server_name,
        } = self;
        *trust == other.trust && *server_name == other.server_name
    }
}

impl TlsSettings {
    /// Creates the settings for a server whose certificate is for `server_name`, a host name
    /// or IP address. Reads the PEM file of [`Trust::Authority`].
    ///
    /// # Errors
    /// Returns a message for the operator if the server name or the PEM file is invalid.
    pub fn new(trust: Trust, server_name: &str) -> Result<Self, String> {
        let name = ServerName::try_from(server_name.to_owned())
            .map_err(|_| format!("\"{server_name}\" is not a host name or address"))?;
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let verifier: Arc<dyn ServerCertVerifier> = match &trust {
            Trust::Pin(pin) => Arc::new(PinVerifier {
                pin: *pin,
                provider,
            }),
            Trust::System => chain_verifier(system_roots(), provider)?,
            Trust::Authority(path) => chain_verifier(authority_roots(path)?, provider)?,
        };
        let config = builder
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        Ok(Self {
            config: Arc::new(config),
            trust,
            server_name: name,
        })
    }

    pub(super) async fn connect(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        TlsConnector::from(Arc::clone(&self.config))
            .connect(self.server_name.clone(), stream)
            .await
            .map_err(add_advice)
    }
}

fn chain_verifier(
    roots: RootCertStore,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, String> {
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
    verifier
        .map(|verifier| verifier as Arc<dyn ServerCertVerifier>)
        .map_err(|error| error.to_string())
}

fn system_roots() -> RootCertStore {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    store
}

fn authority_roots(path: &Path) -> Result<RootCertStore, String> {
    let displayed_path = path.display();
    let text = pem::read(path).map_err(|error| format!("{displayed_path}: {error}"))?;
    let certificates = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| format!("{displayed_path}: {error}"))?;
    if certificates.is_empty() {
        return Err(format!("{displayed_path} contains no certificate"));
    }
    let mut store = RootCertStore::empty();
    for certificate in certificates {
        store
            .add(certificate)
            .map_err(|error| format!("{displayed_path}: {}", advice(&error)))?;
    }
    Ok(store)
}

/// Accepts one certificate, regardless of its issuer and expiry date. The handshake's
/// signature still proves that the peer has the certificate's key.
#[derive(Debug)]
struct PinVerifier {
    pin: [u8; 32],
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for PinVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let digest = Sha256::digest(end_entity);
        if bool::from(digest.as_slice().ct_eq(&self.pin)) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(Error::InvalidCertificate(
                CertificateError::ApplicationVerificationFailure,
            ))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

fn add_advice(error: io::Error) -> io::Error {
    let tls = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Error>());
    match tls {
        Some(tls) => io::Error::new(error.kind(), advice(tls)),
        None => error,
    }
}

/// Describes a TLS error, with advice for the operator if the cause is known. Asterisk's
/// script `ast_tls_cert` is widely used, but creates certificates that current TLS
/// libraries reject.
fn advice(error: &Error) -> String {
    use CertificateError as Certificate;
    let text = error.to_string();
    let hint = match error {
        Error::InvalidCertificate(Certificate::ApplicationVerificationFailure) => {
            "the certificate does not match tls_pin_sha256"
        }
        Error::InvalidCertificate(
            Certificate::NotValidForName | Certificate::NotValidForNameContext { .. },
        ) => {
            "the certificate is for a different name: set tls_server_name to the certificate's name"
        }
        Error::InvalidCertificate(Certificate::UnknownIssuer | Certificate::BadSignature) => {
            "the certificate is not signed by an authority of tls_ca_file or, if that is not set, \
             of the operating system"
        }
        Error::InvalidCertificate(Certificate::Expired | Certificate::ExpiredContext { .. }) => {
            "reissue it (docs/SECURITY.md), or pin it with tls_pin_sha256"
        }
        // The peer does not speak TLS.
        Error::InvalidMessage(_) => {
            "is this the port without TLS? tlsbindaddr in manager.conf sets the TLS port"
        }
        // rustls has no variants for these two errors.
        _ if text.contains("UnsupportedCertVersion") => {
            "the certificate is X.509 version 1, as created by Asterisk's ast_tls_cert: \
             reissue it with a subjectAltName (see the commands in docs/SECURITY.md; you can keep \
             the key)"
        }
        _ if text.contains("CaUsedAsEndEntity") => {
            "this is the certificate of an authority: pin it with tls_pin_sha256, or issue one \
             with basicConstraints=CA:FALSE (docs/SECURITY.md)"
        }
        _ => return text,
    };
    format!("{text}: {hint}")
}
