//! The rate of a real trace, to be drawn over.

use crate::reply::{self, Refusal, Reply};
use crate::upload;
use hyper::body::Incoming;
use serde::Serialize;
use std::collections::HashMap;
use std::io::BufRead;
use trace_core::{Line, Reader};
use trace_plot::bins::{Bins, MOST};

/// Models that are told apart; further ones are one.
const MOST_MODELS: usize = 64;

/// The rate of a trace over time.
#[derive(Debug, PartialEq, Serialize)]
struct Underlay {
    /// From the first bin to the last request.
    duration_ms: f64,
    bin_ms: f64,
    /// Where in the trace's own time the first bin begins.
    start_ms: f64,
    requests: u64,
    /// Lines without a timestamp, which are not in the rates.
    untimed: u64,
    models: Vec<Course>,
}

/// The rate of one model.
#[derive(Debug, PartialEq, Serialize)]
struct Course {
    /// Nothing for requests that name none.
    name: Option<String>,
    /// Requests per second in each bin.
    rates: Vec<f64>,
}

/// The rate of the trace in `body`, which is called `name`, in at most `bins`
/// bins.
///
/// # Errors
/// 400 for what is no trace, or has no times.
pub(crate) async fn underlay(body: Incoming, name: &str, bins: usize) -> Result<Reply, Refusal> {
    if !(1..=10_000).contains(&bins) {
        return Err(Refusal::bad("bins is not within 1 and 10000"));
    }
    let bytes = upload::upload(body);
    let name = if name.is_empty() { "the trace" } else { name }.to_owned();
    let counted = tokio::task::spawn_blocking(move || count(&name, bytes, bins));
    Ok(reply::json(&counted.await.map_err(Refusal::failed)??))
}

fn count(
    name: &str,
    bytes: impl BufRead + Send + 'static,
    most: usize,
) -> anyhow::Result<Underlay> {
    let mut input = Reader::new(name, bytes);
    let mut line = Line::default();
    let mut counts: Bins<u64> = Bins::new(None, MOST);
    let mut names = Names::default();
    let mut untimed = 0;
    while input.read(&mut line)? {
        match line.request.timestamp {
            Some(at) => *counts.at(names.group(&line.request.model), at)? += 1,
            None => untimed += 1,
        }
    }
    let Some(extent) = counts.extent() else {
        anyhow::bail!("{name} has no requests with a timestamp");
    };
    let (first, last) = (extent.first, extent.last);
    let (fine, most) = (extent.width, most as u64);
    // A trace that begins late is shown from its beginning.
    let start = if first > (last - first) / 4 { first } else { 0 };
    let start = start / fine * fine;
    let width = fine * ((last - start) / fine + 1).div_ceil(most);
    let bins = (last - start) / width + 1;
    let course = |name: Option<String>, group: usize| {
        let counted = counts.cells(&[group], width, start, bins as usize);
        let rate = |count: u64| count as f64 * 1e6 / width as f64;
        Course {
            name,
            rates: counted.into_iter().map(rate).collect(),
        }
    };
    let named = names.in_order().into_iter().enumerate();
    let mut models: Vec<Course> = named.map(|(group, name)| course(name, group)).collect();
    let rest = course(Some("(other models)".to_owned()), MOST_MODELS);
    if rest.rates.iter().any(|&rate| rate > 0.0) {
        models.push(rest);
    }
    Ok(Underlay {
        duration_ms: (last - start) as f64 / 1e3,
        bin_ms: width as f64 / 1e3,
        start_ms: start as f64 / 1e3,
        requests: counts.count(),
        untimed,
        models,
    })
}

/// The models that are told apart, by their place in the order seen.
#[derive(Default)]
struct Names(HashMap<Option<String>, usize>);

impl Names {
    /// The group of requests to `model`.
    fn group(&mut self, model: &Option<String>) -> usize {
        match self.0.get(model) {
            Some(&group) => group,
            None if self.0.len() < MOST_MODELS => {
                let group = self.0.len();
                self.0.insert(model.clone(), group);
                group
            }
            None => MOST_MODELS,
        }
    }

    /// The name of each group.
    fn in_order(self) -> Vec<Option<String>> {
        let mut names: Vec<_> = self.0.into_iter().collect();
        names.sort_by_key(|(_, group)| *group);
        names.into_iter().map(|(name, _)| name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, bins: usize) -> anyhow::Result<Underlay> {
        count("t.jsonl", std::io::Cursor::new(text.to_owned()), bins)
    }

    #[test]
    fn the_area_under_the_rates_is_the_number_of_requests() {
        for (millis, bins) in [(7, 1), (7, 400), (997, 400), (60_000, 33)] {
            let text: String = (0..5_000_u64)
                .map(|i| {
                    format!(
                        "{{\"timestamp\":{},\"input_length\":1,\"model\":\"m{}\"}}\n",
                        i * millis,
                        i % 3
                    )
                })
                .collect();
            let underlay = of(&text, bins).unwrap();
            assert_eq!((underlay.models.len(), underlay.requests), (3, 5_000));
            let rates = underlay.models.iter().flat_map(|model| &model.rates);
            let area = rates.sum::<f64>() * underlay.bin_ms / 1e3;
            assert!((area - 5_000.0).abs() < 1e-6, "{area}");
            assert!(underlay.models[0].rates.len() <= bins);
            assert_eq!(underlay.duration_ms, (4_999 * millis) as f64);
        }
    }

    #[test]
    fn a_trace_that_begins_late_is_shown_from_its_beginning() {
        let text = "{\"timestamp\":1700000000000,\"input_length\":1}\n{\"timestamp\":1700000001000,\"input_length\":1}\n{\"input_length\":2}\n";
        let underlay = of(text, 10).unwrap();
        assert_eq!((underlay.start_ms, underlay.duration_ms), (1.7e12, 1000.0));
        assert_eq!((underlay.untimed, &underlay.models[0].name), (1, &None));
    }

    #[test]
    fn what_is_no_trace_is_said_with_its_place() {
        let error = of("{\"timestamp\":0,\"input_length\":1}\noops\n", 10).unwrap_err();
        assert!(error.to_string().starts_with("t.jsonl:2:1: "), "{error}");
        assert_eq!(
            of("", 10).unwrap_err().to_string(),
            "t.jsonl has no requests with a timestamp"
        );
    }
}
