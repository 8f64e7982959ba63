//! Whom to trust.

use anyhow::{Context, bail};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::Arc;
use trace_mock::blind::Blind;

/// What a TLS client is to believe and to speak.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trust<'a> {
    /// Trust the certificates in this PEM file, too.
    pub ca: Option<&'a Path>,
    /// Trust the system's certificates instead of Mozilla's.
    pub native: bool,
    /// Trust anybody.
    pub blind: bool,
    /// Ask for HTTP/2.
    pub http2: bool,
}

/// A TLS client that trusts whom `trust` says.
///
/// # Errors
/// A file that cannot be read or has no certificate in it; a system without
/// certificates.
pub(crate) fn config(trust: Trust<'_>) -> anyhow::Result<Arc<ClientConfig>> {
    let Trust { ca, native, .. } = trust;
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
    let protocol: &[u8] = if trust.http2 { b"h2" } else { b"http/1.1" };
    config.alpn_protocols = vec![protocol.to_vec()];
    if trust.blind {
        let algorithms = config.crypto_provider().signature_verification_algorithms;
        let verifier = Arc::new(Blind(algorithms));
        config.dangerous().set_certificate_verifier(verifier);
    }
    Ok(Arc::new(config))
}
