//! What `/metrics` tells, under vLLM's names, as Prometheus reads it.
//!
//! Each model has its own counts and labels: those on offer from the start, others from their first
//! request on.

mod histogram;
mod model;
mod names;

use std::fmt::Write;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use crate::api::Quoted;
use crate::engine::Gauges;
use crate::reply::quoted;
use names::{HISTOGRAMS, NUMBERS, count};

pub(crate) use model::{Finish, Finished, Metrics};

/// Models that are counted apart. Requests for further ones, which somebody must be making up, are
/// counted with the first.
const MOST_MODELS: usize = 256;

/// The counts of a server, by model. A model's place is its group in the engine.
#[derive(Debug)]
pub(crate) struct Board(RwLock<Vec<Entry>>);

#[derive(Clone, Debug)]
struct Entry {
    /// As a JSON string.
    name: String,
    /// Its labels.
    labels: String,
    metrics: Arc<Metrics>,
}

impl Entry {
    fn new(json: String) -> Entry {
        let name = serde_json::from_str(&json).unwrap_or_else(|_| json.clone());
        Entry {
            labels: format!("engine=\"0\",model_name={}", Quoted(&name)),
            name: json,
            metrics: Arc::new(Metrics::new()),
        }
    }
}

impl Board {
    /// For the models on offer.
    pub(crate) fn new(names: &[String]) -> Board {
        let names = names.iter().map(|name| Entry::new(quoted(name)));
        Board(RwLock::new(names.collect()))
    }

    fn entries(&self) -> RwLockReadGuard<'_, Vec<Entry>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The place of the model of this name, a JSON string; of the first where it is not said.
    pub(crate) fn group(&self, model: Option<&str>) -> u64 {
        let Some(model) = model else {
            return 0;
        };
        let at = |entries: &[Entry]| entries.iter().position(|entry| entry.name == model);
        let known = at(&self.entries());
        let place = known.unwrap_or_else(|| {
            let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
            if let Some(at) = at(&entries) {
                return at;
            }
            if entries.len() == MOST_MODELS {
                return 0;
            }
            entries.push(Entry::new(model.to_owned()));
            entries.len() - 1
        });
        place as u64
    }

    /// The place of the model of this name, a JSON string, if it has been asked.
    pub(crate) fn find(&self, model: &str) -> Option<u64> {
        let place = self
            .entries()
            .iter()
            .position(|entry| entry.name == model)?;
        Some(place as u64)
    }

    /// The counts of that model.
    pub(crate) fn of(&self, model: Option<&str>) -> Arc<Metrics> {
        let group = usize::try_from(self.group(model)).unwrap_or_default();
        Arc::clone(&self.entries()[group].metrics)
    }

    /// Requests for the model at `group` that are being answered.
    pub(crate) fn open(&self, group: u64) -> u64 {
        let entries = self.entries();
        let entry = usize::try_from(group).ok().and_then(|at| entries.get(at));
        entry.map_or(0, |entry| entry.metrics.open.load(Ordering::Relaxed))
    }

    /// All of it as text, with the gauges of each group.
    pub(crate) fn text(&self, gauges: impl Fn(u64) -> Gauges) -> String {
        // A gauge may ask here what is open, too.
        let entries = self.entries().clone();
        let gauges: Vec<_> = (0..entries.len() as u64).map(gauges).collect();
        let mut out = String::with_capacity(8 << 10);
        for number in NUMBERS {
            push_title(number.name, number.help, number.kind, &mut out);
            for (entry, gauges) in entries.iter().zip(&gauges) {
                let value = (number.value)(&entry.metrics, gauges);
                push_value(number.name, &entry.labels, value, &mut out);
            }
        }
        let name = "vllm:request_success_total";
        push_title(name, "Answers by why they ended.", "counter", &mut out);
        for entry in &entries {
            for (reason, finished) in ["stop", "length", "abort"]
                .iter()
                .zip(&entry.metrics.finished)
            {
                let labels = format!("{},finished_reason=\"{reason}\"", entry.labels);
                push_value(name, &labels, count(finished), &mut out);
            }
        }
        let name = "vllm:prompt_tokens_by_source_total";
        push_title(
            name,
            "Prompt tokens by where they are from.",
            "counter",
            &mut out,
        );
        for (entry, gauges) in entries.iter().zip(&gauges) {
            let read = count(&entry.metrics.prompt_tokens);
            let hits = gauges.hits as f64;
            // A hit is counted as soon as it is found.
            let sources = [
                ("local_compute", (read - hits).max(0.0)),
                ("local_cache_hit", hits),
            ];
            for (source, tokens) in sources {
                let labels = format!("{},source=\"{source}\"", entry.labels);
                push_value(name, &labels, tokens, &mut out);
            }
        }
        for (name, help, histogram) in HISTOGRAMS {
            push_title(name, help, "histogram", &mut out);
            for entry in &entries {
                histogram(&entry.metrics).push(name, &entry.labels, &mut out);
            }
        }
        out
    }
}

