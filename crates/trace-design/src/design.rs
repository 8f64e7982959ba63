//! The design: a curve file, with what the page notes beside it.
//!
//! The page's notes (`max_rate`, a `color` of each model) are members that the
//! curve file knows nothing of; they are kept as they are.

use crate::app::App;
use crate::body;
use crate::desk::Sheet;
use crate::reply::{self, Refusal, Reply};
use crate::seed;
use hyper::StatusCode;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use trace_synth::curve_file::Curve;

/// A request that has a design in it.
#[derive(Deserialize)]
struct Posted<'a> {
    #[serde(borrow)]
    design: &'a RawValue,
}

/// A design that was changed.
#[derive(Deserialize)]
struct Changed<'a> {
    revision: u64,
    #[serde(borrow)]
    design: &'a RawValue,
}

/// The design that a page begins with when there is no other.
pub(crate) fn blank(seed: u64) -> String {
    let mut design = json!({
        "version": 1, "duration_ms": 60_000, "max_rate": 100, "seed": seed,
        "models": [{ "name": "default", "interpolation": "linear", "points": [] }],
    });
    design.as_object_mut().map(seed::for_page);
    design.to_string()
}

/// The curve that `design` spells.
///
/// # Errors
/// 400, with what is wrong and where.
pub(crate) fn curve(design: &RawValue) -> Result<Curve, Refusal> {
    let mut curve = Curve::parse("design", design.get())?;
    seed::from_page(&mut curve.other);
    Ok(curve)
}

/// The curve of the design in a request's `body`.
///
/// # Errors
/// 400, with what is wrong and where.
pub(crate) fn posted(body: &[u8]) -> Result<Curve, Refusal> {
    curve(body::parse::<Posted<'_>>(body)?.design)
}

/// What lies on the desk, and where it will go.
pub(crate) fn get(app: &App) -> Reply {
    let Sheet { revision, design } = app.desk.sheet();
    // While it is being written there is nothing to say of it.
    let outlet = app.outlet.try_lock().ok();
    let outlet = outlet.as_ref().and_then(|outlet| outlet.as_ref());
    let outlet =
        json!(outlet.map(|outlet| { json!({ "to": outlet.name(), "problem": outlet.problem() }) }));
    reply::json_text(format!(
        "{{\"revision\":{revision},\"outlet\":{outlet},\"design\":{design}}}"
    ))
}

/// Put the design in `body` on the desk.
///
/// # Errors
/// 400 for one that is none, 409 with the newer one if there is one.
pub(crate) fn put(app: &App, body: &[u8]) -> Result<Reply, Refusal> {
    let changed: Changed<'_> = body::parse(body)?;
    curve(changed.design)?;
    match app.desk.put(changed.revision, changed.design.get()) {
        Ok(revision) => Ok(reply::json(&json!({ "revision": revision }))),
        Err(Sheet { revision, design }) => {
            let mut refusal = Refusal::new(
                StatusCode::CONFLICT,
                "the design was changed in another tab",
            );
            refusal.body["revision"] = revision.into();
            refusal.body["design"] = serde_json::from_str(&design).map_err(Refusal::failed)?;
            Err(refusal)
        }
    }
}
