//! Lines of telemetry, one after the other.

use super::series::Sample;
use crate::numbered::{Flaw, each_numbered};
use trace_core::{MAX_LINE_BYTES, Micros, Source};

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
    each_numbered(source, MAX_LINE_BYTES, skip_invalid, |line| {
        take(&sample(line)?);
        Ok(())
    })
}

/// The sample of a line, or the column and what is wrong there.
fn sample(line: &[u8]) -> Result<Sample, Flaw> {
    let parsed: Result<Sample, _> = serde_json::from_slice(line);
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
