//! What the Traffic Designer saves: a pickle of curves on a unit square.
//!
//! `{"models": […], "curves": {model: [{"x": …, "y": …}]}, "duration": …,
//! "max_rate": …}`, where x is a share of the duration (seconds) and y one of
//! the highest rate (requests per second).

use anyhow::{Context, bail, ensure};
use serde_json::Map;

use crate::curve_file::{Curve, Interpolation, Model, Point};
use crate::pickle::{Pickle, Value};

/// Points of all models together. A pickle can name one list a thousand
/// times, and all of them are copied here.
const MOST_POINTS: usize = 1_000_000;

/// The curve that `pickle` holds, and what was left out of it, in words.
///
/// # Errors
/// Anything missing, of another type, or outside of the square; the message
/// names it.
pub fn curve(pickle: &Pickle) -> anyhow::Result<(Curve, Vec<String>)> {
    let root = pickle.root();
    ensure!(
        matches!(root, Value::Dict(_)),
        "the pickle holds no dict with models, curves, duration and max_rate"
    );
    let field = |name: &str| {
        let value = pickle.get(root, name);
        value.with_context(|| format!("the pickle has no {name:?}"))
    };
    let scale = |name: &str| {
        let number = field(name)?.number().filter(|n| n.is_finite() && *n >= 0.0);
        number.with_context(|| format!("{name} is not a number of at least 0"))
    };
    let (seconds, max_rate) = (scale("duration")?, scale("max_rate")?);
    let (Value::List(names) | Value::Tuple(names)) = field("models")? else {
        bail!("models is not a list");
    };
    let curves = field("curves")?;
    let Value::Dict(drawn) = curves else {
        bail!("curves is not a dict");
    };
    let mut models = Vec::new();
    let mut points = 0;
    for &name in names {
        let Value::Text(name) = pickle.at(name) else {
            bail!("models has something that is not a str");
        };
        let points_of = |list: &Value| -> anyhow::Result<Vec<Point>> {
            let (Value::List(list) | Value::Tuple(list)) = list else {
                bail!("is not a list");
            };
            points += list.len();
            ensure!(points <= MOST_POINTS, "more than {MOST_POINTS} points");
            let each = list.iter().enumerate().map(|(i, &point)| {
                let place = |axis: &str| {
                    let value = pickle.get(pickle.at(point), axis).and_then(Value::number);
                    let value = value.filter(|value| (0.0..=1.0).contains(value));
                    value.with_context(|| format!("point {i}: {axis} is not within 0 and 1"))
                };
                Ok(Point {
                    t_ms: place("x")? * seconds * 1000.0,
                    rate: place("y")? * max_rate,
                })
            });
            each.collect()
        };
        let list = pickle.get(curves, name);
        let points = list.map(points_of).transpose();
        models.push(Model {
            name: name.clone(),
            interpolation: Interpolation::Linear,
            points: points
                .with_context(|| format!("curve of model {name:?}"))?
                .unwrap_or_default(),
            other: Map::new(),
        });
    }
    let mut notes = Vec::new();
    for &(name, _) in drawn {
        match pickle.at(name) {
            Value::Text(name) if models.iter().any(|model| model.name == *name) => {}
            Value::Text(name) => notes.push(format!(
                "left out the curve of {name:?}, which is not among the models"
            )),
            _ => bail!("curves has a key that is not a str"),
        }
    }
    let mut curve = Curve {
        version: 1,
        duration_ms: seconds * 1000.0,
        models,
        other: Map::new(),
    };
    curve.put_in_order()?;
    Ok((curve, notes))
}
