//! When a span was.

use super::attributes::text;
use crate::clock::{TimeUnit, decimal};
use crate::json::Members;
use crate::report::{Kind, Report};
use trace_core::Micros;
use trace_core::date::date;

/// The beginning of a span, and how long it took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Moment {
    /// Microseconds since 1970.
    pub(super) start: i64,
    /// Absent where its end is.
    pub(super) duration: Option<Micros>,
}

impl Moment {
    /// When `span` was, where it tells.
    ///
    /// # Errors
    /// A time that is none.
    pub(super) fn of(span: &Members<'_>, report: &mut Report) -> Result<Option<Self>, String> {
        let is_jaeger = span.get("spanID").is_some();
        let is_zipkin = span.get("tags").is_some() && span.get("timestamp").is_some();
        let (start, duration) = if is_jaeger || is_zipkin {
            // Both count microseconds.
            let micros = |name: &str| time(span, &[name], |text| decimal(text, TimeUnit::Us));
            let start = if is_jaeger { "startTime" } else { "timestamp" };
            (micros(start)?, micros("duration")?)
        } else {
            let start = time(span, &STARTS, moment)?;
            let end = time(span, &ENDS, moment)?;
            let both = end.zip(start);
            (start, both.map(|(end, start)| end.saturating_sub(start)))
        };
        let Some(start) = start else {
            report.count(Kind::Noted, "spans without a start", 1);
            return Ok(None);
        };
        let backwards = duration.is_some_and(|duration| duration < 0);
        let reason = "ends of spans before their start";
        report.count(Kind::Dropped, reason, u64::from(backwards));
        let duration = duration.and_then(|duration| u64::try_from(duration).ok());
        Ok(Some(Self {
            start,
            duration: duration.map(Micros::from_micros),
        }))
    }
}

const STARTS: [&str; 4] = [
    "start_time",
    "startTimeUnixNano",
    "startTime",
    "start_time_unix_nano",
];

const ENDS: [&str; 4] = [
    "end_time",
    "endTimeUnixNano",
    "endTime",
    "end_time_unix_nano",
];

/// Microseconds since 1970: a date, or nanoseconds as OTLP counts them.
fn moment(text: &str) -> Option<i64> {
    date(text).or_else(|| decimal(text, TimeUnit::Ns))
}

/// The time in the first of `names` that there is, as `read` reads it.
fn time(
    span: &Members<'_>,
    names: &[&str],
    read: impl Fn(&str) -> Option<i64>,
) -> Result<Option<i64>, String> {
    let found = names.iter().find_map(|name| Some((name, span.get(name)?)));
    let time = |(name, raw)| {
        let micros = text(raw).and_then(|text| read(&text));
        micros.ok_or_else(|| format!("{name}: expected a date or a number of time"))
    };
    found.map(time).transpose()
}
