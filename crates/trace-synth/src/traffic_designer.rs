//! What the Traffic Designer saves: a pickle of curves on a unit square.
//!
//! `{"models": […], "curves": {model: [{"x": …, "y": …}]}, "duration": …,
//! "max_rate": …}`, where x is a share of the duration (seconds) and y one of
//! the highest rate (requests per second).

use anyhow::{Context, bail, ensure};
use serde_json::Map;

use crate::curve_file::{Curve, Interpolation, Model, Point};
use crate::pickle::{Index, Pickle, Value};

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
    let mut square = Square {
        pickle,
        seconds: scale("duration")?,
        max_rate: scale("max_rate")?,
        points: 0,
    };
    let (Value::List(names) | Value::Tuple(names)) = field("models")? else {
        bail!("models is not a list");
    };
    let curves = field("curves")?;
    let Value::Dict(drawn) = curves else {
        bail!("curves is not a dict");
    };
    let mut notes = Vec::new();
    let mut models = Vec::new();
    for &name in names {
        models.push(square.model(name, curves, &mut notes)?);
    }
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
        duration_ms: square.seconds * 1000.0,
        models,
        other: Map::new(),
    };
    curve.put_in_order()?;
    Ok((curve, notes))
}

/// The square on which curves are drawn.
struct Square<'a> {
    pickle: &'a Pickle,
    /// Its width.
    seconds: f64,
    /// Its height, in requests per second.
    max_rate: f64,
    /// Points taken so far.
    points: usize,
}

impl Square<'_> {
    /// The model called `name` with its curve among `curves`, if it has one.
    fn model(
        &mut self,
        name: Index,
        curves: &Value,
        notes: &mut Vec<String>,
    ) -> anyhow::Result<Model> {
        let Value::Text(name) = self.pickle.at(name) else {
            bail!("models has something that is not a str");
        };
        let points = match self.pickle.get(curves, name) {
            Some(list) => self
                .points(list)
                .with_context(|| format!("curve of model {name:?}"))?,
            None => {
                notes.push(format!("model {name:?} has no curve, so nothing asks it"));
                Vec::new()
            }
        };
        Ok(Model {
            name: name.clone(),
            interpolation: Interpolation::Linear,
            points,
            other: Map::new(),
        })
    }

    /// The points in `list`.
    fn points(&mut self, list: &Value) -> anyhow::Result<Vec<Point>> {
        let (Value::List(list) | Value::Tuple(list)) = list else {
            bail!("is not a list");
        };
        self.points += list.len();
        ensure!(self.points <= MOST_POINTS, "more than {MOST_POINTS} points");
        let points = list.iter().enumerate();
        points.map(|(i, &point)| self.point(i, point)).collect()
    }

    /// Point `i` of a curve.
    fn point(&self, i: usize, point: Index) -> anyhow::Result<Point> {
        let pickle = self.pickle;
        let place = |axis: &str| {
            let value = pickle.get(pickle.at(point), axis).and_then(Value::number);
            let value = value.filter(|value| (0.0..=1.0).contains(value));
            value.with_context(|| format!("point {i}: {axis} is not within 0 and 1"))
        };
        Ok(Point {
            t_ms: place("x")? * self.seconds * 1000.0,
            rate: place("y")? * self.max_rate,
        })
    }
}
