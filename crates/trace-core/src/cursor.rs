//! Plain JSON values, read by hand.

use crate::time::Micros;
use std::ops::Range;

/// A place in a line, and the values that can be read from there.
///
/// Every method gives `None` where it is not sure; the place is then anywhere.
pub(crate) struct Cursor<'a> {
    pub(crate) line: &'a [u8],
    pub(crate) at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(line: &'a [u8], at: usize) -> Self {
        Self { line, at }
    }

    /// The one value that `place` holds, if `read` takes all of it.
    pub(crate) fn whole<T>(
        line: &'a [u8],
        place: Range<usize>,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        let mut cursor = Self::new(&line[..place.end], place.start);
        let value = read(&mut cursor)?;
        (cursor.at == place.end).then_some(value)
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

    pub(crate) fn word(&mut self, word: &[u8]) -> Option<()> {
        self.line[self.at..]
            .starts_with(word)
            .then(|| self.at += word.len())
    }

    /// The place of a string's content, for strings without escapes.
    pub(crate) fn string(&mut self) -> Option<Range<usize>> {
        self.take(b'"')?;
        let start = self.at;
        let odd = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1f | 0x80..);
        let end = start + self.line[start..].iter().position(odd)?;
        self.at = end + 1;
        (self.line[end] == b'"').then_some(start..end)
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        let place = self.string()?;
        std::str::from_utf8(&self.line[place]).ok()
    }

    /// A whole number of at most 18 digits, which cannot overflow.
    pub(crate) fn integer(&mut self) -> Option<u64> {
        let number = self.digits()?;
        match self.peek() {
            Some(b'.' | b'e' | b'E') => None,
            _ => Some(number),
        }
    }

    pub(crate) fn digits(&mut self) -> Option<u64> {
        let start = self.at;
        let mut number = 0_u64;
        for &byte in &self.line[start..] {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            // May wrap, but not within 18 digits; checked once below.
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
            self.at += 1;
        }
        let length = self.at - start;
        let leading_zero = length > 1 && self.line[start] == b'0';
        ((1..=18).contains(&length) && !leading_zero).then_some(number)
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

    /// A flat array, each item read by `item`.
    pub(crate) fn array<T>(
        &mut self,
        items: &mut Vec<T>,
        item: impl Fn(&mut Self) -> Option<T>,
    ) -> Option<()> {
        self.take(b'[')?;
        self.space();
        if self.peek()? == b']' {
            self.at += 1;
            return Some(());
        }
        loop {
            items.push(item(self)?);
            // Most writers put `,` or `, ` between items and nothing else.
            if self.peek() == Some(b',') {
                self.at += 1;
                if self.peek() == Some(b' ') {
                    self.at += 1;
                }
                if self.peek()?.is_ascii_digit() {
                    continue;
                }
            } else {
                self.space();
                match self.next()? {
                    b',' => {}
                    b']' => return Some(()),
                    _ => return None,
                }
            }
            self.space();
        }
    }

    /// Go past a value without looking into it; gives up on objects.
    pub(crate) fn skip(&mut self) -> Option<()> {
        match self.peek()? {
            b'"' => self.string().map(|_| ()),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            b'[' => self.array(&mut Vec::new(), Self::number),
            _ => self.number(),
        }
    }

    /// Go past a number, holding it to JSON's grammar.
    pub(crate) fn number(&mut self) -> Option<()> {
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

    pub(crate) fn run_of_digits(&mut self) -> Option<()> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }
}
