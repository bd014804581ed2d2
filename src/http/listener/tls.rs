//! TLS for a listener. The certificate can be replaced while the listener runs.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{Error, ServerConfig};
use tokio_rustls::server::TlsStream;
use tokio_util::task::AbortOnDropHandle;

use crate::pem;
use crate::worker_runtime::WorkerRuntime;

/// How long a handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// The PEM files of a certificate chain and its key.
#[derive(Debug, Clone)]
pub struct CertificateFiles {
    /// The certificate chain, which starts with the server's own certificate.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

impl CertificateFiles {
    /// Reads both files.
    ///
    /// # Errors
    /// Returns a message that identifies the invalid file and gives the reason. The message
    /// omits the configured paths, because an operator may have pasted the key itself into the
    /// configuration.
    pub fn load(&self) -> Result<Arc<CertifiedKey>, String> {
        let unreadable =
            |error: &dyn fmt::Display| format!("the certificate can't be read: {error}");
        let chain = pem::read(&self.certificate).map_err(|error| unreadable(&error))?;
        let chain = CertificateDer::pem_slice_iter(&chain).collect::<Result<Vec<_>, _>>();
        let chain = chain.map_err(|error| unreadable(&error))?;
        if chain.is_empty() {
            return Err("the file contains no certificate".to_owned());
        }
        let unreadable = |error: &dyn fmt::Display| format!("tls_key can't be read: {error}");
        let key = pem::read(&self.key).map_err(|error| unreadable(&error))?;
        let key = PrivateKeyDer::from_pem_slice(&key).map_err(|error| unreadable(&error))?;
        CertifiedKey::from_der(chain, key, &ring::default_provider())
            .map(Arc::new)
            .map_err(|error| match error {
                Error::InconsistentKeys(_) => {
                    "tls_key is not the key of the certificate".to_owned()
                }
                // For example, rustls rejects X.509 version 1 certificates.
                error => format!("the certificate can't be used: {error}"),
            })
    }
}

/// Accepts TLS connections. Clones share the certificate.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    certificate: Arc<CertificateSlot>,
    /// Runs the handshakes on a separate thread, because each takes about a millisecond of CPU
    /// time. When thousands of clients connect simultaneously, connected clients must not wait
    /// for the handshakes.
    handshakes: Arc<WorkerRuntime>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Tls {
    /// Creates an acceptor that presents `certificate`.
    ///
    /// # Errors
    /// Returns a message if rustls rejects the configuration, or if the operating system can't
    /// start a thread.
    pub fn new(certificate: Arc<CertifiedKey>) -> Result<Self, String> {
        let certificate = Arc::new(CertificateSlot(RwLock::new(certificate)));
        let resolver: Arc<dyn ResolvesServerCert> = Arc::clone(&certificate) as _;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let handshakes = WorkerRuntime::start("handshakes", Builder::enable_time)
            .map_err(|error| error.to_string())?;
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            certificate,
            handshakes: Arc::new(handshakes),
        })
    }

    /// Returns the server's own certificate, DER-encoded.
    #[must_use]
    pub fn certificate(&self) -> Option<Vec<u8>> {
        let certificate = self.certificate.get();
        certificate.cert.first().map(|der| der.to_vec())
    }

    /// Replaces the certificate that new connections use.
    pub fn replace(&self, certificate: Arc<CertifiedKey>) {
        let slot = &self.certificate.0;
        *slot.write().unwrap_or_else(PoisonError::into_inner) = certificate;
    }

    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let acceptor = self.acceptor.clone();
        let handshake = async move { timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await };
        let handshake = AbortOnDropHandle::new(self.handshakes.handle().spawn(handshake));
        let result = handshake.await.map_err(io::Error::other)?;
        result.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

/// The certificate that new connections use.
struct CertificateSlot(RwLock<Arc<CertifiedKey>>);

impl CertificateSlot {
    fn get(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for CertificateSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CertificateSlot")
    }
}

impl ResolvesServerCert for CertificateSlot {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.get())
    }
}
