//! A place in a line of JSON, moved over values without building them.

use memchr::memchr;
use std::ops::Range;
use trace_core::Micros;

/// Deeper than this is left to serde_json, whose own limit is 128.
const DEPTH: u32 = 64;

/// Which escapes a string may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escapes {
    All,
    /// Half a surrogate pair is no text, but nobody minds it in a value that
    /// is not decoded.
    NoUnicode,
}

/// Reads a line from left to right; `None` from a method gives up on it.
pub(crate) struct Cursor<'a> {
    line: &'a [u8],
    pub(crate) at: usize,
}

impl<'a> Cursor<'a> {
    /// A cursor over `line`, which must be UTF-8.
    pub(crate) fn new(line: &'a [u8]) -> Self {
        Self { line, at: 0 }
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    pub(crate) fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    pub(crate) fn take(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    pub(crate) fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at += 1;
        }
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.at == self.line.len()
    }

    pub(crate) fn word(&mut self, word: &[u8]) -> Option<()> {
        self.line[self.at..]
            .starts_with(word)
            .then(|| self.at += word.len())
    }

    /// The content of a string without escapes.
    pub(crate) fn plain_string(&mut self) -> Option<Range<usize>> {
        self.take(b'"')?;
        let rest = &self.line[self.at..];
        let length = rest
            .iter()
            .position(|&byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))?;
        let content = self.at..self.at + length;
        (rest[length] == b'"').then_some(())?;
        self.at += length + 1;
        Some(content)
    }

    /// A whole number of at most 18 digits, which cannot overflow.
    pub(crate) fn integer(&mut self) -> Option<u64> {
        let number = self.digits()?;
        match self.peek() {
            Some(b'.' | b'e' | b'E') => None,
            _ => Some(number),
        }
    }

    fn digits(&mut self) -> Option<u64> {
        let rest = &self.line[self.at..];
        let mut number = 0_u64;
        let mut length = 0;
        while let Some(digit @ b'0'..=b'9') = rest.get(length) {
            if length == 18 {
                return None;
            }
            number = number * 10 + u64::from(digit - b'0');
            length += 1;
        }
        self.at += length;
        let leading_zero = length > 1 && rest[0] == b'0';
        (length > 0 && !leading_zero).then_some(number)
    }

    /// Milliseconds of at most 15 digits and three decimals.
    pub(crate) fn millis(&mut self) -> Option<Micros> {
        let start = self.at;
        let whole = self.digits()?;
        if self.at - start > 15 {
            return None;
        }
        let mut micros = whole * 1_000;
        if self.peek() == Some(b'.') {
            self.at += 1;
            let from = self.at;
            let mut unit = 100;
            while let Some(digit @ b'0'..=b'9') = self.peek() {
                micros += u64::from(digit - b'0') * unit;
                unit /= 10;
                self.at += 1;
            }
            // Beyond 2^41 ms a float, which serde_json reads, rounds otherwise.
            if !(1..=3).contains(&(self.at - from)) || whole >= 1 << 41 {
                return None;
            }
        }
        match self.peek() {
            Some(b'e' | b'E') => None,
            _ => Some(Micros::from_micros(micros)),
        }
    }

    /// Go past an array of ids; `true` if it [`is_plain`].
    pub(crate) fn ids(&mut self) -> Option<bool> {
        let array = &self.line[self.at..];
        if let Some(end) = memchr(b']', array)
            && array[0] == b'['
            && is_plain(&array[1..end])
        {
            self.at += end + 1;
            return Some(true);
        }
        self.integers(|_| Some(()))?;
        Some(false)
    }

    /// Go past an array of whole numbers, telling each.
    #[inline]
    pub(crate) fn integers(&mut self, mut tell: impl FnMut(u64) -> Option<()>) -> Option<()> {
        self.take(b'[')?;
        self.space();
        if self.peek()? == b']' {
            self.at += 1;
            return Some(());
        }
        loop {
            tell(self.integer()?)?;
            match self.next()? {
                // Most writers put `, ` or `,` between ids.
                b',' => {
                    if self.peek()? == b' ' {
                        self.at += 1;
                    }
                    self.space();
                }
                b']' => return Some(()),
                b' ' | b'\t' => {
                    self.space();
                    match self.next()? {
                        b',' => self.space(),
                        b']' => return Some(()),
                        _ => return None,
                    }
                }
                _ => return None,
            }
        }
    }

    /// Go past any value, holding it to JSON's grammar.
    pub(crate) fn skip(&mut self) -> Option<()> {
        self.skip_within(DEPTH)
    }

    fn skip_within(&mut self, depth: u32) -> Option<()> {
        match self.peek()? {
            b'"' => self.skip_string(Escapes::All),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            b'[' => self.skip_list(depth.checked_sub(1)?),
            b'{' => self.skip_object(depth.checked_sub(1)?),
            _ => self.skip_number(),
        }
    }

    fn skip_list(&mut self, depth: u32) -> Option<()> {
        self.at += 1;
        self.space();
        if self.peek()? == b']' {
            self.at += 1;
            return Some(());
        }
        loop {
            self.skip_within(depth)?;
            self.space();
            match self.next()? {
                b',' => self.space(),
                b']' => return Some(()),
                _ => return None,
            }
        }
    }

    fn skip_object(&mut self, depth: u32) -> Option<()> {
        self.at += 1;
        self.space();
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(());
        }
        loop {
            self.skip_string(Escapes::NoUnicode)?;
            self.space();
            self.take(b':')?;
            self.space();
            self.skip_within(depth)?;
            self.space();
            match self.next()? {
                b',' => self.space(),
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    /// Go past a string.
    pub(crate) fn skip_string(&mut self, escapes: Escapes) -> Option<()> {
        self.take(b'"')?;
        loop {
            match self.next()? {
                b'"' => return Some(()),
                b'\\' => match self.next()? {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                    b'u' if escapes == Escapes::All => {
                        for _ in 0..4 {
                            self.next()?.is_ascii_hexdigit().then_some(())?;
                        }
                    }
                    _ => return None,
                },
                0..=0x1f => return None,
                _ => {}
            }
        }
    }

    fn skip_number(&mut self) -> Option<()> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        self.digits()?;
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.run_of_digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.run_of_digits()?;
        }
        Some(())
    }

    fn run_of_digits(&mut self) -> Option<()> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }
}

