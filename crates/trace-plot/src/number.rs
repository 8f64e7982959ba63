//! Numbers and durations as a reader of a picture wants them.
//!
//! Labels are short (`12k`, `1.24 s`) and facts are exact (`12,031`), so
//! there is one function for each. Durations come in as microseconds, the
//! unit inside all our tools.

/// One microsecond, millisecond, second, minute, hour and day in
/// microseconds, with the symbol an axis shows.
pub const DURATIONS: [(f64, &str); 6] = [
    (1.0, "µs"),
    (1e3, "ms"),
    (1e6, "s"),
    (6e7, "min"),
    (3.6e9, "h"),
    (8.64e10, "d"),
];

/// `count` with a comma between each three digits: `12,031`.
pub fn exact(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `count` and its noun, in the plural unless it is one.
pub fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", exact(count))
}

/// `value` with three significant digits and no zeros behind: `0.012`,
/// `3.4`, `1240`, `12,400`.
pub fn significant(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let exponent = libm::log10(value.abs()).floor() as i32;
    if !(-6..=14).contains(&exponent) {
        return scientific(value);
    }
    if exponent >= 4 {
        return format!(
            "{sign}{}",
            exact(value.abs().round() as u64),
            sign = if value < 0.0 { "-" } else { "" }
        );
    }
    let decimals = (2 - exponent).max(0) as usize;
    trimmed(&format!("{value:.decimals$}")).to_owned()
}

/// A duration of `us` microseconds with three significant digits, in the
/// unit that keeps it readable: `183 ms`, `1.24 s`, `12.5 min`: the units an axis
/// would have.
pub fn duration(us: f64) -> String {
    let (unit, symbol) = match us {
        us if us < 1e3 => DURATIONS[0],
        us if us < 1e6 => DURATIONS[1],
        us if us < 1.2e8 => DURATIONS[2],
        us if us < 7.2e9 => DURATIONS[3],
        us if us < 1.728e11 => DURATIONS[4],
        _ => DURATIONS[5],
    };
    format!("{} {symbol}", significant(us / unit))
}

/// `value` as a tick label on an axis whose ticks are `step` apart: just as
/// many decimals as tell neighbours apart.
pub fn tick(value: f64, step: f64) -> String {
    let largest = value.abs().max(step.abs());
    let (unit, suffix) = match largest {
        v if v < 1e4 => (1.0, ""),
        v if v < 1e6 => (1e3, "k"),
        v if v < 1e9 => (1e6, "M"),
        v if v < 1e12 => (1e9, "G"),
        v if v < 1e15 => (1e12, "T"),
        _ => return scientific(value),
    };
    if value != 0.0 && step < 1e-6 {
        return scientific(value);
    }
    let decimals = decimals(step / unit);
    let text = format!("{:.decimals$}", value / unit);
    if text
        .trim_start_matches('-')
        .chars()
        .all(|c| c == '0' || c == '.')
    {
        return "0".to_owned();
    }
    format!("{}{suffix}", trimmed(&text))
}

/// `value` as a power of ten with up to three digits: `2.5e18`.
fn scientific(value: f64) -> String {
    let text = format!("{value:.2e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => format!("{}e{exponent}", trimmed(mantissa)),
        None => text,
    }
}

/// How many decimals a multiple of `step` needs, at most nine.
fn decimals(step: f64) -> usize {
    let mut scaled = step.abs();
    (0..9)
        .find(|_| {
            let whole = (scaled - scaled.round()).abs() < 1e-6 * scaled.max(1e-9);
            scaled *= 10.0;
            whole
        })
        .unwrap_or(9)
}

/// `text` without the zeros that end a fraction.
fn trimmed(text: &str) -> &str {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_grouped_by_thousands() {
        assert_eq!(exact(0), "0");
        assert_eq!(exact(999), "999");
        assert_eq!(exact(12_031), "12,031");
        assert_eq!(exact(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(counted(1, "request"), "1 request");
        assert_eq!(counted(2_000, "request"), "2,000 requests");
    }

    #[test]
    fn a_duration_takes_the_unit_that_suits_it() {
        assert_eq!(duration(0.0), "0 µs");
        assert_eq!(duration(183_000.0), "183 ms");
        assert_eq!(duration(1_236_000.0), "1.24 s");
        assert_eq!(duration(59e6), "59 s");
        assert_eq!(duration(3.6e9), "60 min");
        assert_eq!(duration(7.2e9), "2 h");
        assert_eq!(duration(8.64e11), "10 d");
    }

    #[test]
    fn a_tick_has_no_more_decimals_than_it_needs() {
        assert_eq!(tick(10_000.0, 2_000.0), "10k");
        assert_eq!(tick(2_000.0, 2_000.0), "2000");
        assert_eq!(tick(12_500.0, 2_500.0), "12.5k");
        assert_eq!(tick(0.30000000000000004, 0.1), "0.3");
        assert_eq!(tick(0.0, 0.25), "0");
        assert_eq!(tick(1.0, 0.25), "1");
        assert_eq!(tick(3e18, 1e18), "3e18");
    }

    #[test]
    fn significant_digits_are_three() {
        assert_eq!(significant(3.3417), "3.34");
        assert_eq!(significant(1240.0), "1240");
        assert_eq!(significant(0.0123), "0.0123");
        assert_eq!(significant(0.0), "0");
        assert_eq!(significant(286_123.4), "286,123");
    }
}
