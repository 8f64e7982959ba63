//! Pack a published `.tiktoken` vocabulary into the form that is embedded.
//!
//! ```text
//! cargo run -p trace-prompt --example pack-vocabulary -- o200k_base.tiktoken vocabularies/o200k.zst
//! ```
//!
//! Its lines are `BASE64 RANK`, in order of rank. What comes out is, under
//! zstd, one byte for the length of each token, a zero, and then the bytes of
//! all tokens: a quarter of the size, and read in a few milliseconds. The same
//! bytes come out every time; `tests/reference.rs` compares each token with
//! the vocabulary of the crate `tiktoken-rs`.
#![allow(clippy::unwrap_used, reason = "whoever runs this can read a panic")]
#![allow(clippy::print_stderr, reason = "it ends there anyway")]

fn main() {
    let mut files = std::env::args().skip(1);
    let (Some(from), Some(to)) = (files.next(), files.next()) else {
        eprintln!("usage: pack-vocabulary FILE.tiktoken OUT.zst");
        std::process::exit(2);
    };
    let published = std::fs::read_to_string(from).unwrap();
    let (mut lengths, mut bytes) = (Vec::new(), Vec::new());
    for (rank, line) in published.lines().enumerate() {
        let (token, its_rank) = line.split_once(' ').unwrap();
        assert_eq!(its_rank.parse(), Ok(rank), "ranks are line numbers");
        let token = decode_base64(token);
        lengths.push(u8::try_from(token.len()).unwrap());
        assert_ne!(token.len(), 0);
        bytes.extend_from_slice(&token);
    }
    lengths.push(0);
    lengths.extend_from_slice(&bytes);
    std::fs::write(to, zstd::encode_all(&lengths[..], 19).unwrap()).unwrap();
}

fn decode_base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for digit in text.trim_end_matches('=').bytes() {
        let value = DIGITS.iter().position(|&known| known == digit).unwrap();
        bits = bits << 6 | u32::try_from(value).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff) as u8);
        }
    }
    bytes
}
