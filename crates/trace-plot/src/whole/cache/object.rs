//! The curves of a cache object, as `trace-stats cache` prints it.

use anyhow::{Result, bail};
use serde::Deserialize;

use super::drawn::{Drawn, assemble};
use crate::{
    figure::Figure,
    number,
    theme::{Ink, SERIES},
};

/// What is drawn of a cache object.
#[derive(Debug, Deserialize)]
pub(super) struct Object {
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

/// The figure of a cache object.
pub(super) fn figure(object: &Object) -> Result<Figure> {
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

#[cfg(test)]
mod tests {
    use super::super::drawn::lines;
    use super::*;

    #[test]
    fn an_object_is_drawn_as_it_is() {
        let object = r#"{"kind":"cache","block_size":16,"curves":[{"policy":"fifo","replicas":4,
            "routing":"round-robin","curve":[{"blocks":10,"hit_rate":0.25,"token_hit_rate":null},
            {"blocks":100,"hit_rate":0.5,"token_hit_rate":null}]}]}"#;
        let figure = figure(&serde_json::from_str(object).unwrap()).unwrap();
        assert_eq!(lines(&figure)[0][..2], [(10.0, 0.25), (100.0, 0.5)]);
        assert!(figure.title.ends_with("fifo × 4 round-robin"));
    }
}
