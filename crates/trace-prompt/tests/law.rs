//! The law: what is rendered for a request has exactly its length in tokens,
//! and its blocks, found again, are shared as they were.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;
use trace_core::{blocks_of, shared_prefix};
use trace_prompt::{Prompts, Recover, Tokenizer};

/// A request: what it shares, and its length.
#[derive(Debug, Clone)]
struct Request {
    hash_ids: Vec<u64>,
    input_length: u64,
}

/// Every tokenizer there is a test for, by name.
fn tokenizers() -> Vec<(&'static str, Tokenizer)> {
    let embedded = [
        ("o200k", Tokenizer::o200k()),
        ("cl100k", Tokenizer::cl100k()),
        ("words", Tokenizer::words()),
    ];
    embedded.into_iter().chain(files()).collect()
}

#[cfg(not(feature = "huggingface"))]
fn files() -> Vec<(&'static str, Tokenizer)> {
    Vec::new()
}

/// Of each kind of model one, made by `tests/fixtures/make`.
#[cfg(feature = "huggingface")]
fn files() -> Vec<(&'static str, Tokenizer)> {
    static FILES: std::sync::LazyLock<Vec<(&'static str, Tokenizer)>> =
        std::sync::LazyLock::new(|| {
            ["wordpiece", "byte-level", "metaspace", "unigram", "bytes"]
                .into_iter()
                .map(|name| {
                    let file = format!("{}/tests/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
                    (
                        name,
                        Tokenizer::load(&trace_prompt::Name::File(file.into())).unwrap(),
                    )
                })
                .collect()
        });
    FILES.clone()
}

/// Requests that share prefixes: paths down a tree, some cut within a block.
///
/// The ids of a path are told by the whole of it, so that, as in a recorded
/// trace, an id is always behind the same ones. The last block of a path has
/// one length wherever it ends there, or is full.
fn requests(block_size: u64) -> impl Strategy<Value = Vec<Request>> {
    let path = proptest::collection::vec(0..2_u64, 0..5);
    proptest::collection::vec((path, any::<bool>()), 1..8).prop_map(move |paths| {
        paths
            .into_iter()
            .map(|(path, whole)| {
                let hash_ids: Vec<u64> = (1..=path.len())
                    .map(|end| path[..end].iter().fold(1, |id, step| 2 * id + step))
                    .collect();
                let full = block_size * hash_ids.len() as u64;
                // Seven words tell blocks apart.
                let cut = hash_ids.last().map_or(0, |id| id * 7 % (block_size - 7));
                Request {
                    input_length: if whole { full } else { full - cut },
                    hash_ids,
                }
            })
            .collect()
    })
}

/// Tokenize and find the ids again.
fn rendered(prompts: &Prompts, recover: &mut Recover, request: &Request) -> (u64, Vec<u64>) {
    let mut text = String::new();
    prompts.render(&request.hash_ids, request.input_length, 0, &mut text);
    let mut ids = Vec::new();
    let tokens = recover.text(prompts.tokenizer(), &text, &mut ids).unwrap();
    (tokens, ids)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn lengths_are_exact_and_sharing_is_found_again(mut requests in requests(16), keyed: bool) {
        // A block that comes back shorter gets an id of its own.
        requests.sort_by_key(|request| request.input_length);
        for (name, tokenizer) in tokenizers() {
            let prompts = Prompts::with(&tokenizer, 3).unwrap().block_size(16);
            let mut recover = Recover::new(16);
            if keyed {
                recover = recover.keyed(*b"sixteen bytes...");
            }
            let found: Vec<Vec<u64>> = requests.iter().map(|request| {
                let (tokens, ids) = rendered(&prompts, &mut recover, request);
                assert_eq!(tokens, request.input_length, "{name}");
                assert_eq!(ids.len() as u64, blocks_of(tokens, 16));
                ids
            }).collect();
            for (a, ids_of_a) in requests.iter().zip(&found) {
                for (b, ids_of_b) in requests.iter().zip(&found) {
                    let shared = shared_prefix(&a.hash_ids, &b.hash_ids);
                    prop_assert_eq!(shared_prefix(ids_of_a, ids_of_b), shared, "{} {:?} {:?}", name, a, b);
                }
            }
        }
    }

    #[test]
    fn any_ids_and_any_length_are_exact(
        hash_ids in proptest::collection::vec(any::<u64>(), 0..6),
        input_length in 0..3_000_u64,
        block_size in 1..600_u64,
        own in any::<u64>(),
    ) {
        for (name, tokenizer) in tokenizers() {
            let prompts = Prompts::with(&tokenizer, 0).unwrap().block_size(block_size);
            let mut text = String::new();
            prompts.render(&hash_ids, input_length, own, &mut text);
            prop_assert_eq!(tokenizer.count(&text).unwrap(), input_length, "{}", name);
        }
    }

    #[test]
    fn token_ids_are_those_of_the_text(
        hash_ids in proptest::collection::vec(any::<u64>(), 0..4),
        input_length in 0..200_u64,
        before in 0..2_usize,
    ) {
        for (name, tokenizer) in tokenizers().into_iter().filter(|(name, _)| *name != "words") {
            let prompts = Prompts::with(&tokenizer, 0).unwrap().block_size(16);
            let mut text = String::new();
            prompts.render(&hash_ids, input_length, 1, &mut text);
            let mut expected = vec![7; before];
            let mut tokens = expected.clone();
            tokenizer.encode(&text, &mut expected).unwrap();
            prompts.render_tokens(&hash_ids, input_length, 1, &mut tokens).unwrap();
            prop_assert_eq!(tokens, expected, "{}", name);
        }
    }

    #[test]
    fn a_partial_block_is_the_beginning_of_the_full_one(id in any::<u64>(), input_length in 0..64_u64) {
        for (name, tokenizer) in tokenizers() {
            let prompts = Prompts::with(&tokenizer, 0).unwrap().block_size(64);
            let (mut part, mut full) = (String::new(), String::new());
            prompts.render(&[id], input_length, 0, &mut part);
            prompts.render(&[id], 64, 0, &mut full);
            prop_assert!(full.starts_with(&part), "{}", name);
        }
    }
}

/// Every short length, around every power of two, and a million.
fn lengths() -> impl Iterator<Item = u64> {
    let around = |power: u64| [power - 1, power, power + 1];
    let powers = (8..16).flat_map(move |bits| around(1 << bits));
    (1..200).chain(powers).chain([999_999, 1_000_000])
}

#[test]
fn every_length_from_one_to_a_million_is_exact() {
    let hash_ids: Vec<u64> = (0..1_954).collect();
    let most = |name: &str| match name {
        "o200k" | "cl100k" | "words" => 1_000_000,
        // The library behind files takes minutes for more where it is not
        // optimised, and text is made for them in the same way.
        _ => 5_000,
    };
    for (name, tokenizer) in tokenizers() {
        let prompts = Prompts::with(&tokenizer, 0).unwrap();
        for length in lengths().filter(|&length| length <= most(name)) {
            let mut text = String::new();
            prompts.render(&hash_ids, length, 0, &mut text);
            assert_eq!(tokenizer.count(&text).unwrap(), length, "{name}");
        }
    }
}

/// Two prompts of a million tokens share as far as their ids are equal.
fn share_half_of_a_million(name: &str, tokenizer: &Tokenizer) {
    let first: Vec<u64> = (0..1_954).collect();
    let mut second = first.clone();
    second[977..].iter_mut().for_each(|id| *id += 10_000);
    let prompts = Prompts::with(tokenizer, 0).unwrap();
    let mut recover = Recover::new(512);
    let found = [first, second].map(|hash_ids| {
        let request = Request {
            hash_ids,
            input_length: 1_000_000,
        };
        let (tokens, ids) = rendered(&prompts, &mut recover, &request);
        assert_eq!((tokens, ids.len()), (1_000_000, 1_954), "{name}");
        ids
    });
    assert_eq!(shared_prefix(&found[0], &found[1]), 977, "{name}");
}

#[test]
fn a_million_tokens_share_as_far_as_their_ids_are_equal() {
    share_half_of_a_million("o200k", &Tokenizer::o200k());
    share_half_of_a_million("cl100k", &Tokenizer::cl100k());
}

#[test]
#[cfg(feature = "huggingface")]
#[ignore = "minutes, where the library behind files is not optimised"]
fn a_million_tokens_of_any_file_share_as_far_as_their_ids_are_equal() {
    for (name, tokenizer) in files() {
        share_half_of_a_million(name, &tokenizer);
    }
}

#[test]
fn words_have_no_token_ids() {
    let mut tokens = Vec::new();
    assert!(
        Prompts::new(0)
            .render_tokens(&[1], 3, 0, &mut tokens)
            .is_err()
    );
}
