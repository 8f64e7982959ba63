//! Hit rate of a KV cache against its capacity.
//!
//! From a trace: the exact LRU curve, by block and, of one cache, dashed by
//! token; of several groups a curve for each, in a cache of its own, and one of
//! all in one cache. From a cache object, as `trace-stats cache` prints it: the
//! curves in it.

use std::io::{BufRead, Cursor, Read};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use trace_core::{
    Line, Reader, Source,
    cli::{InputArgs, Progress, report_skipped},
};
use trace_stats::{
    cache::{Curve, Distances, Order, Rows, capacity::ladder},
    order::{Held, Prompt},
};

use super::Whole;
use crate::{
    axis::{Axis, Quantity},
    figure::{Entry, Figure, Layer, Mark, Shape},
    group::Groups,
    number,
    theme::{Ink, SERIES},
};

/// Capacities of a curve that is drawn, for each factor of ten.
const PER_DECADE: u32 = 40;

pub(super) const WHOLE: Whole = Whole {
    name: "cache",
    about: "hit rate of an LRU cache against its capacity, of each group in a cache of its own; or what trace-stats cache --format json prints",
    files: None,
    sheet: |task| Ok(figure(task.input, &task.settings.by, task.block_size)?.into()),
};

/// The figure of a trace, or of a cache object if that is what the input is.
///
/// # Errors
/// Bad input, or nothing to draw.
pub fn figure(input: &InputArgs, by: &str, block_size: u64) -> Result<Figure> {
    let mut sources = input.sources()?;
    if sources.len() == 1 {
        let source = sources.remove(0);
        let (name, tag) = (source.name().clone(), source.tag().map(str::to_owned));
        let mut bytes = source
            .open()
            .with_context(|| format!("cannot open {name}"))?;
        let mut head = Vec::new();
        bytes
            .by_ref()
            .take(trace_core::MAX_LINE_BYTES as u64 + 1)
            .read_until(b'\n', &mut head)
            .with_context(|| format!("cannot read {name}"))?;
        if is_cache_object(&head) {
            bytes
                .read_to_end(&mut head)
                .with_context(|| format!("cannot read {name}"))?;
            let object: Object = serde_json::from_slice(&head)
                .with_context(|| format!("{name} is no cache object"))?;
            return of_object(&object);
        }
        let whole = Source::stream(&name, Cursor::new(head).chain(bytes));
        sources.push(match tag {
            Some(tag) => whole.tagged(&tag),
            None => whole,
        });
    }
    let mut reader = Reader::over(sources).skip_invalid(input.skip_invalid);
    let figure = of_trace(&mut reader, by, block_size);
    report_skipped("trace-plot", &reader);
    figure
}

/// Whether a file that begins with this line is a cache object: one object
/// over several lines, or one that says so.
fn is_cache_object(line: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Head {
        kind: String,
    }
    let line = line.trim_ascii();
    line == b"{" || serde_json::from_slice::<Head>(line).is_ok_and(|head| head.kind == "cache")
}

/// What is drawn of a cache object.
#[derive(Debug, Deserialize)]
struct Object {
    kind: String,
    block_size: u64,
    #[serde(default)]
    requests: Option<u64>,
    curves: Vec<ObjectCurve>,
}

#[derive(Debug, Deserialize)]
struct ObjectCurve {
    policy: String,
    replicas: u64,
    routing: Option<String>,
    curve: Vec<ObjectPoint>,
}

#[derive(Debug, Deserialize)]
struct ObjectPoint {
    blocks: u64,
    hit_rate: Option<f64>,
    #[serde(default)]
    hit_rate_error: Option<f64>,
}

fn of_object(object: &Object) -> Result<Figure> {
    if object.kind != "cache" {
        bail!(
            "the input is an object of kind {:?}, not cache",
            object.kind
        );
    }
    let mut curves: Vec<Drawn> = Vec::new();
    for (at, curve) in object.curves.iter().enumerate() {
        let points = curve.curve.iter().filter_map(|point| {
            let rate = point.hit_rate?;
            Some((point.blocks as f64, rate.clamp(0.0, 1.0)))
        });
        let label = match &curve.routing {
            Some(routing) => format!("{} × {} {routing}", curve.policy, curve.replicas),
            None => curve.policy.clone(),
        };
        curves.push(Drawn {
            ink: if at < SERIES {
                Ink::Series(at)
            } else {
                Ink::Other
            },
            label,
            points: points.collect(),
            dashed: false,
        });
    }
    let mut facts = format!("blocks of {} tokens", object.block_size);
    if let Some(requests) = object.requests {
        facts = format!("{} · {facts}", number::counted(requests, "request"));
    }
    let points = object.curves.iter().flat_map(|curve| &curve.curve);
    let worst = points
        .filter_map(|point| point.hit_rate_error)
        .fold(0.0, f64::max);
    let mut notes = Vec::new();
    if worst > 0.0 {
        notes.push(format!(
            "estimated from a sample: error {} or less (one standard deviation)",
            number::significant(worst)
        ));
    }
    if object.curves.iter().any(|curve| curve.replicas > 1) {
        notes.push("the capacity is that of each replica".to_owned());
    }
    let title = match curves.as_slice() {
        [one] => format!("Hit rate of a cache by its capacity: {}", one.label),
        _ => "Hit rate of a cache by its capacity".to_owned(),
    };
    assemble(title, facts, notes, curves)
}

