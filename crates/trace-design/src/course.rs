//! The course of a rate: its peak, and how many requests are to be expected.

use crate::window::Window;
use trace_synth::curve_file::{Interpolation, Model};

/// The highest rate of all of `models` together, in requests per second,
/// within `window`.
pub(crate) fn peak(models: &[Model], window: Window) -> f64 {
    let points = models.iter().flat_map(|model| &model.points);
    let times = cuts(points.map(|point| point.t_ms), window);
    let pieces = times.windows(2).map(|piece| {
        // Straight between two cuts; at a cut it may jump.
        let first: f64 = models.iter().map(|model| model.rate(piece[0])).sum();
        let last: f64 = models.iter().map(|model| before(model, piece[1])).sum();
        first.max(last)
    });
    pieces.fold(0.0, f64::max)
}

/// The rate of `model` just before `t_ms`.
fn before(model: &Model, t_ms: f64) -> f64 {
    let place = model.points.partition_point(|point| point.t_ms < t_ms);
    let last = place.checked_sub(1).map(|place| model.points[place]);
    match (last, model.points.get(place)) {
        (Some(from), Some(_)) if model.interpolation == Interpolation::Step => from.rate,
        (_, Some(to)) if to.t_ms == t_ms => to.rate,
        _ => model.rate(t_ms),
    }
}

/// How many requests of `model` are to be expected in each of so many `bins`
/// of `window`.
pub(crate) fn expected(model: &Model, window: Window, bins: usize) -> Vec<f64> {
    let width = window.length_ms() / bins as f64;
    let edges = (1..bins).map(|bin| window.from_ms + bin as f64 * width);
    let points = model.points.iter().map(|point| point.t_ms);
    let times = cuts(points.chain(edges), window);
    let mut counts = vec![0.0; bins];
    for piece in times.windows(2) {
        let middle = (piece[0] + piece[1]) / 2.0;
        if let Some(bin) = window.bin(middle, bins) {
            counts[bin] += model.rate(middle) * (piece[1] - piece[0]) / 1000.0;
        }
    }
    counts
}

/// `times` within `window`, its ends included, in order and each once.
fn cuts(times: impl Iterator<Item = f64>, window: Window) -> Vec<f64> {
    let Window { from_ms, to_ms } = window;
    let inside = times.filter(|&time| time > from_ms && time < to_ms);
    let mut cuts: Vec<f64> = inside.chain([from_ms, to_ms]).collect();
    cuts.sort_by(f64::total_cmp);
    cuts.dedup();
    cuts
}

#[cfg(test)]
mod tests {
    use super::*;
    use trace_synth::curve_file::Curve;

    fn model(interpolation: &str, points: &[(f64, f64)]) -> Model {
        let points: Vec<_> = points
            .iter()
            .map(|(t_ms, rate)| serde_json::json!({ "t_ms": t_ms, "rate": rate }))
            .collect();
        let model =
            serde_json::json!({ "name": "m", "interpolation": interpolation, "points": points });
        let curve = serde_json::json!({ "version": 1, "duration_ms": 1000, "models": [model] });
        Curve::parse("c", &curve.to_string())
            .unwrap()
            .models
            .remove(0)
    }

    fn window(from_ms: f64, to_ms: f64) -> Window {
        Window { from_ms, to_ms }
    }

    #[test]
    fn the_peak_is_that_of_the_sum() {
        let up = model("linear", &[(0.0, 0.0), (1000.0, 10.0)]);
        let down = model("step", &[(0.0, 7.0), (500.0, 1.0)]);
        assert_eq!(peak(std::slice::from_ref(&up), window(0.0, 1000.0)), 10.0);
        // Just before the step: 5 + 7.
        assert_eq!(peak(&[up, down], window(0.0, 1000.0)), 12.0);
        assert_eq!(peak(&[], window(0.0, 1000.0)), 0.0);
    }

    #[test]
    fn what_is_expected_is_the_area() {
        let up = model("linear", &[(0.0, 0.0), (1000.0, 10.0)]);
        assert_eq!(expected(&up, window(0.0, 1000.0), 2), [1.25, 3.75]);
        assert_eq!(expected(&up, window(400.0, 800.0), 2), [1.0, 1.4]);
        let step = model("step", &[(250.0, 4.0), (750.0, 8.0)]);
        assert_eq!(expected(&step, window(0.0, 1000.0), 2), [2.0, 3.0]);
        assert_eq!(expected(&step, window(700.0, 800.0), 2), [0.2, 0.4]);
        assert_eq!(
            expected(&model("step", &[]), window(0.0, 1000.0), 3),
            [0.0; 3]
        );
    }
}
