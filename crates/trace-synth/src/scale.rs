//! What measured rates and lengths are divided by.

use crate::length::MAX_TOKENS;

/// The factors of AIBrix's generators, shared by the commands that follow them.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct ScaleArgs {
    /// Divide rates by this
    #[arg(long, value_name = "FACTOR", value_parser = parse_factor, default_value_t = 1.0)]
    #[arg(allow_negative_numbers = true)]
    pub qps_scale: f64,

    /// Divide the prompt lengths of files and patterns by this
    #[arg(long, value_name = "FACTOR", value_parser = parse_factor, default_value_t = 1.0)]
    #[arg(allow_negative_numbers = true)]
    pub input_scale: f64,

    /// Divide the response lengths of files and patterns by this
    #[arg(long, value_name = "FACTOR", value_parser = parse_factor, default_value_t = 1.0)]
    #[arg(allow_negative_numbers = true)]
    pub output_scale: f64,
}

/// Whole tokens, `tokens` divided by `scale`, at least 1.
pub fn scaled(tokens: f64, scale: f64) -> u64 {
    const MOST: f64 = MAX_TOKENS as f64;
    (tokens / scale).round().clamp(1.0, MOST) as u64
}

/// A number above 0 that lengths or rates are divided by.
fn parse_factor(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(scale) if scale > 0.0 && scale.is_finite() => Ok(scale),
        _ => Err(format!("{text:?} is not a number above 0 to divide by")),
    }
}
