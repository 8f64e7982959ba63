//! Whole numbers as digits, many at a time.
//!
//! A trace is mostly ids. Formatting each on its own and appending it costs
//! two calls and a branch on its length, which the processor cannot guess;
//! here eight digits are worked out side by side in one register and stored
//! with one write, of which the next number overwrites what was too much.

/// What eight digits can hold.
const EIGHT: u64 = 100_000_000;

/// `0` in every byte.
const ZEROS: u64 = 0x3030_3030_3030_3030;

/// Append `numbers`, each followed by a comma.
pub(crate) fn push_with_commas(out: &mut Vec<u8>, numbers: &[u64]) {
    let begin = out.len();
    if numbers.iter().any(|&number| number >= EIGHT) {
        let mut digits = itoa::Buffer::new();
        for &number in numbers {
            out.extend_from_slice(digits.format(number).as_bytes());
            out.push(b',');
        }
        return;
    }
    out.resize(begin + numbers.len() * 9, 0);
    let room = &mut out[begin..];
    let mut at = 0;
    for &number in numbers {
        at += spell_short(number, &mut room[at..]);
    }
    out.truncate(begin + at);
}

/// Bytes that [`spell`] needs for any number.
pub const SPELLED_BYTES: usize = 21;

/// Write `number` and a comma at the beginning of `out`, which may lose what
/// stood behind them; how many bytes they take.
///
/// # Panics
/// If `out` is shorter than [`SPELLED_BYTES`].
#[inline]
pub fn spell(number: u64, out: &mut [u8]) -> usize {
    if number < EIGHT {
        spell_short(number, out)
    } else {
        spell_long(number, out)
    }
}

/// The same for a number below 10^8, in nine bytes of room.
#[inline]
fn spell_short(number: u64, out: &mut [u8]) -> usize {
    let digits = eight_digits(number);
    let zeros = (digits.trailing_zeros() / 8).min(7) as usize;
    let text = (digits | ZEROS) >> (8 * zeros);
    out[..8].copy_from_slice(&text.to_le_bytes());
    out[8 - zeros] = b',';
    9 - zeros
}

#[cold]
fn spell_long(number: u64, out: &mut [u8]) -> usize {
    let mut digits = itoa::Buffer::new();
    let digits = digits.format(number).as_bytes();
    out[..digits.len()].copy_from_slice(digits);
    out[digits.len()] = b',';
    digits.len() + 1
}

/// The value of each of eight decimal digits, the first in the lowest byte:
/// halves, then quarters, then digits are divided side by side, by
/// multiplying with 2^20 / 100 and 2^10 / 10.
#[inline]
fn eight_digits(number: u64) -> u64 {
    let halves = (number / 10_000) | ((number % 10_000) << 32);
    let hundreds = ((halves * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let quarters = hundreds | ((halves - 100 * hundreds) << 16);
    let tens = ((quarters * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | ((quarters - 10 * tens) << 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(numbers: &[u64]) -> String {
        let mut out = b"[".to_vec();
        push_with_commas(&mut out, numbers);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_are_written_as_they_are_everywhere() {
        let mut numbers: Vec<u64> = (0..20_000).collect();
        for power in 1..8 {
            let ten = 10_u64.pow(power);
            numbers.extend([ten - 1, ten, ten + 1, 7 * ten + 3]);
        }
        numbers.extend((0..50_000).map(|i| i * 1999));
        let expected: String = numbers.iter().map(|number| format!("{number},")).collect();
        assert_eq!(text(&numbers), format!("[{expected}"));
    }

    #[test]
    fn long_numbers_are_written_too() {
        assert_eq!(text(&[99_999_999, 0]), "[99999999,0,");
        assert_eq!(
            text(&[3, 100_000_000, u64::MAX]),
            format!("[3,100000000,{},", u64::MAX)
        );
        assert_eq!(text(&[]), "[");
    }
}
