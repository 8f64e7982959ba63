use crate::harness::{Ran, chunks, read_request, requests, response, send, server};
use rustls::{ServerConfig, ServerConnection, Stream};
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;

/// What a server for `localhost` speaks TLS with, and its certificate as PEM.
fn identity() -> (Arc<ServerConfig>, String) {
    identity_speaking(b"http/1.1")
}

/// The same with the protocol that is spoken inside.
pub(crate) fn identity_speaking(protocol: &[u8]) -> (Arc<ServerConfig>, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, pem) = (made.cert.der().clone(), made.cert.pem());
    let key = made.signing_key.serialize_der();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    let config = config.with_no_client_auth().with_single_cert(
        vec![certificate],
        rustls::pki_types::PrivatePkcs8KeyDer::from(key).into(),
    );
    let mut config = config.unwrap();
    config.alpn_protocols = vec![protocol.to_vec()];
    (Arc::new(config), pem)
}

/// A server for `localhost`, and its certificate as PEM.
fn secure_server() -> (SocketAddr, String) {
    let (config, pem) = identity();
    let answer = response(
        "200 OK",
        "text/event-stream",
        &format!("{}data: [DONE]\n\n", chunks(3)),
    );
    let address = server(move |_, mut tcp| {
        let mut tls = ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut stream = Stream::new(&mut tls, &mut tcp);
        while read_request(&mut stream).is_some() {
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    });
    (address, pem)
}

fn send_to(address: SocketAddr, host: &str, flags: &[&str], input: &str) -> Ran {
    let url = format!("https://{host}:{}", address.port());
    send(&[&["--url", &url, "--model", "m"], flags].concat(), input)
}

#[test]
fn a_certificate_can_be_trusted_by_name() {
    let (address, pem) = secure_server();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    std::fs::write(&path, pem).unwrap();
    let trust = ["--ca-cert", path.to_str().unwrap()];
    let long = "{\"timestamp\":0,\"input_length\":100000}\n";
    let ran = send_to(
        address,
        "localhost",
        &trust,
        &format!("{}{long}", requests(5)),
    );
    assert_eq!(
        (ran.code, ran.kinds()),
        (Some(0), vec!["ok"; 6]),
        "{}",
        ran.stdout
    );
    let ran = send_to(
        address,
        "localhost",
        &[&trust[..], &["--concurrency", "1"]].concat(),
        &requests(5),
    );
    let opened = ran
        .outcomes()
        .iter()
        .filter(|outcome| outcome.connect_ms.is_some())
        .count();
    assert_eq!(
        (ran.kinds(), opened),
        (vec!["ok"; 5], 0),
        "one connection, opened ahead, serves all"
    );
    let ran = send_to(address, "127.0.0.1", &trust, &requests(1));
    assert_eq!(ran.kinds(), ["tls"], "the certificate is not for that name");
}

#[test]
fn a_certificate_nobody_vouches_for_is_refused() {
    let (address, _) = secure_server();
    let ran = send_to(address, "localhost", &[], &requests(2));
    assert_eq!((ran.code, ran.kinds()), (Some(0), vec!["tls"; 2]));
    assert!(ran.message().contains("certificate"), "{}", ran.message());
    let ran = send_to(address, "localhost", &["--insecure"], &requests(2));
    assert_eq!(ran.kinds(), ["ok"; 2]);
    assert!(
        ran.stderr.contains("certificates are not checked"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_plain_server_is_no_tls_server() {
    let address = server(|_, mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    assert_eq!(
        send_to(address, "127.0.0.1", &[], &requests(1)).kinds(),
        ["tls"]
    );
}