fn push_title(name: &str, help: &str, kind: &str, out: &mut String) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn push_value(name: &str, labels: &str, value: f64, out: &mut String) {
    let _ = writeln!(out, "{name}{{{labels}}} {value}");
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn board(names: &[&str]) -> Board {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        Board::new(&names)
    }

    #[test]
    fn counts_and_buckets_are_those_of_what_happened() {
        let board = board(&["a \"b\""]);
        let metrics = board.of(None);
        metrics.opened();
        metrics.opened();
        let ms = Duration::from_millis;
        metrics.first_token(ms(9_000_005), 7);
        metrics.more_tokens(2, ms(40));
        metrics.finished(&Finished {
            how: Finish::Length,
            waited: ms(9_000_000),
            tokens: Some((ms(9_000_005), ms(9_000_045))),
            total: ms(9_000_045),
            prompt: 7,
            asked: 3,
            generated: 3,
            choices: 2,
        });
        metrics.finished(&Finished {
            how: Finish::Abort,
            waited: Duration::ZERO,
            tokens: None,
            total: ms(1),
            prompt: 2,
            asked: 9,
            generated: 0,
            choices: 1,
        });
        let gauges = Gauges {
            running: 2,
            hits: 5,
            cache_usage: 0.25,
            ..Gauges::default()
        };
        let text = board.text(|_| gauges);
        let labels = r#"engine="0",model_name="a \"b\"""#;
        for line in [
            format!("vllm:num_requests_running{{{labels}}} 2"),
            format!("vllm:kv_cache_usage_perc{{{labels}}} 0.25"),
            format!("vllm:prefix_cache_hits_total{{{labels}}} 5"),
            format!("vllm:prompt_tokens_total{{{labels}}} 7"),
            format!("vllm:prompt_tokens_by_source_total{{{labels},source=\"local_compute\"}} 2"),
            format!("vllm:prompt_tokens_by_source_total{{{labels},source=\"local_cache_hit\"}} 5"),
            format!("vllm:generation_tokens_total{{{labels}}} 6"),
            format!("vllm:request_success_total{{{labels},finished_reason=\"length\"}} 1"),
            format!("vllm:request_success_total{{{labels},finished_reason=\"abort\"}} 1"),
            format!("vllm:time_to_first_token_seconds_sum{{{labels}}} 9000.005"),
            format!("vllm:request_prefill_time_seconds_sum{{{labels}}} 0.005"),
            format!("vllm:request_decode_time_seconds_sum{{{labels}}} 0.04"),
            format!("vllm:request_inference_time_seconds_sum{{{labels}}} 0.045"),
            format!("vllm:request_time_per_output_token_seconds_sum{{{labels}}} 0.02"),
            // A value on the end of a bucket is within it.
            format!("vllm:request_prompt_tokens_bucket{{{labels},le=\"1.0\"}} 0"),
            format!("vllm:request_prompt_tokens_bucket{{{labels},le=\"2.0\"}} 1"),
            format!("vllm:request_generation_tokens_bucket{{{labels},le=\"5.0\"}} 2"),
            format!("vllm:request_params_max_tokens_sum{{{labels}}} 12"),
            format!("vllm:request_params_n_bucket{{{labels},le=\"1.0\"}} 1"),
            format!("vllm:inter_token_latency_seconds_bucket{{{labels},le=\"0.025\"}} 2"),
            format!("vllm:inter_token_latency_seconds_sum{{{labels}}} 0.04"),
            format!("vllm:request_queue_time_seconds_bucket{{{labels},le=\"7680.0\"}} 0"),
            format!("vllm:request_queue_time_seconds_bucket{{{labels},le=\"+Inf\"}} 1"),
            format!("vllm:e2e_request_latency_seconds_count{{{labels}}} 2"),
        ] {
            assert!(text.lines().any(|have| have == line), "{line}\n{text}");
        }
    }

    #[test]
    fn every_line_is_one_that_prometheus_reads() {
        let text = board(&["m", "n"]).text(|_| Gauges::default());
        for line in text.lines().filter(|line| !line.starts_with("# ")) {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(value.parse::<f64>().is_ok(), "{line}");
            assert!(name.starts_with("vllm:") && name.ends_with('}'), "{line}");
        }
    }

    #[test]
    fn each_model_has_its_own_counts() {
        let board = board(&["a", "b"]);
        assert_eq!(
            [None, Some("\"a\""), Some("\"b\""), Some("\"c\"")].map(|model| board.group(model)),
            [0, 0, 1, 2]
        );
        board.of(Some("\"c\"")).opened();
        assert_eq!([0, 1, 2, 3].map(|group| board.open(group)), [0, 0, 1, 0]);
        let text = board.text(|group| Gauges {
            running: board.open(group),
            ..Gauges::default()
        });
        for (name, running) in [("a", 0), ("c", 1)] {
            let line = format!(
                "vllm:num_requests_running{{engine=\"0\",model_name=\"{name}\"}} {running}\n"
            );
            assert!(text.contains(&line), "{line}{text}");
        }
        assert_eq!(
            text.matches("# TYPE vllm:num_requests_running gauge")
                .count(),
            1
        );
        for name in 0..1_000 {
            board.group(Some(&format!("\"{name}\"")));
        }
        assert_eq!(board.entries().len(), MOST_MODELS);
        assert_eq!(board.group(Some("\"999\"")), 0);
    }
}