/// Whether `ids`, the inside of an array, is nothing but whole numbers of at
/// most 14 digits with `,` or `, ` between them.
///
/// Looks at each byte and its two neighbours, so that the compiler makes
/// vector instructions of it: ids are most of a line, and this is ten times
/// faster than reading them. `false` only means that it takes a closer look.
pub(crate) fn is_plain(ids: &[u8]) -> bool {
    let (&[first, ..], &[.., last]) = (ids, ids) else {
        return false;
    };
    let (before, here) = (ids, &ids[1..]);
    let after = here.get(1..).unwrap_or_default();
    let digit = |byte: u8| byte.wrapping_sub(b'0') < 10;
    let zero_first = first == b'0' && here.first().is_some_and(|&second| digit(second));
    let mut wrong = !digit(first) | !digit(last) | zero_first;
    for ((&before, &here), &after) in before.iter().zip(here).zip(after) {
        let follows =
            digit(here) | ((here == b',') & digit(before)) | ((here == b' ') & (before == b','));
        let leading_zero = !digit(before) & (here == b'0') & digit(after);
        wrong |= !follows | leading_zero;
    }
    if wrong {
        return false;
    }
    // Of 15 digits in a row, eight fill one of these chunks; of what is left
    // only digits have this bit.
    const DIGIT: u64 = 0x1010_1010_1010_1010;
    let (chunks, _) = ids.as_chunks::<8>();
    chunks.iter().fold(true, |plain, &chunk| {
        plain & (u64::from_le_bytes(chunk) & DIGIT != DIGIT)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ids(text: &str) -> Option<Vec<u64>> {
        let mut ids = Vec::new();
        let mut cursor = Cursor::new(text.as_bytes());
        cursor.integers(|id| {
            ids.push(id);
            Some(())
        })?;
        cursor.is_at_end().then_some(ids)
    }

    #[test]
    fn the_usual_ids_are_plain() {
        for usual in ["0, 1, 2", "46,4700000000,0", "10, 0", "12", "0"] {
            assert!(is_plain(usual.as_bytes()), "{usual}");
        }
        for not in [
            "", "01", "1,02", "1, ", "1,", ",1", "1 ,2", "1,  2", "1.0", "-1", "1,,2",
        ] {
            assert!(!is_plain(not.as_bytes()), "{not}");
        }
        assert!(!is_plain(b"1,123456789012345678901"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn plain_ids_are_ids(inside in "([0-9]{1,16}|[0-9 ,]|, ){0,12}") {
            if is_plain(inside.as_bytes()) {
                let numbers: Vec<u64> = inside.split(',').map(|id| id.trim().parse().unwrap()).collect();
                prop_assert_eq!(ids(&format!("[{inside}]")), Some(numbers));
            }
        }
    }
}
