//! The end: the curve is written, and then the tool goes.

use crate::app::{App, End};
use crate::reply::{self, Refusal, Reply};
use std::sync::{Arc, PoisonError};
use trace_synth::curve_file::Curve;

/// Write `curve` where it was wanted, and end. If it cannot be written the
/// page stays, so that the design can be saved another way.
///
/// # Errors
/// 400 for what trace-synth would not take, 500 for what cannot be written,
/// 409 if it was written already.
pub(crate) async fn done(app: &Arc<App>, curve: Curve) -> Result<Reply, Refusal> {
    let place = Arc::clone(app);
    // A pipe may be read slowly.
    let written = tokio::task::spawn_blocking(move || {
        let mut outlet = place.outlet.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(there) = outlet.as_mut() else {
            return Err(Refusal::new(
                hyper::StatusCode::CONFLICT,
                "the curve was written already",
            ));
        };
        place.generator.check(&curve)?;
        there
            .write(&curve)
            .map_err(|error| Refusal::failed(format_args!("{error:#}")))?;
        let name = there.name();
        *outlet = None;
        Ok(name)
    });
    let name = written.await.map_err(Refusal::failed)??;
    app.end.send_replace(Some(End::Done));
    Ok(reply::json(&serde_json::json!({ "written": name })))
}
