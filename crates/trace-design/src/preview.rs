//! What a design will come to: its very requests, counted.

use crate::app::App;
use crate::body;
use crate::course;
use crate::design;
use crate::generate::{self, Detail, Generator};
use crate::latest::Ticket;
use crate::reply::{self, Refusal, Reply};
use crate::share::{LOOK, Share};
use crate::window::Window;
use hyper::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::HashMap;
use std::sync::Arc;
use trace_synth::curve_file::Curve;
use trace_synth::{Requests, Row};

/// Requests that are made to be counted; of more the number is estimated.
const MOST_COUNTED: f64 = 2_000_000.0;

#[derive(Deserialize)]
struct Asked<'a> {
    #[serde(borrow)]
    design: &'a RawValue,
    bins: Option<usize>,
    from_ms: Option<f64>,
    to_ms: Option<f64>,
}

/// What a design will come to.
#[derive(Serialize)]
struct Preview<'a> {
    models: Vec<Share<'a>>,
    total: Share<'a>,
    seed: u64,
    duration_ms: f64,
    /// Where the first bin begins, and how wide each is.
    from_ms: f64,
    bin_ms: f64,
    /// The numbers are expectations, not counts.
    estimated: bool,
    /// Above how many they are.
    most_counted: f64,
}

/// Count what the design in `body` will come to.
///
/// # Errors
/// 400 for what is no design, 409 if `ticket` is not the latest any more.
pub(crate) async fn preview(app: &Arc<App>, body: &[u8], ticket: Ticket) -> Result<Reply, Refusal> {
    let asked: Asked<'_> = body::parse(body)?;
    let bins = asked.bins.unwrap_or(400);
    if !(1..=10_000).contains(&bins) {
        return Err(Refusal::bad("bins is not within 1 and 10000"));
    }
    let curve = design::curve(asked.design)?;
    let window = Window::within(curve.duration_ms, asked.from_ms, asked.to_ms)?;
    let app = Arc::clone(app);
    let flag = ticket.flag();
    let counted = tokio::task::spawn_blocking(move || {
        let stale = || flag.load(std::sync::atomic::Ordering::Relaxed);
        made(&app.generator, &curve, window, bins, &stale)
            .map(|preview| preview.as_ref().map(reply::json))
    });
    let counted = counted.await.map_err(Refusal::failed)??;
    counted.ok_or_else(|| {
        let mut refusal = Refusal::new(StatusCode::CONFLICT, "a newer preview was asked for");
        refusal.body["superseded"] = true.into();
        refusal
    })
}

/// The preview of `curve`, with what comes in each of so many `bins` of
/// `window`; nothing once it is `stale`.
fn made<'a>(
    generator: &Generator,
    curve: &'a Curve,
    window: Window,
    bins: usize,
    stale: &dyn Fn() -> bool,
) -> Result<Option<Preview<'a>>, Refusal> {
    let whole = Window::whole(curve.duration_ms);
    let models = curve.models.iter();
    let areas: Vec<f64> = models
        .map(|model| course::expected(model, whole, 1)[0])
        .collect();
    let estimated = areas.iter().sum::<f64>() > MOST_COUNTED;
    let models = curve.models.iter();
    let mut shares: Vec<Share<'_>> = models
        .map(|model| Share {
            name: Some(&model.name),
            peak: course::peak(std::slice::from_ref(model), whole),
            bins: vec![0.0; bins],
            stride: 1,
            ..Share::default()
        })
        .collect();
    let done = if estimated {
        estimate(generator, curve, &areas, &mut shares, window, stale)?
    } else {
        let mut trace = generator.requests(curve, Detail::Lengths)?;
        count(&mut *trace, &mut shares, window, stale)
    };
    if !done {
        return Ok(None);
    }
    let total = total(curve, &mut shares, bins);
    Ok(Some(Preview {
        models: shares,
        total,
        seed: generate::seed(curve),
        duration_ms: curve.duration_ms,
        from_ms: window.from_ms,
        bin_ms: window.length_ms() / bins as f64,
        estimated,
        most_counted: MOST_COUNTED,
    }))
}

/// Fill `shares` with what is to be expected of models with these `areas`
/// under their curves. False if it became `stale`.
fn estimate(
    generator: &Generator,
    curve: &Curve,
    areas: &[f64],
    shares: &mut [Share<'_>],
    window: Window,
    stale: &dyn Fn() -> bool,
) -> Result<bool, Refusal> {
    for ((share, model), area) in shares.iter_mut().zip(&curve.models).zip(areas) {
        // A model's requests don't depend on what others there are.
        let alone = Curve {
            models: vec![model.clone()],
            ..curve.clone()
        };
        let mut trace = generator.requests(&alone, Detail::Lengths)?;
        if !share.sample(&mut *trace, stale) {
            return Ok(false);
        }
        share.expect(*area, course::expected(model, window, share.bins.len()));
    }
    Ok(true)
}

/// All of `shares` together; each of them gets its mean rate.
fn total<'a>(curve: &Curve, shares: &mut [Share<'a>], bins: usize) -> Share<'a> {
    let seconds = curve.duration_ms / 1000.0;
    let mut total = Share {
        peak: course::peak(&curve.models, Window::whole(curve.duration_ms)),
        bins: vec![0.0; bins],
        ..Share::default()
    };
    for share in shares {
        share.mean = share.requests as f64 / seconds;
        total.requests += share.requests;
        total.input_tokens = total.input_tokens.saturating_add(share.input_tokens);
        total.output_tokens = total.output_tokens.saturating_add(share.output_tokens);
        for (sum, count) in total.bins.iter_mut().zip(&share.bins) {
            *sum += count;
        }
    }
    total.mean = total.requests as f64 / seconds;
    total
}

