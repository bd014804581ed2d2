//! TLS of the interface's listener, with a certificate that can be replaced while
//! it runs.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
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

/// How long a client has for its handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A certificate chain and its key, as PEM files.
#[derive(Debug, Clone)]
pub struct CertificateFiles {
    /// The chain, the server's own certificate first.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl CertificateFiles {
    /// Reads both files.
    ///
    /// # Errors
    /// Which of them is wrong, in words, without what was given as its path: that
    /// may be the key itself.
    pub fn load(&self) -> Result<Arc<CertifiedKey>, String> {
        let unreadable =
            |error: &dyn fmt::Display| format!("the certificate can't be read: {error}");
        let chain = pem::read(&self.certificate).map_err(|error| unreadable(&error))?;
        let chain = CertificateDer::pem_slice_iter(&chain).collect::<Result<Vec<_>, _>>();
        let chain = chain.map_err(|error| unreadable(&error))?;
        if chain.is_empty() {
            return Err("the file holds no certificate".to_owned());
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
                // As one of X.509 version 1, which has no names of hosts.
                other => format!("the certificate can't be used: {other}"),
            })
    }
}

/// Accepts TLS with the certificate that is current.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    current: Arc<RoutesSlot>,
    handshakes: Arc<Handshakes>,
}

/// The thread that shakes hands. A handshake costs about a millisecond of processor time:
/// when thousands of clients come at once, those who are there must not wait for it.
struct Handshakes(Option<Runtime>);

impl Handshakes {
    fn start() -> io::Result<Self> {
        let mut builder = Builder::new_multi_thread();
        let builder = builder.worker_threads(1).thread_name("handshakes");
        builder.enable_time().build().map(Some).map(Self)
    }

    fn spawn<T: Send + 'static>(
        &self,
        handshake: impl Future<Output = T> + Send + 'static,
    ) -> AbortOnDropHandle<T> {
        match &self.0 {
            Some(runtime) => AbortOnDropHandle::new(runtime.spawn(handshake)),
            None => unreachable!("it is taken at the end only"),
        }
    }
}

impl Drop for Handshakes {
    fn drop(&mut self) {
        // Without waiting, which a task of another runtime may not.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Tls {
    /// Accepts with that certificate.
    ///
    /// # Errors
    /// What rustls does not like, in words.
    pub fn new(certificate: Arc<CertifiedKey>) -> Result<Self, String> {
        let current = Arc::new(RoutesSlot(RwLock::new(certificate)));
        let resolver: Arc<dyn ResolvesServerCert> = Arc::clone(&current) as _;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_no_client_auth()
            .with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let handshakes = Handshakes::start().map_err(|error| error.to_string())?;
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            current,
            handshakes: Arc::new(handshakes),
        })
    }

    /// The certificate that is current, in DER.
    #[must_use]
    pub fn certificate(&self) -> Option<Vec<u8>> {
        let current = self.current.get();
        current.cert.first().map(|der| der.to_vec())
    }

    /// Uses another certificate from the next connection on.
    pub fn replace(&self, certificate: Arc<CertifiedKey>) {
        *self
            .current
            .0
            .write()
            .unwrap_or_else(PoisonError::into_inner) = certificate;
    }

    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let acceptor = self.acceptor.clone();
        let handshake = self
            .handshakes
            .spawn(async move { timeout(HANDSHAKE, acceptor.accept(stream)).await });
        let shaken = handshake.await.map_err(io::Error::other)?;
        shaken.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}

struct RoutesSlot(RwLock<Arc<CertifiedKey>>);

impl RoutesSlot {
    fn get(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for RoutesSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RoutesSlot")
    }
}

impl ResolvesServerCert for RoutesSlot {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.get())
    }
}
