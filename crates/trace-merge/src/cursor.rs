//! Values of a line looked over where they stand, without building them.

use memchr::memchr;
use trace_core::cursor::Cursor;

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

/// What a merge needs of a cursor beyond plain values; `None` gives up.
pub(crate) trait LookOver {
    /// Go past an array of ids; `true` if it [`is_plain`].
    fn ids(&mut self) -> Option<bool>;

    /// Go past an array of whole numbers, telling each.
    fn integers(&mut self, tell: impl FnMut(u64) -> Option<()>) -> Option<()>;

    /// Go past any value, holding it to JSON's grammar.
    fn value(&mut self) -> Option<()>;

    /// Go past a string.
    fn skip_string(&mut self, escapes: Escapes) -> Option<()>;
}

impl LookOver for Cursor<'_> {
    fn ids(&mut self) -> Option<bool> {
        let array = &self.line()[self.at..];
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

    #[inline]
    fn integers(&mut self, mut tell: impl FnMut(u64) -> Option<()>) -> Option<()> {
        // A vector of nothings takes no memory.
        self.array(&mut Vec::new(), |cursor| tell(cursor.integer()?))
    }

    fn value(&mut self) -> Option<()> {
        value(self, DEPTH)
    }

    fn skip_string(&mut self, escapes: Escapes) -> Option<()> {
        self.take(b'"')?;
        loop {
            match self.byte()? {
                b'"' => return Some(()),
                b'\\' => match self.byte()? {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                    b'u' if escapes == Escapes::All => {
                        for _ in 0..4 {
                            self.byte()?.is_ascii_hexdigit().then_some(())?;
                        }
                    }
                    _ => return None,
                },
                0..=0x1f => return None,
                _ => {}
            }
        }
    }
}

fn value(cursor: &mut Cursor<'_>, depth: u32) -> Option<()> {
    match cursor.peek()? {
        b'"' => cursor.skip_string(Escapes::All),
        b't' => cursor.word(b"true"),
        b'f' => cursor.word(b"false"),
        b'n' => cursor.word(b"null"),
        b'[' => list(cursor, depth.checked_sub(1)?),
        b'{' => object(cursor, depth.checked_sub(1)?),
        _ => cursor.number(),
    }
}

fn list(cursor: &mut Cursor<'_>, depth: u32) -> Option<()> {
    cursor.at += 1;
    cursor.space();
    if cursor.peek()? == b']' {
        cursor.at += 1;
        return Some(());
    }
    loop {
        value(cursor, depth)?;
        cursor.space();
        match cursor.byte()? {
            b',' => cursor.space(),
            b']' => return Some(()),
            _ => return None,
        }
    }
}

fn object(cursor: &mut Cursor<'_>, depth: u32) -> Option<()> {
    cursor.at += 1;
    cursor.space();
    if cursor.peek()? == b'}' {
        cursor.at += 1;
        return Some(());
    }
    loop {
        cursor.skip_string(Escapes::NoUnicode)?;
        cursor.space();
        cursor.take(b':')?;
        cursor.space();
        value(cursor, depth)?;
        cursor.space();
        match cursor.byte()? {
            b',' => cursor.space(),
            b'}' => return Some(()),
            _ => return None,
        }
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
        let mut cursor = Cursor::new(text.as_bytes(), 0);
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