/// Count all of `trace` into `shares`, by model. False if it became `stale`.
fn count(
    trace: &mut dyn Requests,
    shares: &mut [Share<'_>],
    window: Window,
    stale: &dyn Fn() -> bool,
) -> bool {
    let names = shares.iter().enumerate();
    let names: HashMap<String, usize> = names
        .filter_map(|(place, share)| Some((share.name?.to_owned(), place)))
        .collect();
    let mut row = Row::default();
    let mut counted = 0_u64;
    while trace.fill(&mut row) {
        counted += 1;
        if counted.is_multiple_of(LOOK) && stale() {
            return false;
        }
        let name = row.request.model.as_deref().unwrap_or_default();
        if let Some(share) = names.get(name).and_then(|&place| shares.get_mut(place)) {
            share.add(&row, window);
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::share::MOST_SHOWN;

    fn curve(rate: f64) -> Curve {
        let text = format!(
            r#"{{"version":1,"duration_ms":60000,"seed":3,"models":[
            {{"name":"a","interpolation":"linear","points":[{{"t_ms":0,"rate":0}},{{"t_ms":60000,"rate":{rate}}}],
              "input_length":"lognormal:900,700","prefixes":"pool:3,1024"}},
            {{"name":"b","interpolation":"step","points":[{{"t_ms":0,"rate":20}}],"arrival":"gamma:3"}},
            {{"name":"none","interpolation":"step","points":[]}}]}}"#
        );
        Curve::parse("c", &text).unwrap()
    }

    fn all() -> Window {
        Window::whole(60_000.0)
    }

    /// Requests and tokens of each model, counted one by one with everything
    /// that is in them.
    fn by_hand(curve: &Curve) -> Vec<(u64, u64, u64)> {
        let mut trace = Generator::default().requests(curve, Detail::Whole).unwrap();
        let mut sums = vec![(0, 0, 0); curve.models.len()];
        let mut row = Row::default();
        while trace.fill(&mut row) {
            let name = row.request.model.as_deref().unwrap();
            let place = curve.models.iter().position(|model| model.name == name);
            let sum = &mut sums[place.unwrap()];
            sum.0 += 1;
            sum.1 += row.request.input_length.unwrap();
            sum.2 += row.request.output_length.unwrap();
        }
        sums
    }

    #[test]
    fn a_preview_counts_the_requests_that_will_be() {
        for rate in [0.3, 50.0, 400.0] {
            let curve = curve(rate);
            let preview = made(&Generator::default(), &curve, all(), 60, &|| false);
            let preview = preview.unwrap().unwrap();
            let counts = preview.models.iter();
            let counts: Vec<_> = counts
                .map(|share| (share.requests, share.input_tokens, share.output_tokens))
                .collect();
            assert_eq!(counts, by_hand(&curve));
            assert_eq!(
                preview.total.requests,
                counts.iter().map(|sum| sum.0).sum::<u64>()
            );
            assert_eq!((preview.total.peak, preview.seed), (rate + 20.0, 3));
            for share in &preview.models {
                assert_eq!(share.bins.iter().sum::<f64>(), share.requests as f64);
                assert!(share.arrivals.len() <= MOST_SHOWN && share.arrivals.is_sorted());
                let shown = share.arrivals.len() as u64;
                assert!(shown == share.requests || shown > MOST_SHOWN as u64 / 2 - 1);
            }
            assert!(!preview.estimated);
        }
    }

    #[test]
    fn a_closer_look_counts_the_same_and_shows_more() {
        for rate in [400.0, 1e5] {
            let curve = curve(rate);
            let part = Window::within(60_000.0, Some(30_000.0), Some(34_000.0)).unwrap();
            let look = |window, bins| {
                let preview = made(&Generator::default(), &curve, window, bins, &|| false);
                preview.unwrap().unwrap()
            };
            let (whole, close) = (look(all(), 30), look(part, 40));
            assert_eq!((close.from_ms, close.bin_ms), (30_000.0, 100.0));
            for (whole, close) in whole.models.iter().zip(&close.models) {
                assert_eq!(
                    (whole.requests, whole.input_tokens, whole.peak),
                    (close.requests, close.input_tokens, close.peak)
                );
                let count: f64 = close.bins.iter().sum();
                let same = whole.bins[15] + whole.bins[16];
                assert!((count - same).abs() <= 1e-9 * same, "{count} {same}");
                let inside = |at: &f64| (30_000.0..=34_000.0).contains(at);
                assert!(close.arrivals.iter().all(inside));
                let seen = whole.arrivals.iter().filter(|at| inside(at)).count();
                assert!(close.arrivals.len() >= seen);
            }
        }
    }

    #[test]
    fn of_millions_the_number_is_estimated() {
        let curve = curve(1e5);
        let preview = made(&Generator::default(), &curve, all(), 60, &|| false);
        let preview = preview.unwrap().unwrap();
        assert!(preview.estimated);
        assert_eq!(preview.models[0].requests, 3_000_000);
        let mean = preview.models[0].input_tokens as f64 / 3e6;
        // lognormal:900,700 behind 1024: four standard errors of 20000 draws.
        assert!((mean - 1924.0).abs() < 20.0, "{mean}");
    }

    #[test]
    fn a_stale_preview_ends() {
        let curve = curve(400.0);
        let made = made(&Generator::default(), &curve, all(), 60, &|| true);
        assert!(made.unwrap().is_none());
    }
}