/// A cache that meets one group of requests.
#[derive(Debug)]
struct Met {
    rows: Rows,
    distances: Distances,
    held: Held,
}

impl Met {
    fn new(block_size: u64) -> Self {
        Self {
            rows: Rows::new(block_size, false),
            distances: Distances::new(Order::Forward),
            held: Held::default(),
        }
    }

    fn push(&mut self, prompt: &Prompt<'_>) -> Result<()> {
        if !prompt.ids.is_empty() {
            let row = self.rows.row(prompt.input_length, prompt.ids)?;
            self.distances.push(&row);
        }
        Ok(())
    }

    /// Its curve, and the number of distinct blocks.
    fn finish(mut self) -> Result<(Curve, u32)> {
        let held = std::mem::take(&mut self.held);
        held.release(|prompt| self.push(&prompt))?;
        Ok((self.distances.curve(), self.rows.distinct()))
    }
}

fn of_trace(input: &mut Reader<'_>, by: &str, block_size: u64) -> Result<Figure> {
    let mut groups = Groups::by(by);
    let mut all = Met::new(block_size);
    let mut each: Vec<Met> = Vec::new();
    let mut progress = Progress::new("lines", None);
    let mut line = Line::default();
    let mut requests = 0_u64;
    while input.read(&mut line)? {
        let group = groups.of(&line);
        if group >= each.len() {
            each.resize_with(group + 1, || Met::new(block_size));
        }
        let outcome = line.outcome()?;
        for met in [&mut all, &mut each[group]] {
            match &outcome {
                Some(outcome) => met.held.push(&line, outcome)?,
                None => met.push(&Prompt::of(&line, None))?,
            }
        }
        requests += 1;
        if requests.is_multiple_of(4_096) {
            progress.set(requests, "");
        }
    }
    progress.finish();
    if requests == 0 {
        bail!("nothing to draw: the input has no requests");
    }
    let (curve, distinct) = all.finish()?;
    if curve.asked.blocks == 0 {
        bail!("nothing to draw: no request has hash_ids");
    }
    let facts = format!(
        "{} · {} accesses to {} of {block_size} tokens · {} % with room for everything",
        number::counted(requests, "request"),
        number::exact(curve.asked.blocks),
        number::counted(distinct.into(), "block"),
        number::significant(100.0 * curve.at(u64::MAX).hit_rate.unwrap_or(0.0))
    );
    let mut notes =
        vec!["LRU over blocks, each id of each line in order; exact at every capacity".to_owned()];
    let curves = if groups.series().len() == 1 {
        notes.push("by token is dashed".to_owned());
        vec![
            Drawn::of(&curve, Ink::Series(0), "by block", false),
            Drawn::of(&curve, Ink::Series(0), "by token", true),
        ]
    } else {
        of_groups(&groups, &curve, each, &mut notes)?
    };
    assemble(
        "Hit rate of an LRU cache by its capacity".to_owned(),
        facts,
        notes,
        curves,
    )
}

/// The curve of all in one cache, and of each group in one of its own.
fn of_groups(
    groups: &Groups,
    all: &Curve,
    each: Vec<Met>,
    notes: &mut Vec<String>,
) -> Result<Vec<Drawn>> {
    let finished: Vec<Curve> = each
        .into_iter()
        .map(|met| met.finish().map(|(curve, _)| curve))
        .collect::<Result<_>>()?;
    let mut curves = vec![Drawn::of(all, Ink::All, "all in one cache", false)];
    for series in groups.series() {
        match series.groups.as_slice() {
            [group] if series.ink != Ink::Other => {
                if let Some(curve) = finished.get(*group).filter(|curve| curve.asked.blocks > 0) {
                    curves.push(Drawn::of(curve, series.ink, &series.label, false));
                }
            }
            others => notes.push(format!(
                "{} of {} are not drawn by themselves",
                number::counted(others.len() as u64, "smaller group"),
                groups.field()
            )),
        }
    }
    notes.push("each group in a cache of its own".to_owned());
    Ok(curves)
}

/// One curve of a picture.
#[derive(Clone, Debug)]
struct Drawn {
    ink: Ink,
    label: String,
    points: Vec<(f64, f64)>,
    dashed: bool,
}

