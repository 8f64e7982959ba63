//! Lines of telemetry, one after the other.

use super::series::Sample;
use anyhow::{Context, bail};
use std::io::BufRead;
use trace_core::{Micros, Source};

/// Give every sample of `source` to `take`, and count the lines that are none if
/// they are to be gone past.
///
/// # Errors
///
/// A file that cannot be read; the place of a line that is no sample.
pub(crate) fn each_sample(
    source: Source<'_>,
    skip_invalid: bool,
    mut take: impl FnMut(&Sample),
) -> anyhow::Result<u64> {
    let name = source.name().clone();
    let mut input = source
        .open()
        .with_context(|| format!("cannot open {name}"))?;
    let mut bytes = Vec::new();
    let mut skipped = 0;
    for number in 1_u64.. {
        bytes.clear();
        let length = input.read_until(b'\n', &mut bytes);
        if length.with_context(|| format!("cannot read {name}:{number}"))? == 0 {
            break;
        }
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        match sample(&bytes) {
            Ok(sample) => take(&sample),
            Err(_) if skip_invalid => skipped += 1,
            Err((column, reason)) => bail!("{name}:{number}:{column}: {reason}"),
        }
    }
    Ok(skipped)
}

/// The sample of a line, or the column and what is wrong there.
fn sample(line: &[u8]) -> Result<Sample, (usize, String)> {
    let parsed: Result<Sample, _> = serde_json::from_slice(line.trim_ascii_end());
    let flaw = match parsed {
        Ok(sample) if sample.value.is_finite() && Micros::from_millis(sample.t_ms).is_some() => {
            return Ok(sample);
        }
        Ok(_) => return Err((1, "t_ms and value are numbers, t_ms 0 or more".to_owned())),
        Err(error) => error,
    };
    let words = flaw.to_string();
    let reason = words
        .rsplit_once(" at line ")
        .map_or(words.as_str(), |(reason, _)| reason);
    let reason = if line.trim_ascii_start().starts_with(b"{") {
        reason.to_owned()
    } else {
        "not a line of telemetry; trace-send --telemetry writes them".to_owned()
    };
    let hint = if reason.starts_with("missing field") {
        ", not a line of telemetry; trace-stats without telemetry reads requests and outcomes"
    } else {
        ""
    };
    Err((flaw.column().max(1), reason + hint))
}
