//! Whether the server is who it says it is.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::blind::Blind;
use crate::secure::in_words;

/// Speaks TLS with one server.
#[derive(Clone)]
pub(super) struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tls({:?})", self.name)
    }
}

impl Tls {
    /// For the server at `host`, whose certificate one of Mozilla's roots or of those in the PEM
    /// file `ca` stands for; any certificate, if `blind`.
    ///
    /// # Errors
    /// The host has no such name, or the file no certificate.
    pub(super) fn new(host: &str, ca: Option<&Path>, blind: bool) -> Result<Tls, String> {
        let name = ServerName::try_from(host.to_owned());
        let name = name.map_err(|err| format!("{host:?}: {err}"))?;
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        if let Some(path) = ca {
            trust(&mut roots, path)
                .map_err(|reason| format!("--upstream-ca {}: {reason}", path.display()))?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|err| err.to_string())?;
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        if blind {
            let schemes = config.crypto_provider().signature_verification_algorithms;
            let blind = Arc::new(Blind(schemes));
            config.dangerous().set_certificate_verifier(blind);
        }
        Ok(Tls {
            connector: TlsConnector::from(Arc::new(config)),
            name,
        })
    }

    /// Shake hands over `stream`.
    pub(super) async fn over(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.connector.connect(self.name.clone(), stream).await
    }
}

/// Add the certificates in the PEM file at `path`, of which there must be some.
fn trust(roots: &mut RootCertStore, path: &Path) -> Result<(), String> {
    let before = roots.len();
    for certificate in CertificateDer::pem_file_iter(path).map_err(in_words)? {
        let certificate = certificate.map_err(in_words)?;
        roots.add(certificate).map_err(|err| err.to_string())?;
    }
    if roots.len() == before {
        return Err("there is no certificate in it".into());
    }
    Ok(())
}
