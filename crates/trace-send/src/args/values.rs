//! Values of flags, checked as they are read.

use trace_core::time::{Micros, parse_duration};

/// A factor or a rate above zero.
pub(super) fn speed(text: &str) -> Result<f64, String> {
    let speed = text
        .parse()
        .ok()
        .filter(|speed: &f64| speed.is_finite() && *speed > 0.0);
    speed.ok_or_else(|| format!("{text:?} is not a number above zero"))
}

/// A number of things, from one to a million.
pub(super) fn at_least_one(text: &str) -> Result<usize, String> {
    let number = text
        .parse()
        .ok()
        .filter(|number| (1..=1_000_000).contains(number));
    number.ok_or_else(|| format!("{text:?} is not a number from 1 to 1000000"))
}

/// A number of threads.
pub(super) fn threads(text: &str) -> Result<usize, String> {
    let number = text.parse().ok();
    let number = number.filter(|number| (1..=256).contains(number));
    number.ok_or_else(|| format!("{text:?} is not a number from 1 to 256"))
}

/// A duration above zero.
pub(super) fn positive_duration(text: &str) -> Result<Micros, String> {
    match parse_duration(text)? {
        Micros::ZERO => Err("it must be above zero".to_owned()),
        duration => Ok(duration),
    }
}

/// A share, from 0 to 1.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let share = text
        .parse()
        .ok()
        .filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| format!("{text:?} is not a number from 0 to 1"))
}

/// A moment that the tool understands, as it was typed.
pub(super) fn moment(text: &str) -> Result<String, String> {
    crate::start::parse(text).map(|_| text.to_owned())
}
