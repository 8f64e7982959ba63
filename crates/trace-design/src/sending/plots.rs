//! The pictures of a run: those that the Traffic Designer draws, by trace-plot.

use crate::app::App;
use crate::generate::{Detail, Generator};
use crate::reply::{self, Refusal, Reply};
use crate::sending::run::{Run, as_lines};
use bytes::Bytes;
use hyper::StatusCode;
use std::io::BufReader;
use std::sync::{Arc, PoisonError};
use trace_core::Reader;
use trace_plot::draw::Look;
use trace_plot::kinds::{Kind, Settings};
use trace_plot::picture::Press;
use trace_plot::preset::Preset;
use trace_plot::theme::Theme;

/// Bins of a second are too many for more.
const LONGEST_IN_SECONDS: f64 = 100_000.0;

/// The picture `name` of the run `id`, in dark colours if wanted.
///
/// # Errors
/// 404 for another name or a run that is not there or had nothing to draw,
/// 409 while it goes on.
pub(crate) async fn plot(
    app: &Arc<App>,
    id: &str,
    name: &str,
    dark: bool,
) -> Result<Reply, Refusal> {
    let run = app.runs.get(id)?;
    let kind =
        kind(name).ok_or_else(|| Refusal::missing(format_args!("there is no plot {name}")))?;
    if run.is_running() {
        let reason = "the run goes on; its pictures are drawn at the end";
        return Err(Refusal::new(StatusCode::CONFLICT, reason));
    }
    let app = Arc::clone(app);
    let key = format!("{name} {dark}");
    let drawn = tokio::task::spawn_blocking(move || {
        let mut plots = run.plots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = plots.get(&key) {
            return Ok(known.clone());
        }
        let drawn = draw(&app.generator, &run, kind, dark)?;
        plots.insert(key, drawn.clone());
        Ok::<_, Refusal>(drawn)
    });
    Ok(reply::bytes(
        "image/png",
        drawn.await.map_err(Refusal::failed)??,
    ))
}

/// The kind of the picture that the preset calls `name`.
fn kind(name: &str) -> Option<&'static Kind> {
    let stem = name.strip_suffix(".png")?;
    let mut kinds = Preset::TrafficDesigner.kinds().into_iter();
    kinds.find(|kind| Preset::TrafficDesigner.file(kind.name, true) == Some(stem))
}

fn draw(generator: &Generator, run: &Run, kind: &Kind, dark: bool) -> Result<Bytes, Refusal> {
    let preset = Preset::TrafficDesigner;
    // What was scheduled is the design, also where the run did not come so far.
    let mut input = if preset.file(kind.name, false).is_some() {
        as_lines(generator.requests(&run.curve, Detail::Lengths)?)?
    } else {
        Reader::new("outcomes", BufReader::new(run.kept.reader()))
    };
    let seconds = run.curve.duration_ms / 1000.0;
    let settings = Settings {
        bin: preset.bin().filter(|_| seconds < LONGEST_IN_SECONDS),
        ..Settings::default()
    };
    let nothing = |why: String| Refusal::missing(format_args!("nothing to draw: {why}"));
    let drawn = trace_plot::sheets(&[kind], &settings, &mut input);
    let drawn = drawn.map_err(|error| nothing(format!("{error:#}")))?;
    let mut sheets = drawn.sheets.into_iter();
    let (_, sheet) = sheets
        .next()
        .ok_or_else(|| nothing("no figure".to_owned()))?;
    let sheet = sheet.map_err(|why| nothing(why.to_string()))?;
    let look = Look {
        width: 960,
        height: 540,
        theme: if dark { Theme::DARK } else { Theme::LIGHT },
        panel: false,
        labels: 0,
    };
    let press = Press::new();
    let picture = press.picture(&sheet, &look)?;
    Ok(picture.png(2.0)?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plots_are_those_of_the_preset() {
        for (name, known) in [
            ("scheduled_request_rate.png", "scheduled-rate"),
            ("actual_request_rate.png", "rate"),
            ("latency_cdf.png", "latency-cdf"),
        ] {
            assert_eq!(kind(name).unwrap().name, known);
        }
        assert!(kind("latency_cdf").is_none() && kind("rate.png").is_none());
    }
}
