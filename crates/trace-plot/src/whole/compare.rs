//! Two traces side by side: five distributions and the LRU curve, A over B.

use anyhow::{Result, bail};
use trace_core::cli::{InputArgs, report_skipped};
use trace_stats::{
    cache::capacity::ladder,
    compare::{Profile, divergence::kolmogorov_smirnov},
};

use super::Whole;
use crate::{
    axis::{Axis, Quantity},
    figure::{Entry, Figure, Layer, Layout, Mark, Shape, Sheet},
    number,
    theme::Ink,
};

/// The distributions that are drawn: the metric, its title, its quantity, and
/// how many units of the axis one of the metric is.
const PANELS: [(&str, &str, Quantity, f64); 5] = [
    (
        "gap_ms",
        "Gaps between arrivals",
        Quantity::Duration,
        1_000.0,
    ),
    (
        "input_length",
        "Prompt lengths in tokens",
        Quantity::Count,
        1.0,
    ),
    (
        "output_length",
        "Response lengths in tokens",
        Quantity::Count,
        1.0,
    ),
    ("context_length", "Context in tokens", Quantity::Count, 1.0),
    (
        "unique_prompt_length",
        "Rest of the prompt in tokens",
        Quantity::Count,
        1.0,
    ),
];

const INKS: [Ink; 2] = [Ink::Series(0), Ink::Series(1)];

pub(super) const WHOLE: Whole = Whole {
    name: "compare",
    about: "two traces A B: gaps between arrivals, lengths, context, LRU curve",
    files: Some(2),
    sheet: |task| {
        let (title, panels) = figures(task.input, task.block_size)?;
        Ok(Sheet::new(&title, panels, Layout::PAIRS))
    },
};

/// The title, and the figures of the two traces that `input` names.
///
/// # Errors
/// Bad input, or a trace without requests.
pub fn figures(input: &InputArgs, block_size: u64) -> Result<(String, Vec<Figure>)> {
    let mut profiles = Vec::new();
    for (mut reader, name) in input.open_each()?.into_iter().zip(&input.files) {
        let profile = Profile::read(&mut reader, block_size)?;
        report_skipped("trace-plot", &reader);
        if profile.requests == 0 {
            bail!("nothing to draw: {name} holds no requests");
        }
        profiles.push(profile);
    }
    let [a, b] = profiles.as_mut_slice() else {
        bail!("two traces are compared");
    };
    let names = [&input.files[0], &input.files[1]].map(|file| label(file));
    let mut figures = Vec::new();
    for (metric, title, quantity, scale) in PANELS {
        let values = [&mut *a, &mut *b].map(|profile| sorted(profile, metric, scale));
        figures.extend(distribution(title, quantity, &values, &names));
    }
    figures.extend(lru(a, b, &names));
    if figures.is_empty() {
        bail!("nothing to draw: neither trace has times, lengths or hash_ids");
    }
    Ok((format!("{} and {}", names[0], names[1]), figures))
}

/// A file without its folder and its ending, or NAME of NAME=FILE.
fn label(file: &str) -> String {
    let name = file.split_once('=').map_or(
        file,
        |(name, path)| {
            if name.contains('/') { path } else { name }
        },
    );
    let name = name.rsplit('/').next().unwrap_or(name);
    name.trim_end_matches(".jsonl").to_owned()
}

fn sorted(profile: &mut Profile, metric: &str, scale: f64) -> Vec<f64> {
    let sample = profile.samples.iter_mut().find(|(name, _)| *name == metric);
    sample.map_or(Vec::new(), |(_, sample)| {
        // What is below zero, where context exceeds the prompt, is drawn as zero.
        let values = sample.sorted().iter();
        values.map(|value| (value * scale).max(0.0)).collect()
    })
}

fn entries(names: &[String; 2]) -> Vec<Entry> {
    let entry = |(name, ink): (&String, Ink)| Entry {
        label: name.clone(),
        ink,
        mark: Mark::Line,
    };
    names.iter().zip(INKS).map(entry).collect()
}

/// The shares of values up to each, or nothing if neither trace has any.
fn distribution(
    title: &str,
    quantity: Quantity,
    values: &[Vec<f64>; 2],
    names: &[String; 2],
) -> Option<Figure> {
    let least = if quantity == Quantity::Duration {
        1_000.0
    } else {
        1.0
    };
    let max = values.iter().filter_map(|values| values.last());
    let max = max.copied().fold(f64::NEG_INFINITY, f64::max);
    let min = values.iter().filter_map(|values| values.first());
    let min = min.copied().fold(f64::INFINITY, f64::min);
    if max < min {
        return None;
    }
    let x = if max > 20.0 * min.max(least) {
        Axis::log("", quantity, (min, max), least)
    } else {
        Axis::from_zero("", quantity, max)
    };
    let facts = match kolmogorov_smirnov(&values[0], &values[1]) {
        Some(apart) => format!(
            "at most {} % apart (KS)",
            number::significant(100.0 * apart)
        ),
        None => "only one of the two has any".to_owned(),
    };
    let layers = values
        .iter()
        .zip(INKS)
        .filter(|(values, _)| !values.is_empty());
    let layers = layers.map(|(values, ink)| Layer {
        ink,
        shape: Shape::Line {
            points: staircase(values, &x),
            dashed: false,
        },
    });
    Some(Figure {
        title: title.to_owned(),
        facts,
        notes: Vec::new(),
        layers: layers.collect(),
        legend: entries(names),
        x,
        y: Axis::exact("share of requests", Quantity::Share, 0.0, 1.0),
    })
}

