//! The server inside another process.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use trace_core::Micros;
use trace_mock::{Settings, start};

/// Keeps what is written.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn request(server: &trace_mock::Running) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let body = r#"{"prompt":"a","max_tokens":2,"stream":true}"#;
    let length = body.len();
    write!(
        stream,
        "POST /v1/completions HTTP/1.1\r\nhost: m\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    stream
}

#[test]
fn it_answers_counts_and_records() {
    let kept = Kept::default();
    let server = start(&Settings::default(), Some(Box::new(kept.clone()))).unwrap();
    assert!(server.address().ip().is_loopback());
    assert_eq!(server.url(), format!("http://{}", server.address()));
    let mut stream = request(&server);
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n0\r\n\r\n") {
        let mut some = [0; 1_024];
        let n = stream.read(&mut some).unwrap();
        bytes.extend_from_slice(&some[..n]);
    }
    assert_eq!(server.requests_seen(), 1);
    let tally = server.finish().unwrap();
    assert_eq!((tally.requests, tally.aborted, tally.refused), (1, 0, 0));
    let records = kept.0.lock().unwrap();
    assert!(records.starts_with(b"{\"timestamp\":0,\"input_length\":1,\"output_length\":2,"));
    assert!(records.ends_with(b"}\n"));
}

#[test]
fn dropping_it_ends_it_at_once_and_still_records() {
    let kept = Kept::default();
    let settings = Settings {
        itl: Micros::from_micros(3_600_000_000),
        ..Settings::default()
    };
    let server = start(&settings, Some(Box::new(kept.clone()))).unwrap();
    let mut stream = request(&server);
    stream.read_exact(&mut [0; 12]).unwrap();
    let address = server.address();
    drop(server);
    // Cut, and nobody listens any more.
    let _ = stream.read_to_end(&mut Vec::new());
    assert!(TcpStream::connect(address).is_err());
    let records = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    assert!(
        records.contains("\"sent_tokens\":1,\"aborted\":true"),
        "{records}"
    );
}

#[test]
fn several_live_side_by_side_without_records() {
    let servers = [(); 3].map(|()| start(&Settings::default(), None).unwrap());
    for server in &servers {
        request(server).read_exact(&mut [0; 12]).unwrap();
        assert_eq!(server.requests_seen(), 1);
    }
}

#[test]
fn a_port_that_is_taken_is_an_error() {
    let server = start(&Settings::default(), None).unwrap();
    let settings = Settings {
        port: server.address().port(),
        ..Settings::default()
    };
    assert_eq!(
        start(&settings, None).unwrap_err().kind(),
        io::ErrorKind::AddrInUse
    );
}
