//! An axis: which values it spans and where they lie.
//!
//! Drawing libraries label axes for numbers; ours carry times as often, and
//! a reader wants `15, 30, 45 min`, not `0.25 h` or `1800000`. So which values
//! get a label is decided here, too, in [`ticks`](crate::ticks).

/// What the values of an axis are, which decides how they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// A plain number.
    Number,
    /// A number of things, which has no fractions.
    Count,
    /// A share between 0 and 1, written in percent.
    Share,
    /// Microseconds, written in the unit that suits the axis.
    Duration,
}

/// How values are spread over the axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Equal distances for equal differences.
    Linear,
    /// Equal distances for equal ratios; both ends are positive.
    Log,
}

/// One axis of a figure.
#[derive(Clone, Debug)]
pub struct Axis {
    /// What is shown, without its unit.
    pub title: String,
    /// What the values are.
    pub quantity: Quantity,
    /// How they are spread.
    pub scale: Scale,
    /// The value at the left or lower end.
    pub from: f64,
    /// The value at the right or upper end, above `from`.
    pub to: f64,
    /// Values above have no ticks.
    pub labelled_to: f64,
    /// The values that have ticks, if they are not to be chosen.
    pub levels: Vec<f64>,
}

impl Axis {
    /// An axis from zero to the first tick at or above `max`.
    pub fn from_zero(title: impl Into<String>, quantity: Quantity, max: f64) -> Self {
        let max = if max > 0.0 && max.is_finite() {
            max
        } else {
            1.0
        };
        let mut axis = Self {
            title: title.into(),
            quantity,
            scale: Scale::Linear,
            from: 0.0,
            to: max,
            labelled_to: f64::INFINITY,
            levels: Vec::new(),
        };
        let step = axis.step(6);
        axis.to = step * (max / step - 1e-9).ceil();
        axis
    }

    /// An axis over exactly `from..to`.
    pub fn exact(title: impl Into<String>, quantity: Quantity, from: f64, to: f64) -> Self {
        let to = if to > from { to } else { from + 1.0 };
        Self {
            title: title.into(),
            quantity,
            scale: Scale::Linear,
            from,
            to,
            labelled_to: f64::INFINITY,
            levels: Vec::new(),
        }
    }

    /// A logarithmic axis over `min..max`, widened to 1, 2 or 5 times a
    /// power of ten at both ends. Values below `least` count as `least`.
    pub fn log(
        title: impl Into<String>,
        quantity: Quantity,
        (min, max): (f64, f64),
        least: f64,
    ) -> Self {
        let min = min.max(least);
        let max = max.max(min);
        let from = floor_125(min);
        let mut to = ceil_125(max);
        if to <= from {
            to = from * 10.0;
        }
        Self {
            title: title.into(),
            quantity,
            scale: Scale::Log,
            from,
            to,
            labelled_to: f64::INFINITY,
            levels: Vec::new(),
        }
    }

    /// An axis of the few levels a run was made at, ascending, with a tick at
    /// each: logarithmic if they span more than a factor of four.
    pub fn levels(title: impl Into<String>, levels: &[f64]) -> Self {
        let (Some(&low), Some(&high)) = (levels.first(), levels.last()) else {
            return Self::from_zero(title, Quantity::Number, 1.0);
        };
        let mut axis = if low > 0.0 && high > 4.0 * low {
            // a little room beside the outermost levels
            let room = libm::pow(high / low, 0.04);
            Self {
                scale: Scale::Log,
                ..Self::exact(title, Quantity::Number, low / room, high * room)
            }
        } else {
            Self::exact(title, Quantity::Number, 0.0, (high * 1.06).max(1e-9))
        };
        axis.levels = levels.to_vec();
        axis
    }

    /// Where `value` lies: 0 at `from`, 1 at `to`, never outside.
    pub fn position(&self, value: f64) -> f64 {
        let share = match self.scale {
            Scale::Linear => (value - self.from) / (self.to - self.from),
            Scale::Log => {
                let value = value.max(self.from);
                libm::log(value / self.from) / libm::log(self.to / self.from)
            }
        };
        share.clamp(0.0, 1.0)
    }
}

pub(crate) fn power_of_ten(exponent: i32) -> f64 {
    libm::pow(10.0, f64::from(exponent))
}

/// The smallest of 1, 2, 5 times a power of ten that is at least `value`.
pub fn ceil_125(value: f64) -> f64 {
    let base = power_of_ten(libm::log10(value).floor() as i32);
    let share = value / base * (1.0 - 1e-9);
    base * [1.0, 2.0, 5.0]
        .into_iter()
        .find(|&step| step >= share)
        .unwrap_or(10.0)
}

/// The largest of 1, 2, 5 times a power of ten that is at most `value`.
pub fn floor_125(value: f64) -> f64 {
    let base = power_of_ten(libm::log10(value).floor() as i32);
    let share = value / base * (1.0 + 1e-9);
    base * [5.0, 2.0, 1.0]
        .into_iter()
        .find(|&step| step <= share)
        .unwrap_or(0.5)
}
