//! Plain JSON values, read by hand.
//!
//! For quick ways through a line that stand in front of serde_json and never
//! instead of it: a [`Cursor`] knows what nearly every line is made of and
//! gives up on the rest.

use crate::register::{long_millis, plain_length, short_millis, short_number, thousandths};
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

    /// The bytes from here on.
    #[inline]
    pub fn rest(&self) -> &'a [u8] {
        &self.line[self.at..]
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
        // Nearly always there is none, which one comparison tells.
        while let Some(byte) = self.peek().filter(|byte| *byte <= b' ') {
            if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                return;
            }
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
        let end = start + plain_length(&self.line[start..])?;
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
    #[inline]
    pub fn integer(&mut self) -> Option<u64> {
        let number = self.digits()?;
        match self.peek() {
            Some(b'.' | b'e' | b'E') => None,
            _ => Some(number),
        }
    }

    /// A flat array of whole numbers, appended to `numbers`.
    pub fn whole_numbers(&mut self, numbers: &mut Vec<u64>) -> Option<()> {
        self.take(b'[')?;
        self.space();
        if self.peek()? == b']' {
            self.at += 1;
            return Some(());
        }
        let line = self.line;
        let mut at = self.at;
        loop {
            // What nearly all arrays are made of: short numbers, and `,` or
            // `, ` between them.
            while let Some((number, length)) = short_number(&line[at..]) {
                let end = at + length;
                let next = match line.get(end..end + 3) {
                    Some([b',', b' ', b'0'..=b'9']) => end + 2,
                    Some([b',', b'0'..=b'9', _]) => end + 1,
                    _ => break,
                };
                numbers.push(number);
                at = next;
            }
            self.at = at;
            numbers.push(self.integer()?);
            self.space();
            match self.byte()? {
                b',' => self.space(),
                b']' => return Some(()),
                _ => return None,
            }
            at = self.at;
        }
    }

    /// A run of at most 18 digits without leading zero.
    #[inline]
    pub fn digits(&mut self) -> Option<u64> {
        if let Some((number, length)) = short_number(&self.line[self.at..]) {
            self.at += length;
            return Some(number);
        }
        self.many_digits()
    }

    /// The same for any run of digits, one after the other.
    fn many_digits(&mut self) -> Option<u64> {
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
    #[inline]
    pub fn millis(&mut self) -> Option<Micros> {
        let rest = self.rest();
        if let Some((micros, length)) = short_millis(rest).or_else(|| long_millis(rest)) {
            self.at += length;
            return Some(Micros::from_micros(micros));
        }
        self.many_millis()
    }

    /// The same for any run of digits.
    fn many_millis(&mut self) -> Option<Micros> {
        let start = self.at;
        let whole = self.digits()?;
        if self.at - start > 15 {
            return None;
        }
        let mut micros = whole * 1_000;
        if self.peek() == Some(b'.') {
            self.at += 1;
            let (rest, length) = thousandths(&self.line[self.at..])?;
            micros += rest;
            self.at += length;
            // Beyond 2^41 ms a float, which serde_json reads, rounds otherwise.
            if whole >= 1 << 41 {
                return None;
            }
        }
        match self.peek() {
            Some(b'e' | b'E') => None,
            _ => Some(Micros::from_micros(micros)),
        }
    }

    /// A flat array of [`millis`](Self::millis), appended to `times`.
    pub fn gaps(&mut self, times: &mut Vec<Micros>) -> Option<()> {
        self.take(b'[')?;
        self.space();
        if self.peek()? == b']' {
            self.at += 1;
            return Some(());
        }
        let line = self.line;
        let mut at = self.at;
        loop {
            // As for whole numbers: short ones with `,` or `, ` between them.
            while let Some((micros, length)) = short_millis(&line[at..]) {
                let end = at + length;
                let next = match line.get(end..end + 3) {
                    Some([b',', b'0'..=b'9', _]) => end + 1,
                    Some([b',', b' ', b'0'..=b'9']) => end + 2,
                    _ => break,
                };
                times.push(Micros::from_micros(micros));
                at = next;
            }
            self.at = at;
            times.push(self.millis()?);
            self.space();
            match self.byte()? {
                b',' => self.space(),
                b']' => return Some(()),
                _ => return None,
            }
            at = self.at;
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        #[test]
        fn digits_together_are_digits_one_by_one(text in r"[0-9]{0,10}[ ,.0-9/:e\x7f-\u{ff}]{0,10}") {
            let mut quick = Cursor::new(text.as_bytes(), 0);
            let mut slow = Cursor::new(text.as_bytes(), 0);
            let (quick_number, slow_number) = (quick.digits(), slow.many_digits());
            prop_assert_eq!(quick_number, slow_number);
            if slow_number.is_some() {
                prop_assert_eq!(quick.at, slow.at);
            }
        }

        #[test]
        fn times_together_are_times_one_by_one(text in r"[0-9]{0,9}(\.[0-9]{0,5})?[ ,.0-9eE\]}\x7f-\u{ff}]{0,12}") {
            let mut quick = Cursor::new(text.as_bytes(), 0);
            let mut slow = Cursor::new(text.as_bytes(), 0);
            let (quick_time, slow_time) = (quick.millis(), slow.many_millis());
            prop_assert_eq!(quick_time, slow_time);
            if slow_time.is_some() {
                prop_assert_eq!(quick.at, slow.at);
            }
        }

        #[test]
        fn a_time_is_what_std_reads(text in r"(0|[1-9][0-9]{0,11})(\.[0-9]{1,3})?") {
            let expected = Micros::from_millis(text.parse().unwrap());
            for rest in ["", ",", "]", ", 1.5, 2, 3"] {
                let line = format!("{text}{rest}");
                let mut cursor = Cursor::new(line.as_bytes(), 0);
                prop_assert_eq!(cursor.millis(), expected, "{}", line);
                prop_assert_eq!(cursor.at, text.len());
            }
        }

        #[test]
        fn gaps_are_an_array_of_each(text in r"\[[ ]?([0-9]{1,4}(\.[0-9]{1,3})?[ ]?,[ ]{0,2}){0,6}[0-9.e-]{0,9}[ ]?\]?") {
            let mut together = Cursor::new(text.as_bytes(), 0);
            let mut each = Cursor::new(text.as_bytes(), 0);
            let (mut times, mut items) = (Vec::new(), Vec::new());
            let read = together.gaps(&mut times);
            prop_assert_eq!(read, each.array(&mut items, Cursor::many_millis));
            if read.is_some() {
                prop_assert_eq!((times, together.at), (items, each.at));
            }
        }

        #[test]
        fn whole_numbers_are_an_array_of_each(text in r"\[[ ]?([0-9]{1,9}[ ]?,[ ]{0,2}){0,6}[0-9.e-]{0,9}[ ]?\]?") {
            let mut together = Cursor::new(text.as_bytes(), 0);
            let mut each = Cursor::new(text.as_bytes(), 0);
            let (mut numbers, mut items) = (Vec::new(), Vec::new());
            let read = together.whole_numbers(&mut numbers);
            prop_assert_eq!(read, each.array(&mut items, Cursor::integer));
            if read.is_some() {
                prop_assert_eq!((numbers, together.at), (items, each.at));
            }
        }
    }
}
