//! The unit of time that a rate is told in.

/// A unit of time, as what rates are per.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Per {
    /// Microseconds in it.
    pub us: f64,
    /// `s`, `min`, `h` or `day`.
    pub name: &'static str,
}

const UNITS: [Per; 4] = [
    Per::SECOND,
    Per {
        us: 6e7,
        name: "min",
    },
    Per {
        us: 3.6e9,
        name: "h",
    },
    Per {
        us: 8.64e10,
        name: "day",
    },
];

impl Per {
    /// A second.
    pub const SECOND: Self = Self { us: 1e6, name: "s" };

    /// The smallest unit in which a rate of `peak` a microsecond is at least one.
    pub fn fitting(peak: f64) -> Self {
        let unit = UNITS.into_iter().find(|unit| peak * unit.us >= 1.0);
        unit.unwrap_or(UNITS[3])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_rate_is_told_by_the_hour() {
        assert_eq!(Per::fitting(1e-6).name, "s");
        assert_eq!(Per::fitting(2.0 / 3.6e9).name, "h");
        assert_eq!(Per::fitting(0.0).name, "day");
    }
}
