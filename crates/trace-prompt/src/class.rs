//! Kinds of characters, as the tokenizers' patterns tell them apart.

use unicode_general_category::{GeneralCategory as Category, get_general_category};

/// Some kinds, one bit each.
pub(crate) type Class = u8;

/// Upper and title case: `\p{Lu}`, `\p{Lt}`.
pub(crate) const UPPER: Class = 1;
/// Lower case: `\p{Ll}`.
pub(crate) const LOWER: Class = 2;
/// Letters without case: `\p{Lm}`, `\p{Lo}`.
pub(crate) const CASELESS: Class = 4;
/// Accents and the like: `\p{M}`.
pub(crate) const MARK: Class = 8;
/// `\p{N}`.
pub(crate) const NUMBER: Class = 16;
/// `\s` other than the next.
pub(crate) const SPACE: Class = 32;
/// `\r` and `\n`.
pub(crate) const NEWLINE: Class = 64;
/// All else: punctuation, symbols, controls, the unassigned.
pub(crate) const SYMBOL: Class = 128;

/// `\p{L}`.
pub(crate) const LETTER: Class = UPPER | LOWER | CASELESS;
/// `\s`.
pub(crate) const BLANK: Class = SPACE | NEWLINE;

const ASCII: [Class; 128] = {
    let mut classes = [SYMBOL; 128];
    let mut at = 0_u8;
    while at < 128 {
        classes[at as usize] = match at {
            b'A'..=b'Z' => UPPER,
            b'a'..=b'z' => LOWER,
            b'0'..=b'9' => NUMBER,
            b'\r' | b'\n' => NEWLINE,
            b'\t' | 0x0b | 0x0c | b' ' => SPACE,
            _ => SYMBOL,
        };
        at += 1;
    }
    classes
};

/// The class of the character at byte `at` of `text`, and its length in bytes;
/// no class at the end.
#[inline]
pub(crate) fn class_at(text: &str, at: usize) -> (Class, usize) {
    match text.as_bytes().get(at) {
        None => (0, 0),
        Some(&byte) if byte < 128 => (ASCII[usize::from(byte)], 1),
        Some(_) => match text[at..].chars().next() {
            None => (0, 0),
            Some(character) => (class(character), character.len_utf8()),
        },
    }
}

/// The class of a character.
fn class(character: char) -> Class {
    if character.is_ascii() {
        return ASCII[character as usize];
    }
    if character.is_whitespace() {
        return SPACE;
    }
    match get_general_category(character) {
        Category::UppercaseLetter | Category::TitlecaseLetter => UPPER,
        Category::LowercaseLetter => LOWER,
        Category::ModifierLetter | Category::OtherLetter => CASELESS,
        Category::NonspacingMark | Category::SpacingMark | Category::EnclosingMark => MARK,
        Category::DecimalNumber | Category::LetterNumber | Category::OtherNumber => NUMBER,
        _ => SYMBOL,
    }
}

/// Where the run of characters of `classes` that begins at `at` ends.
#[inline]
pub(crate) fn run(text: &str, mut at: usize, classes: Class) -> usize {
    loop {
        let (class, length) = class_at(text, at);
        if class & classes == 0 {
            return at;
        }
        at += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex_syntax::hir::{Class as Hir, ClassUnicodeRange, HirKind};

    /// The ranges of characters that the regex crates take `pattern` for.
    fn ranges(pattern: &str) -> Vec<(char, char)> {
        let hir = regex_syntax::parse(pattern).unwrap();
        let HirKind::Class(Hir::Unicode(class)) = hir.kind() else {
            panic!("{pattern}")
        };
        let range = |range: &ClassUnicodeRange| (range.start(), range.end());
        class.ranges().iter().map(range).collect()
    }

    #[test]
    fn every_character_is_what_the_patterns_take_it_for() {
        let classes: Vec<Class> = ('\0'..=char::MAX).map(class).collect();
        // Characters are numbered without the gap that surrogates leave.
        let place = |character: char| {
            let number = character as usize;
            if number < 0xd800 {
                number
            } else {
                number - 0x800
            }
        };
        for (pattern, wanted) in [
            (r"[\p{Lu}\p{Lt}]", UPPER),
            (r"\p{Ll}", LOWER),
            (r"[\p{Lm}\p{Lo}]", CASELESS),
            (r"\p{L}", LETTER),
            (r"\p{M}", MARK),
            (r"\p{N}", NUMBER),
            (r"\s", BLANK),
            (r"[\r\n]", NEWLINE),
        ] {
            let mut members = 0;
            for (first, last) in ranges(pattern) {
                let range = &classes[place(first)..=place(last)];
                assert!(
                    range.iter().all(|class| class & wanted != 0),
                    "{pattern} {first:?}"
                );
                members += range.len();
            }
            let ours = classes.iter().filter(|&class| class & wanted != 0);
            assert_eq!(ours.count(), members, "{pattern}");
        }
    }
}
