//! TLS for who connects here.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::settings::Identity;

/// How to shake hands as `identity`.
///
/// # Errors
/// A file that cannot be read, or is not what it should be, by its flag and name.
pub(crate) fn acceptor(identity: &Identity) -> Result<Arc<ServerConfig>, String> {
    let Identity { certificate, key } = identity;
    let wrong = |flag: &str, path: &Path, reason: &str| {
        let path = path.display();
        format!("{flag} {path}: {reason}")
    };
    let unread = |reason| wrong("--tls-cert", certificate, &in_words(reason));
    let mut chain = Vec::new();
    for link in CertificateDer::pem_file_iter(certificate).map_err(unread)? {
        chain.push(link.map_err(unread)?);
    }
    if chain.is_empty() {
        let reason = "there is no certificate in it";
        return Err(wrong("--tls-cert", certificate, reason));
    }
    let secret = PrivateKeyDer::from_pem_file(key)
        .map_err(|reason| wrong("--tls-key", key, &in_words(reason)))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|err| err.to_string())?
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(|err| wrong("--tls-key", key, &err.to_string()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// What was wrong with a PEM file.
pub(crate) fn in_words(err: pem::Error) -> String {
    match err {
        pem::Error::Io(err) => trace_core::in_words(&err),
        pem::Error::NoItemsFound => "there is no key in it".to_owned(),
        err => err.to_string(),
    }
}
