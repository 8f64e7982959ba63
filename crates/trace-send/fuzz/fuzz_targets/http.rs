//! A response is the same however its bytes are cut, chunked bodies included,
//! and one that is none is refused, not a panic.
//!
//! `cd crates/trace-send && cargo +nightly fuzz run http`

#![no_main]

use libfuzzer_sys::fuzz_target;
use trace_send::http::{Decoder, End, Head, Malformed, Part};

/// What was read of a response: its head, its body, how it ended.
#[derive(Debug, PartialEq)]
struct Read {
    heads: Vec<Head>,
    body: Vec<u8>,
    end: Result<End, Malformed>,
}

fn read(bytes: &[u8], size: usize) -> Read {
    let mut decoder = Decoder::default();
    let (mut heads, mut body) = (Vec::new(), Vec::new());
    for piece in bytes.chunks(size) {
        let fed = decoder.feed(piece, |part| match part {
            Part::Head(head) => heads.push(head.clone()),
            Part::Body(bytes) => body.extend_from_slice(bytes),
        });
        match fed {
            Ok(taken) => assert!(taken <= piece.len()),
            Err(error) => {
                let end = Err(error);
                return Read { heads, body, end };
            }
        }
        if decoder.is_done() {
            break;
        }
    }
    let end = Ok(decoder.end());
    Read { heads, body, end }
}

fn holds(bytes: &[u8]) {
    let whole = read(bytes, usize::MAX);
    assert!(whole.heads.len() <= 1 && whole.body.len() <= bytes.len());
    for size in [1, 2, 7, 64] {
        assert_eq!(read(bytes, size), whole, "in pieces of {size}");
    }
}

fuzz_target!(|bytes: &[u8]| {
    holds(bytes);
    holds(&[b"HTTP/1.1 200 OK\r\n".as_slice(), bytes].concat());
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    holds(&[chunked.as_slice(), bytes].concat());
});
