//! Any body at any endpoint has an answer, which is no failure of the server,
//! and its connection goes on.
//!
//! `cd crates/trace-mock && cargo +nightly fuzz run requests`
//!
//! The first byte chooses the endpoint, the rest is the body.
#![no_main]

use libfuzzer_sys::fuzz_target;
use std::cell::RefCell;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::LazyLock;
use std::time::Duration;
use trace_mock::{Running, Settings, start};
use trace_send::http::{Decoder, Part};

const PATHS: [&str; 12] = [
    "/v1/completions",
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/embeddings",
    "/v1/messages",
    "/generate",
    "/generate_stream",
    "/api/generate",
    "/api/chat",
    "/tokenize",
    "/detokenize",
    "/reset_prefix_cache",
];

/// Counts words, which is fastest, and answers at once, up to 4096 tokens.
static SERVER: LazyLock<Running> = LazyLock::new(|| {
    let settings = Settings {
        tokenizer: "words".parse().expect("a tokenizer"),
        max_model_len: Some(4096),
        output_tokens: 3,
        ..Settings::default()
    };
    start(&settings, None).expect("a port is free")
});

thread_local! {
    static CONNECTION: RefCell<Option<TcpStream>> = const { RefCell::new(None) };
}

fn connect() -> TcpStream {
    let stream = TcpStream::connect(SERVER.address()).expect("it listens");
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .expect("a timeout");
    stream
}

/// The status of the answer to `body`.
fn ask(stream: &mut TcpStream, path: &str, body: &[u8]) -> u16 {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: m\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream
        .write_all(&[head.as_bytes(), body].concat())
        .expect("it reads");
    let (mut decoder, mut status) = (Decoder::default(), 0);
    let mut bytes = [0; 1 << 14];
    while !decoder.is_done() {
        let length = stream.read(&mut bytes).expect("it answers");
        assert!(length > 0, "it hung up");
        let fed = decoder.feed(&bytes[..length], |part| {
            if let Part::Head(head) = part {
                status = head.status;
            }
        });
        assert_eq!(fed.expect("HTTP"), length);
    }
    status
}

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, body)) = bytes.split_first() else {
        return;
    };
    CONNECTION.with_borrow_mut(|held| {
        let stream = held.get_or_insert_with(connect);
        let status = ask(stream, PATHS[usize::from(*choice) % PATHS.len()], body);
        assert!((200..500).contains(&status), "{status}");
    });
});
