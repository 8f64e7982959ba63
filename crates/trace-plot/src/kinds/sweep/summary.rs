//! The levels of a sweep in words, for the text beside its pictures.

use super::{Rows, levels::Level};
use crate::number;

/// A line for each series and one for each of its levels.
pub(super) fn lines(rows: &Rows<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for (one, levels) in &rows.series {
        let (Some((low, _)), Some((high, _))) = (levels.first(), levels.last()) else {
            continue;
        };
        let count = levels.len() as u64;
        let ends = format!(
            "({}-{})",
            number::significant(*low),
            number::significant(*high)
        );
        let of = match rows.title {
            "concurrency" => "concurrency level",
            _ => "level",
        };
        lines.push(format!(
            "{}: {} {ends}",
            one.label,
            number::counted(count, of)
        ));
        lines.extend(
            levels
                .iter()
                .map(|(at, level)| line(rows.title, *at, level)),
        );
    }
    lines
}

/// `  concurrency 4: 120 requests, 0 failed, 38.2 requests/s, mean TTFT 30.7 ms, p50 ITL 3.00 ms`
fn line(title: &str, at: f64, level: &Level) -> String {
    let time = |value: Option<f64>| value.map_or("-".to_owned(), number::duration);
    let rate = level.per_second(level.succeeded);
    format!(
        "  {title} {}: {}, {} failed, {} requests/s, mean TTFT {}, p50 ITL {}",
        number::significant(at),
        number::counted(level.succeeded + level.failed, "request"),
        number::exact(level.failed),
        rate.map_or("-".to_owned(), number::significant),
        time(level.ttft.spread().mean),
        time(level.tpot.spread().p50),
    )
}
