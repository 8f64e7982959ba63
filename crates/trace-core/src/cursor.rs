//! Plain JSON values, read by hand.
//!
//! For quick ways through a line that stand in front of serde_json and never
//! instead of it: a [`Cursor`] knows what nearly every line is made of and
//! gives up on the rest.

use crate::time::Micros;
use std::ops::Range;

/// A place in a line, and the values that can be read from there.
///
/// Every method gives `None` where it is not sure; the place is then anywhere.
pub struct Cursor<'a> {
    line: &'a [u8],
    /// How many bytes lie behind it.
    pub at: usize,
}

impl<'a> Cursor<'a> {
    /// The bytes it moves over.
    pub fn line(&self) -> &'a [u8] {
        self.line
    }

    /// Whether nothing is left.
    pub fn is_at_end(&self) -> bool {
        self.at == self.line.len()
    }

    /// A cursor `at` that byte of `line`.
    #[inline]
    pub fn new(line: &'a [u8], at: usize) -> Self {
        Self { line, at }
    }

    /// The one value that `place` holds, if `read` takes all of it.
    pub fn whole<T>(
        line: &'a [u8],
        place: Range<usize>,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        let mut cursor = Self::new(&line[..place.end], place.start);
        let value = read(&mut cursor)?;
        (cursor.at == place.end).then_some(value)
    }

    /// The byte here, without going past it.
    #[inline]
    pub fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    /// The byte here.
    #[inline]
    pub fn byte(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    /// Go past this byte.
    #[inline]
    pub fn take(&mut self, byte: u8) -> Option<()> {
        (self.byte()? == byte).then_some(())
    }

    /// Go past white space.
    #[inline]
    pub fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.peek() {
            self.at += 1;
        }
    }

    /// Go past a literal such as `null`.
    #[inline]
    pub fn word(&mut self, word: &[u8]) -> Option<()> {
        self.line[self.at..]
            .starts_with(word)
            .then(|| self.at += word.len())
    }

    /// The place of a string's content, for strings without escapes.
    pub fn string(&mut self) -> Option<Range<usize>> {
        self.take(b'"')?;
        let start = self.at;
        let odd = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1f | 0x80..);
        let end = start + self.line[start..].iter().position(odd)?;
        self.at = end + 1;
        (self.line[end] == b'"').then_some(start..end)
    }

    /// A string without escapes.
    #[inline]
    pub fn text(&mut self) -> Option<&'a str> {
        let place = self.string()?;
        std::str::from_utf8(&self.line[place]).ok()
    }

    /// A whole number of at most 18 digits, which cannot overflow.
    pub fn integer(&mut self) -> Option<u64> {
        let number = self.digits()?;
        match self.peek() {
            Some(b'.' | b'e' | b'E') => None,
            _ => Some(number),
        }
    }

    /// A run of at most 18 digits without leading zero.
    #[inline]
    pub fn digits(&mut self) -> Option<u64> {
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
    pub fn millis(&mut self) -> Option<Micros> {
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
    pub fn array<T>(
        &mut self,
        items: &mut Vec<T>,
        mut item: impl FnMut(&mut Self) -> Option<T>,
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
                match self.byte()? {
                    b',' => {}
                    b']' => return Some(()),
                    _ => return None,
                }
            }
            self.space();
        }
    }

    /// Go past a value without looking into it; gives up on objects.
    pub fn skip(&mut self) -> Option<()> {
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
    pub fn number(&mut self) -> Option<()> {
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

    /// Go past at least one digit.
    #[inline]
    pub fn run_of_digits(&mut self) -> Option<()> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }
}
