//! What to change: every multiplier, filter and clip of `datagen synthesize`.

use std::ops::RangeInclusive;

use trace_core::Micros;

use super::scale::Factor;

/// What to change on the way from the source to the trace.
#[derive(Clone, Debug)]
pub struct Knobs {
    /// Divides all times.
    pub speedup: f64,
    /// Stretches shared prefixes.
    pub prefix: Factor,
    /// Number of copies of the whole tree, at least 1; each request or
    /// conversation lives in one.
    pub roots: u32,
    /// Stretches what is not shared.
    pub prompt: Factor,
    /// Stretches responses.
    pub output: Factor,
    /// Prompts of other lengths are left out, tokens.
    pub input_range: RangeInclusive<u64>,
    /// Responses of other lengths are set to the nearer end, tokens.
    pub output_range: RangeInclusive<u64>,
}

impl Knobs {
    /// A time of the source in µs, sped up; at most what a trace can say.
    pub fn time(&self, time: u64) -> Micros {
        /// 2^53 ms: 285,000 years.
        const LATEST: u64 = (1 << 53) * 1000;
        let time = if self.speedup == 1.0 {
            time
        } else {
            // Beyond the range of u64 the cast stays at its end.
            (time as f64 / self.speedup).round() as u64
        };
        Micros::from_micros(time.min(LATEST))
    }

    /// The response length to ask for instead of `length`: a response that
    /// had tokens keeps one at least.
    pub fn output(&self, length: u64) -> u64 {
        let (min, max) = (*self.output_range.start(), *self.output_range.end());
        self.output.round_up_from_zero(length).clamp(min, max)
    }

    /// What is wrong when no prompt is kept.
    pub fn nothing_passes(&self) -> String {
        let wanted = match (*self.input_range.start(), *self.input_range.end()) {
            (min, u64::MAX) => format!("--min-isl {min}"),
            (0, max) => format!("--max-isl {max}"),
            (min, max) => format!("--min-isl {min} and --max-isl {max}"),
        };
        format!("no request would pass {wanted}")
    }

    /// Whether every prompt is kept.
    pub fn keeps_all(&self) -> bool {
        self.input_range == (0..=u64::MAX)
    }
}

/// Tokens of `blocks` full blocks, as many as can be said.
pub fn tokens(blocks: u64, block_size: u64) -> u64 {
    blocks.saturating_mul(block_size)
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            speedup: 1.0,
            prefix: Factor::ONE,
            roots: 1,
            prompt: Factor::ONE,
            output: Factor::ONE,
            input_range: 0..=u64::MAX,
            output_range: 0..=u64::MAX,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_are_scaled_then_clipped_and_never_vanish() {
        let knobs = Knobs {
            output: "0.25".parse().unwrap(),
            output_range: 0..=100,
            ..Knobs::default()
        };
        assert_eq!([0, 1, 7, 4000].map(|n| knobs.output(n)), [0, 1, 2, 100]);
    }

    #[test]
    fn a_large_speedup_keeps_microseconds() {
        let knobs = Knobs {
            speedup: 7000.0,
            ..Knobs::default()
        };
        assert_eq!(knobs.time(3_000_000), Micros::from_micros(429));
    }
}
