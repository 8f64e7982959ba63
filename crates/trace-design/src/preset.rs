//! AIBrix's four patterns, as curves.

use crate::body;
use crate::reply::{self, Refusal, Reply};
use serde::Deserialize;
use serde_json::json;
use trace_core::Streams;
use trace_synth::pattern::series::{Config, PRESETS};

/// Samples of a pattern: ten for each of the twelve waves that the busiest has,
/// and twice that.
const SAMPLES: u64 = 240;

#[derive(Deserialize)]
struct Asked {
    kind: String,
    duration_ms: f64,
    max_rate: f64,
}

/// The pattern that `body` asks for, without noise, its crest at the highest
/// rate.
///
/// # Errors
/// 400 for an unknown kind, or a size that cannot be.
pub(crate) fn preset(body: &[u8]) -> Result<Reply, Refusal> {
    let Asked {
        kind,
        duration_ms,
        max_rate,
    } = body::parse(body)?;
    let name = kind
        .strip_prefix("pattern-")
        .unwrap_or(&kind)
        .replace('-', "_");
    let known = PRESETS.iter().find(|(known, _)| *known == name);
    let Some((_, preset)) = known else {
        let names: Vec<_> = PRESETS.iter().map(|(name, _)| *name).collect();
        return Err(Refusal::bad(format_args!(
            "{kind:?} is none of {}",
            names.join(", ")
        )));
    };
    let possible = |number: f64| number.is_finite() && number > 0.0;
    if !possible(duration_ms) || !possible(max_rate) {
        return Err(Refusal::bad("duration_ms and max_rate must be above 0"));
    }
    let crest = preset.config(1.0, duration_ms);
    let mean = max_rate / (crest.mean + crest.fluctuate.abs());
    let config = Config {
        noise: 0.0,
        ..preset.config(mean, duration_ms)
    };
    // Without noise nothing is drawn from it.
    let mut rng = Streams::new(0).stream("preset");
    let samples = config.series(SAMPLES + 1, duration_ms, true, &mut rng);
    let points = samples.enumerate().map(|(i, rate)| {
        let t_ms = duration_ms * i as f64 / SAMPLES as f64;
        json!({ "t_ms": t_ms.min(duration_ms), "rate": rate.min(max_rate) })
    });
    let points: Vec<_> = points.collect();
    Ok(reply::json(
        &json!({ "points": points, "interpolation": "linear" }),
    ))
}
