//! Cutting text into the pieces within which tokens are merged.
//!
//! The vocabularies come with a pattern each; what it matches, one match after
//! the other, are the pieces. The functions here do by hand what a regex
//! engine with backtracking would do with the patterns in their comments, and
//! need no such engine; `tests/reference.rs` compares them with one.

use crate::class::{
    BLANK, CASELESS, LETTER, LOWER, MARK, NEWLINE, NUMBER, SYMBOL, UPPER, class_at, run,
};

/// A vocabulary's pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Split {
    /// `'(?i:[sdmt]|ll|ve|re)` or `[^\r\n\p{L}\p{N}]?+\p{L}++` or `\p{N}{1,3}+`
    /// or `_?[^\s\p{L}\p{N}]++[\r\n]*+` or `\s++$` or `\s*[\r\n]` or
    /// `\s+(?!\S)` or `\s`, where `_` is a space.
    Cl100k,
    /// `P?U*W+C?` or `P?U+W*C?` or `\p{N}{1,3}` or `_?[^\s\p{L}\p{N}]+[\r\n/]*` or
    /// `\s*[\r\n]+` or `\s+(?!\S)` or `\s+`, where `P` is `[^\r\n\p{L}\p{N}]`,
    /// `U` is `[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`, `W` is
    /// `[\p{Ll}\p{Lm}\p{Lo}\p{M}]` and `C` is `(?i:'s|'t|'re|'ve|'m|'ll|'d)`.
    O200k,
}

impl Split {
    /// Where the piece that begins at byte `at` ends. `at` is not the end.
    pub(crate) fn end(self, text: &str, at: usize) -> usize {
        match self {
            Self::Cl100k => cl100k(text, at),
            Self::O200k => o200k(text, at),
        }
    }
}

fn cl100k(text: &str, at: usize) -> usize {
    let (class, length) = class_at(text, at);
    if class & LETTER != 0 {
        return run(text, at + length, LETTER);
    }
    if let Some(end) = contraction(text, at) {
        return end;
    }
    if class & (NEWLINE | NUMBER) == 0 {
        let end = run(text, at + length, LETTER);
        if end > at + length {
            return end;
        }
    }
    if class == NUMBER {
        return number(text, at);
    }
    if let Some(end) = symbols(text, at) {
        return run(text, end, NEWLINE);
    }
    let end = run(text, at, BLANK);
    if end == text.len() {
        return end;
    }
    blank(text, at, end)
}

fn o200k(text: &str, at: usize) -> usize {
    if let Some(end) = letters(text, at) {
        return contraction(text, end).unwrap_or(end);
    }
    if class_at(text, at).0 == NUMBER {
        return number(text, at);
    }
    if let Some(mut end) = symbols(text, at) {
        while let Some(b'\r' | b'\n' | b'/') = text.as_bytes().get(end) {
            end += 1;
        }
        return end;
    }
    blank(text, at, run(text, at, BLANK))
}

/// `P?U*W+` or `P?U+W*`.
fn letters(text: &str, at: usize) -> Option<usize> {
    let (class, length) = class_at(text, at);
    if class & (NEWLINE | NUMBER) != 0 {
        return None;
    }
    if class & LETTER != 0 {
        return lower(text, at).or_else(|| upper(text, at));
    }
    // The first character is P if it can be. Only a mark can be both P and
    // the beginning of a word, and is then a word of its own if the rest is
    // not U*W+.
    let rest = at + length;
    lower(text, rest)
        .or_else(|| if class == MARK { lower(text, at) } else { None })
        .or_else(|| upper(text, rest))
}

/// `U*W+`.
///
/// `U*` takes all it can. If a lower-case letter follows, `W+` begins there;
/// else `U*` has to give back down to its last character that is also a `W`.
fn lower(text: &str, at: usize) -> Option<usize> {
    let mut end = at;
    let mut shared = None;
    loop {
        let (class, length) = class_at(text, end);
        if class & (UPPER | CASELESS | MARK) == 0 {
            break;
        }
        end += length;
        if class != UPPER {
            shared = Some(end);
        }
    }
    let after = run(text, end, LOWER | CASELESS | MARK);
    if after > end { Some(after) } else { shared }
}

/// `U+W*`, where `U*W+` did not match: then nothing of `W` follows.
fn upper(text: &str, at: usize) -> Option<usize> {
    let end = run(text, at, UPPER | CASELESS | MARK);
    (end > at).then_some(end)
}

/// `(?i:'s|'t|'re|'ve|'m|'ll|'d)`. Ignoring case, the long s is an s.
fn contraction(text: &str, at: usize) -> Option<usize> {
    let rest = text.as_bytes()[at..].strip_prefix(b"'")?;
    let lower = |at: usize| rest.get(at).map_or(0, u8::to_ascii_lowercase);
    let length = match (lower(0), lower(1)) {
        (b's' | b't' | b'm' | b'd', _) => 1,
        (b'r' | b'v', b'e') | (b'l', b'l') => 2,
        _ if rest.starts_with("ſ".as_bytes()) => "ſ".len(),
        _ => return None,
    };
    Some(at + 1 + length)
}

/// `\p{N}{1,3}`, where the first is there.
fn number(text: &str, at: usize) -> usize {
    let mut end = at;
    for _ in 0..3 {
        let (class, length) = class_at(text, end);
        if class != NUMBER {
            break;
        }
        end += length;
    }
    end
}

/// `_?[^\s\p{L}\p{N}]+`.
fn symbols(text: &str, at: usize) -> Option<usize> {
    let start = at + usize::from(text.as_bytes()[at] == b' ');
    let end = run(text, start, SYMBOL | MARK);
    (end > start).then_some(end)
}

/// `\s*[\r\n]+` or `\s+(?!\S)` or `\s+`, for the run of blanks from `at` to `end`.
///
/// That is: to its last newline; else all but its last character, which goes
/// with the word behind it; else all of it.
fn blank(text: &str, at: usize, end: usize) -> usize {
    let blanks = &text[at..end];
    if let Some(newline) = blanks.rfind(['\r', '\n']) {
        return at + newline + 1;
    }
    let last = blanks.chars().next_back().map_or(0, char::len_utf8);
    if end == text.len() || blanks.len() == last {
        end
    } else {
        end - last
    }
}
