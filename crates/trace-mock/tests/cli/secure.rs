//! TLS, on both sides of the proxy.

use std::path::PathBuf;

use crate::STREAM;
use crate::harness::{Mock, run};

/// Files with the certificate of `localhost` and its key.
struct Identity {
    _dir: tempfile::TempDir,
    certificate: String,
    key: String,
}

impl Identity {
    fn new() -> Identity {
        let dir = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let write = |name: &str, pem: String| {
            let path: PathBuf = dir.path().join(name);
            std::fs::write(&path, pem).unwrap();
            path.to_str().unwrap().to_owned()
        };
        Identity {
            certificate: write("cert.pem", made.cert.pem()),
            key: write("key.pem", made.signing_key.serialize_pem()),
            _dir: dir,
        }
    }

    /// A mock that speaks TLS, and its URL.
    fn server(&self) -> (Mock, String) {
        let mock = Mock::start(&["--tls-cert", &self.certificate, "--tls-key", &self.key]);
        let port = mock.address.rsplit_once(':').unwrap().1;
        let url = format!("https://localhost:{port}");
        (mock, url)
    }
}

#[test]
fn a_server_whose_certificate_is_trusted_is_passed_on_to() {
    let identity = Identity::new();
    let (mut server, url) = identity.server();
    let mut proxy = Mock::start(&["--upstream", &url, "--upstream-ca", &identity.certificate]);
    for _ in 0..2 {
        let events = proxy.post("/v1/completions", "", STREAM).events();
        assert_eq!(events.len(), 5);
        assert_eq!(proxy.record()["status"], 200);
        assert_eq!(server.record()["input_length"], 3);
    }
}

#[test]
fn a_server_that_is_not_trusted_is_a_bad_gateway_unless_that_is_wanted() {
    let identity = Identity::new();
    let (_server, url) = identity.server();
    let mut proxy = Mock::start(&["--upstream", &url]);
    let response = proxy.post("/v1/completions", "", STREAM);
    assert_eq!(response.status, 502);
    assert!(response.text().contains("TLS: "), "{}", response.text());
    assert_eq!(proxy.record()["error"]["kind"], "tls");

    let proxy = Mock::start(&["--upstream", &url, "--insecure"]);
    assert_eq!(
        proxy.words,
        ["trace-mock: --insecure: whoever answers is believed to be the server"]
    );
    assert_eq!(proxy.post("/v1/completions", "", STREAM).status, 200);
}

#[test]
fn files_that_are_no_identity_are_refused() {
    let identity = Identity::new();
    let (code, _, words) = run(&[
        "--port",
        "0",
        "--tls-cert",
        &identity.key,
        "--tls-key",
        &identity.key,
    ]);
    assert_eq!(code, Some(2));
    assert_eq!(
        words,
        format!(
            "trace-mock: --tls-cert {}: there is no certificate in it\n",
            identity.key
        )
    );
    let (code, _, words) = run(&["--tls-cert", "/nowhere", "--tls-key", "/nowhere"]);
    assert_eq!(code, Some(2));
    assert!(
        words.contains("--tls-cert /nowhere: No such file"),
        "{words}"
    );
}