impl Drawn {
    fn of(curve: &Curve, ink: Ink, label: &str, by_token: bool) -> Self {
        let capacities = ladder(curve.saturation(), PER_DECADE);
        let points = capacities.into_iter().filter_map(|blocks| {
            let rate = curve.at(blocks);
            let rate = if by_token {
                rate.token_hit_rate
            } else {
                rate.hit_rate
            };
            Some((blocks as f64, rate?))
        });
        Self {
            ink,
            label: label.to_owned(),
            points: points.collect(),
            dashed: by_token,
        }
    }
}

/// The figure of these curves.
fn assemble(
    title: String,
    facts: String,
    notes: Vec<String>,
    mut curves: Vec<Drawn>,
) -> Result<Figure> {
    curves.retain(|curve| !curve.points.is_empty());
    let points = || curves.iter().flat_map(|curve| &curve.points);
    let ends = points().fold((f64::INFINITY, 0.0), |(least, most), &(x, _)| {
        (x.min(least), x.max(most))
    });
    let highest = points().map(|&(_, rate)| rate).fold(0.0, f64::max);
    if curves.is_empty() {
        bail!("nothing to draw: no curve has a point");
    }
    let x = Axis::log("capacity in blocks", Quantity::Count, ends, 1.0);
    let entry = |curve: &Drawn| Entry {
        label: curve.label.clone(),
        ink: curve.ink,
        mark: if curve.dashed {
            Mark::Dashed
        } else {
            Mark::Line
        },
    };
    let legend = match curves.as_slice() {
        [_] => Vec::new(),
        several => several.iter().map(entry).collect(),
    };
    let layer = |curve: Drawn| {
        let mut points = curve.points;
        // Nothing more is found, up to the edge of the picture.
        points.extend(points.last().map(|&(_, rate)| (x.to, rate)));
        Layer {
            ink: curve.ink,
            shape: Shape::Line {
                points,
                dashed: curve.dashed,
            },
        }
    };
    Ok(Figure {
        title,
        facts,
        notes,
        layers: curves.into_iter().rev().map(layer).collect(),
        legend,
        y: Axis::from_zero("hit rate", Quantity::Share, highest),
        x,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = r#"{"input_length":25,"hash_ids":[0,1,2],"model":"a"}
{"input_length":28,"hash_ids":[0,1,3],"model":"b"}
{"input_length":28,"hash_ids":[0,1,3],"model":"a"}
"#;

    fn lines(figure: &Figure) -> Vec<Vec<(f64, f64)>> {
        let lines = figure
            .layers
            .iter()
            .rev()
            .filter_map(|layer| match &layer.shape {
                Shape::Line { points, .. } => Some(points.clone()),
                _ => None,
            });
        lines.collect()
    }

    #[test]
    fn groups_have_caches_of_their_own() {
        let mut reader = Reader::new("t", TRACE.as_bytes());
        let figure = of_trace(&mut reader, "model", 10).unwrap();
        let ends: Vec<f64> = lines(&figure)
            .iter()
            .map(|line| line[line.len() - 1].1)
            .collect();
        // Five of nine blocks in one cache; a has two of six, b none.
        assert_eq!(ends, [5.0 / 9.0, 2.0 / 6.0, 0.0]);
        assert_eq!(figure.legend[0].label, "all in one cache");
    }

    #[test]
    fn one_group_is_drawn_by_block_and_by_token() {
        let mut reader = Reader::new("t", TRACE.as_bytes());
        let figure = of_trace(&mut reader, "session_id", 10).unwrap();
        let ends: Vec<f64> = lines(&figure)
            .iter()
            .map(|line| line[line.len() - 1].1)
            .collect();
        assert_eq!(ends, [5.0 / 9.0, 48.0 / 81.0]);
        assert!(
            figure
                .facts
                .contains("3 requests · 9 accesses to 4 blocks of 10 tokens")
        );
    }

    #[test]
    fn an_object_is_drawn_as_it_is() {
        let object = r#"{"kind":"cache","block_size":16,"curves":[{"policy":"fifo","replicas":4,
            "routing":"round-robin","curve":[{"blocks":10,"hit_rate":0.25,"token_hit_rate":null},
            {"blocks":100,"hit_rate":0.5,"token_hit_rate":null}]}]}"#;
        let figure = of_object(&serde_json::from_str(object).unwrap()).unwrap();
        assert_eq!(lines(&figure)[0][..2], [(10.0, 0.25), (100.0, 0.5)]);
        assert!(figure.title.ends_with("fifo × 4 round-robin"));
        assert!(is_cache_object(b"{\n") && is_cache_object(b"{\"a\":1,\"kind\":\"cache\"}\n"));
        assert!(!is_cache_object(b"{\"input_length\":1}\n") && !is_cache_object(b"oops\n"));
    }

    #[test]
    fn nothing_to_draw_says_why() {
        let mut reader = Reader::new("t", &b"{\"input_length\":1}\n"[..]);
        let error = of_trace(&mut reader, "model", 10).unwrap_err().to_string();
        assert_eq!(error, "nothing to draw: no request has hash_ids");
    }
}
