//! The embedded tokenizers against tiktoken's own code and vocabularies.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;
use std::sync::LazyLock;
use tiktoken_rs::CoreBPE;
use trace_prompt::Tokenizer;

static O200K: LazyLock<CoreBPE> = LazyLock::new(|| tiktoken_rs::o200k_base().unwrap());
static CL100K: LazyLock<CoreBPE> = LazyLock::new(|| tiktoken_rs::cl100k_base().unwrap());

/// Ours and theirs, and how many tokens there are.
fn tokenizers() -> [(Tokenizer, &'static CoreBPE, u32); 2] {
    [
        (Tokenizer::o200k(), &O200K, 199_998),
        (Tokenizer::cl100k(), &CL100K, 100_256),
    ]
}

fn encode(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    let mut tokens = Vec::new();
    tokenizer.encode(text, &mut tokens).unwrap();
    tokens
}

/// Ours are theirs, as many as are counted, and give the text back.
fn compare(text: &str) {
    for (ours, theirs, _) in tokenizers() {
        let tokens = encode(&ours, text);
        assert_eq!(tokens, theirs.encode_ordinary(text), "{ours:?} {text:?}");
        assert_eq!(ours.count(text).unwrap(), tokens.len() as u64);
        assert_eq!(ours.decode(&tokens).unwrap(), text.as_bytes());
    }
}

#[test]
fn every_token_is_theirs() {
    for (ours, theirs, count) in tokenizers() {
        for token in 0..count {
            let bytes = ours.decode(&[token]).unwrap();
            assert_eq!(bytes, theirs.decode_bytes(&[token]).unwrap(), "{token}");
        }
        assert!(ours.decode(&[count]).is_err());
    }
}

#[test]
fn hard_texts_are_cut_as_theirs() {
    for text in [
        "",
        " ",
        "  ",
        "\n",
        "\n  ",
        " \n",
        "  \r\n\r\n  a",
        "a\n \n  ",
        "\u{a0}\u{2003}x \u{a0}",
        "don't DON'T 'S 's' '\u{17f} x'\u{17f} I'LL we'Ve o'clock ''s",
        "HTTPServer camelCase ÉCOLE École ǅabc ǅ ʰx",
        "\u{301}A \u{301}a A\u{301}B a\u{301}\u{301}BC \u{301}",
        "中文字ABC中A 日本語のテキスト ไทย हिन्दी עברית",
        "1234567 ١٢٣٤ Ⅷ½ x1y2",
        "a/b//c\r\n/ //\n\n/ ...\n\n\n// --- ===",
        "<|endoftext|> <|im_start|>user",
        "\0\u{1}\u{7f}\u{85}\u{2028}\u{feff}",
        "👩‍👩‍👧‍👦🏳️‍🌈 e\u{20dd} \u{e000}\u{10ffff}",
        "fn main() {\n    println!(\"{}\", 1_000_000);\n\t\treturn\n}\n",
    ] {
        compare(text);
    }
}

#[test]
fn long_pieces_are_merged_as_theirs() {
    for unit in ["a", "ab", "=-", "é", "中", "xyzzy", " ", "\n", "AbC"] {
        for length in [95, 96, 97, 98, 500, 5_000] {
            compare(&unit.repeat(length));
        }
    }
    let mut random = 1_u64;
    let letters: String = (0..20_000)
        .map(|_| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            char::from(b'a' + (random >> 33) as u8 % 26)
        })
        .collect();
    compare(&letters);
}

/// Characters that the patterns tell apart, so that random text meets every
/// branch of them.
const KINDS: &str = "aAzZ éÉſßǅʰ中あ\u{301}\u{308}09٣Ⅷ½ \t\r\n\u{a0}\u{2003}\u{85}'.,/-_<|>$👍\u{200d}\u{e000}strmdlve";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_text_is_encoded_as_theirs(text in ".{0,200}") {
        compare(&text);
    }

    #[test]
    fn any_text_of_hard_characters_is_encoded_as_theirs(
        picks in proptest::collection::vec(0..KINDS.chars().count(), 0..60),
    ) {
        let kinds: Vec<char> = KINDS.chars().collect();
        compare(&picks.into_iter().map(|pick| kinds[pick]).collect::<String>());
    }

    #[test]
    fn any_row_of_their_tokens_is_encoded_as_theirs(
        ranks in proptest::collection::vec(0..199_998_u32, 0..40),
    ) {
        let bytes = Tokenizer::o200k().decode(&ranks).unwrap();
        compare(&String::from_utf8_lossy(&bytes));
    }
}
