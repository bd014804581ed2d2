//! A self-signed certificate for the bridge, and a TLS client.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// Writes a self-signed certificate and its key to `folder`. `edit` can change the
/// certificate's parameters. Returns an `[http]` section with the paths of both files.
pub(crate) fn http_tls_section(folder: &Path, edit: impl FnOnce(&mut CertificateParams)) -> String {
    let pair = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(["localhost".to_owned()]).expect("valid host names");
    edit(&mut params);
    let signed = params.self_signed(&pair).expect("a certificate");
    let (certificate, key) = (folder.join("own.pem"), folder.join("own.key"));
    std::fs::write(&certificate, signed.pem()).expect("written");
    std::fs::write(&key, pair.serialize_pem()).expect("written");
    format!("[http]\ntls_certificate = {certificate:?}\ntls_key = {key:?}")
}

/// Opens a TLS connection to `localhost` at `address`. Trusts only the certificate in the
/// PEM file `authority`. The first read or write performs the handshake.
pub(crate) fn connect_tls(
    address: SocketAddr,
    authority: &Path,
) -> std::io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let certificate = CertificateDer::from_pem_file(authority).expect("a PEM certificate");
    let mut roots = RootCertStore::empty();
    roots.add(certificate).expect("a valid certificate");
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("a server name");
    let client = ClientConnection::new(Arc::new(config), name).expect("a TLS client");
    Ok(StreamOwned::new(client, TcpStream::connect(address)?))
}
