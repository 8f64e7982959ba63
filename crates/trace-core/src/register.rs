//! Eight bytes of a line at a time, side by side in one register.
//!
//! Where a number or a string ends cannot be guessed, so that a loop over its
//! bytes costs most where it stops. Here all eight are asked at once, and the
//! answer is a shift away. Every function gives up on what it is not sure of.

/// How many bytes stand before the first that is no plain character of a
/// string: a quote, a backslash, a control character, anything beyond ASCII.
/// `None` if there is no such byte.
#[inline]
pub(crate) fn plain_length(text: &[u8]) -> Option<usize> {
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
pub(crate) fn thousandths(text: &[u8]) -> Option<(u64, usize)> {
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
pub(crate) fn short_millis(text: &[u8]) -> Option<(u64, usize)> {
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

/// The same for times below 100,000,000, a day and more into a run, which take
/// two registers and a half as long again.
#[inline]
pub(crate) fn long_millis(text: &[u8]) -> Option<(u64, usize)> {
    let (low, rest) = text.split_first_chunk::<8>()?;
    let low = u64::from_le_bytes(*low);
    let high = u64::from_le_bytes(*rest.first_chunk::<8>()?);
    let both = |low: u64, high: u64| u128::from(low) | u128::from(high) << 64;
    let chunk = both(low, high);
    let others = both(no_digits(low), no_digits(high));
    let before = others.trailing_zeros() / 8;
    let zero = u64::from(b'0') * 0x0101_0101_0101_0101;
    let values = both(low ^ zero, high ^ zero);
    let leading_zero = values & 0xff == 0 && before > 1;
    if !(1..=8).contains(&before) || leading_zero {
        return None;
    }
    let whole = eight_digits((values as u64) << (64 - 8 * before));
    let is_exponent = |at: u32| matches!((chunk >> (8 * at)) as u8, b'e' | b'E');
    if (chunk >> (8 * before)) as u8 != b'.' {
        return (!is_exponent(before)).then_some((whole * 1_000, before as usize));
    }
    let length = (others & (others - 1)).trailing_zeros() / 8;
    let decimals = length.wrapping_sub(before + 1);
    if length > 15 || !(1..=3).contains(&decimals) || is_exponent(length) {
        return None;
    }
    let rest = (values >> (8 * (before + 1))) as u64 & ((1 << (8 * decimals)) - 1);
    Some((whole * 1_000 + eight_digits(rest << 40), length as usize))
}

/// The number of one to eight digits, without leading zero, that `text` begins
/// with, and how many they are; `None` if it is not so sure.
///
/// Eight bytes are looked at together. Taken one by one, the digits of ids cost more than
/// all else in a line, since nobody can guess where one ends.
#[inline]
pub(crate) fn short_number(text: &[u8]) -> Option<(u64, usize)> {
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

    #[test]
    fn long_times_are_read_from_two_registers() {
        let read = |text: &str| long_millis(format!("{text},\"due_ms\":0").as_bytes());
        assert_eq!(read("12345.678"), Some((12_345_678, 9)));
        assert_eq!(read("99999999.999"), Some((99_999_999_999, 12)));
        assert_eq!(read("1234567.5"), Some((1_234_567_500, 9)));
        assert_eq!(read("12345678"), Some((12_345_678_000, 8)));
        for other in [
            "123456789",
            "1.",
            "1.2345",
            "1e3",
            "1.5E3",
            "01.5",
            ".5",
            "-1",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        #[test]
        fn a_string_ends_at_its_first_odd_byte(bytes in prop::collection::vec(any::<u8>(), 0..30), plain in "[ -~]{0,20}") {
            let text = [plain.as_bytes(), &bytes].concat();
            let odd = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1f | 0x80..);
            prop_assert_eq!(plain_length(&text), text.iter().position(odd));
        }
    }
}
