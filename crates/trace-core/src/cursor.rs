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
        if let Some((micros, length)) = short_millis(&self.line[self.at..]) {
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

/// How many bytes stand before the first that is no plain character of a
/// string: a quote, a backslash, a control character, anything beyond ASCII.
/// `None` if there is no such byte.
#[inline]
fn plain_length(text: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let mut at = 0;
    while let Some(chunk) = text[at..].first_chunk::<8>() {
        let bytes = u64::from_le_bytes(*chunk);
        // Each finds bytes equal to, or below, what it takes away: the first
        // one for sure, and what is borrowed only reaches those behind it.
        let zero = |bytes: u64| bytes.wrapping_sub(ONES) & !bytes;
        let control = bytes.wrapping_sub(ONES * 0x20) & !bytes;
        let quote = zero(bytes ^ (ONES * u64::from(b'"')));
        let escape = zero(bytes ^ (ONES * u64::from(b'\\')));
        let odd = (control | quote | escape | bytes) & HIGH;
        if odd != 0 {
            return Some(at + odd.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    let odd = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1f | 0x80..);
    text[at..].iter().position(odd).map(|rest| at + rest)
}

/// The bytes of `chunk` that are no digits, each by its highest bit: right up
/// to the first of them, and up to the first beyond ASCII.
#[inline]
fn no_digits(chunk: u64) -> u64 {
    let values = chunk ^ 0x3030_3030_3030_3030;
    // Digits stay below 0x80 when 0x76 is added; what a byte beyond carries
    // over only reaches those behind it.
    (values.wrapping_add(0x7676_7676_7676_7676) | values) & 0x8080_8080_8080_8080
}

/// The number of eight digits, the first in the lowest byte, as their values:
/// pairs, then fours, then all are added up side by side.
#[inline]
fn eight_digits(digits: u64) -> u64 {
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff
}

/// The thousandths that one to three decimals are, and how many they are;
/// `None` for any other number of them.
#[inline]
fn thousandths(text: &[u8]) -> Option<(u64, usize)> {
    let mut sum = 0;
    let mut unit = 100;
    for (length, byte) in text.iter().take(4).enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return (length > 0).then_some((sum, length));
        }
        sum += u64::from(digit) * unit;
        unit /= 10;
    }
    (1..4).contains(&text.len()).then_some((sum, text.len()))
}

/// The microseconds of the milliseconds that `text` begins with, and how many
/// bytes spell them; `None` if those are not below eight, or not so sure.
///
/// What nearly all gaps between tokens are: the point is taken out, and the
/// digits before and behind it are one number, filled up with zeros to three
/// decimals.
#[inline]
fn short_millis(text: &[u8]) -> Option<(u64, usize)> {
    let chunk = u64::from_le_bytes(*text.first_chunk::<8>()?);
    let others = no_digits(chunk);
    let values = chunk ^ 0x3030_3030_3030_3030;
    let first = others.trailing_zeros();
    let before = first / 8;
    let leading_zero = values & 0xff == 0 && before > 1;
    if before == 0 || before == 8 || leading_zero {
        return None;
    }
    let below = |bytes: u32| (1_u64 << (8 * bytes)) - 1;
    let ends = chunk >> (8 * before) & 0xff;
    if ends != u64::from(b'.') {
        let number = eight_digits(values << (64 - 8 * before));
        let exponent = matches!(ends as u8, b'e' | b'E');
        return (!exponent).then_some((number * 1_000, before as usize));
    }
    let rest = others & (others - 1);
    let length = rest.trailing_zeros() / 8;
    let decimals = length - before - 1;
    let exponent = matches!((chunk >> (8 * length % 64)) as u8, b'e' | b'E');
    if length == 8 || !(1..=3).contains(&decimals) || exponent {
        return None;
    }
    let all = values & below(length);
    let digits = all & below(before) | all >> (8 * (before + 1)) << (8 * before);
    // At most four digits before the point, or there were eight bytes.
    let micros = eight_digits(digits << (64 - 8 * (before + 3)));
    Some((micros, length as usize))
}

/// The number of one to eight digits, without leading zero, that `text` begins
/// with, and how many they are; `None` if it is not so sure.
///
/// Eight bytes are looked at together. Taken one by one, the digits of ids cost more than
/// all else in a line, since nobody can guess where one ends.
#[inline]
fn short_number(text: &[u8]) -> Option<(u64, usize)> {
    let chunk = u64::from_le_bytes(*text.first_chunk::<8>()?);
    let values = chunk ^ 0x3030_3030_3030_3030;
    let length = no_digits(chunk).trailing_zeros() / 8;
    let leading_zero = values & 0xff == 0 && length > 1;
    if length == 0 || leading_zero {
        return None;
    }
    if length == 8 && text.get(8).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    Some((eight_digits(values << (64 - 8 * length)), length as usize))
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
        fn a_string_ends_at_its_first_odd_byte(bytes in prop::collection::vec(any::<u8>(), 0..30), plain in "[ -~]{0,20}") {
            let text = [plain.as_bytes(), &bytes].concat();
            let odd = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1f | 0x80..);
            prop_assert_eq!(plain_length(&text), text.iter().position(odd));
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