/// Steps that are told apart, over the width of a panel.
const STEPS: f64 = 600.0;

/// The share of `values` up to each of them, as the corners of a staircase
/// over the whole axis.
fn staircase(values: &[f64], x: &Axis) -> Vec<(f64, f64)> {
    let mut points = vec![(x.from, 0.0)];
    let mut at = 0;
    let mut drawn = 0.0;
    while at < values.len() {
        let value = values[at];
        let end = at + values[at..].partition_point(|&other| other <= value);
        let share = end as f64 / values.len() as f64;
        // A step is drawn where it is seen: far enough right, or high enough.
        let near = points
            .last()
            .is_some_and(|&(last, _)| (x.position(value) - x.position(last)) * STEPS < 1.0);
        if !near || share - drawn > 1.0 / STEPS || end == values.len() {
            points.push((value, drawn));
            points.push((value, share));
            drawn = share;
        }
        at = end;
    }
    points.push((x.to, 1.0));
    points
}

/// The LRU curves of both, or nothing if neither has ids.
fn lru(a: &Profile, b: &Profile, names: &[String; 2]) -> Option<Figure> {
    let curves = [&a.curve, &b.curve];
    let end = curves.iter().map(|curve| curve.saturation()).max()?;
    let capacities = ladder(end, 40);
    let lines = curves.map(|curve| {
        let points = capacities
            .iter()
            .filter_map(|&blocks| Some((blocks as f64, curve.at(blocks).hit_rate?)));
        points.collect::<Vec<_>>()
    });
    let all = || lines.iter().flatten().map(|&(_, rate)| rate);
    all().next()?;
    let pairs = lines[0].iter().zip(&lines[1]);
    let apart = pairs.map(|(a, b)| (a.1 - b.1).abs()).reduce(f64::max);
    let facts = match apart {
        Some(apart) => format!(
            "at most {} points apart",
            number::significant(100.0 * apart)
        ),
        None => "only one of the two has hash_ids".to_owned(),
    };
    let highest = all().fold(0.0, f64::max);
    let layers = lines
        .into_iter()
        .zip(INKS)
        .filter(|(points, _)| !points.is_empty());
    Some(Figure {
        title: "Hit rate of an LRU cache by its capacity".to_owned(),
        facts,
        notes: Vec::new(),
        layers: layers
            .map(|(points, ink)| Layer {
                ink,
                shape: Shape::Line {
                    points,
                    dashed: false,
                },
            })
            .collect(),
        legend: entries(names),
        x: Axis::log(
            "capacity in blocks",
            Quantity::Count,
            (1.0, end as f64),
            1.0,
        ),
        y: Axis::from_zero("hit rate", Quantity::Share, highest),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_staircase_rises_by_the_shares() {
        let x = Axis::from_zero("", Quantity::Count, 10.0);
        let points = staircase(&[2.0, 2.0, 4.0, 10.0], &x);
        assert_eq!(
            points,
            [
                (0.0, 0.0),
                (2.0, 0.0),
                (2.0, 0.5),
                (4.0, 0.5),
                (4.0, 0.75),
                (10.0, 0.75),
                (10.0, 1.0),
                (10.0, 1.0)
            ]
        );
    }

    #[test]
    fn a_staircase_of_thousands_of_steps_is_thinned_and_ends_at_one() {
        let values: Vec<f64> = (0..100_000).map(f64::from).collect();
        let x = Axis::from_zero("", Quantity::Count, 100_000.0);
        let points = staircase(&values, &x);
        assert!(points.len() < 3_000, "{}", points.len());
        assert_eq!(points.last(), Some(&(x.to, 1.0)));
        let off = points
            .iter()
            .map(|(at, share)| (share - at / 100_000.0).abs());
        assert!(off.fold(0.0, f64::max) < 0.004);
    }

    #[test]
    fn names_are_short() {
        assert_eq!(label("a/b/day.jsonl"), "day");
        assert_eq!(label("monday=a/b/day.jsonl"), "monday");
        assert_eq!(label("-"), "-");
    }
}
