//! Lengths that depend on the time of arrival, in place of those of flags.

use crate::length::Lengths;

/// One of the two lengths of the requests of a trace, in order.
pub trait LengthAt: Send {
    /// Tokens of the request that arrives at `seconds`.
    fn draw(&mut self, seconds: f64) -> u64;
}

/// Lengths of some origin, either of them replaced by another.
pub struct Replaced {
    /// Where they come from if nothing else says.
    pub base: Box<dyn Lengths + Send>,
    /// Says input lengths.
    pub input: Option<Box<dyn LengthAt>>,
    /// Says output lengths.
    pub output: Option<Box<dyn LengthAt>>,
}

impl Lengths for Replaced {
    fn draw(&mut self, seconds: f64) -> (u64, u64) {
        // Drawn even if replaced, so that one never depends on the other.
        let (input, output) = self.base.draw(seconds);
        (
            self.input.as_mut().map_or(input, |at| at.draw(seconds)),
            self.output.as_mut().map_or(output, |at| at.draw(seconds)),
        )
    }
}
