//! Whom to trust.

use anyhow::{Context, bail};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::Arc;

/// A TLS client that trusts the roots of Mozilla, or those of the system if
/// `native`, and those in the PEM file `ca` beside them.
///
/// # Errors
/// A file that cannot be read or has no certificate in it; a system without
/// certificates.
pub(crate) fn config(ca: Option<&Path>, native: bool) -> anyhow::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    if native {
        let found = rustls_native_certs::load_native_certs();
        let (added, _) = roots.add_parsable_certificates(found.certs);
        if added == 0 {
            let why = found
                .errors
                .first()
                .map_or_else(String::new, |error| format!(": {error}"));
            bail!("--native-certs: the system has no certificates{why}");
        }
    } else {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    if let Some(path) = ca {
        let name = path.display();
        let unread = || format!("--ca-cert {name}");
        let mut any = false;
        for certificate in CertificateDer::pem_file_iter(path).with_context(unread)? {
            roots
                .add(certificate.with_context(unread)?)
                .with_context(unread)?;
            any = true;
        }
        if !any {
            bail!("--ca-cert {name}: there is no certificate in it");
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
