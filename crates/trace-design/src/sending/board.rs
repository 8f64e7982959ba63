//! What is known of a run while it goes on.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use trace_core::{Micros, Outcome};
use trace_send::Watch;
use trace_send::lateness::Histogram;

/// Bins over the time that the design takes; a run that takes longer has as
/// many again, and then they become wider.
pub(crate) const BINS: usize = 400;

/// What is known of a run.
pub(crate) struct Board {
    names: Vec<String>,
    left: Mutex<Left>,
    back: Mutex<Back>,
}

/// What has left.
struct Left {
    /// The model of each request, by its index: two bytes for each.
    models: Vec<u16>,
    bin: Micros,
    counts: Vec<Vec<u64>>,
    sent: u64,
    began: Option<Instant>,
}

/// What has come back.
#[derive(Default)]
struct Back {
    done: u64,
    failed: BTreeMap<&'static str, u64>,
    first_failure: Option<String>,
    lateness: Histogram,
    ttft: Histogram,
    latency: Histogram,
    told: Vec<String>,
}

impl Board {
    /// An empty board for requests of the models called `names`, in a run that
    /// is to take `span`.
    pub(crate) fn new(names: Vec<String>, span: Micros) -> Self {
        Self {
            left: Mutex::new(Left {
                counts: vec![Vec::new(); names.len()],
                models: Vec::new(),
                bin: Micros::from_micros(span.as_micros().div_ceil(BINS as u64).max(1)),
                sent: 0,
                began: None,
            }),
            back: Mutex::default(),
            names,
        }
    }

    /// The next request will be of `model`.
    pub(crate) fn note(&self, model: &str) {
        let mut left = lock(&self.left);
        let last = left.models.last().map(|&place| usize::from(place));
        let is_it = |place: usize| self.names.get(place).is_some_and(|name| name == model);
        let place = match last.filter(|&place| is_it(place)) {
            Some(place) => Some(place),
            None => self.names.iter().position(|name| name == model),
        };
        // Names beyond 65 thousand share the last place.
        let place = place.and_then(|place| u16::try_from(place).ok());
        left.models.push(place.unwrap_or(u16::MAX));
    }

    /// A request has ended so.
    pub(crate) fn ended(&self, outcome: &Outcome) {
        let mut back = lock(&self.back);
        back.done += 1;
        if let Some(late) = outcome.lateness_ms {
            back.lateness.add(late);
        }
        if let Some(failure) = &outcome.error {
            *back.failed.entry(failure.kind.as_str()).or_default() += 1;
            back.first_failure
                .get_or_insert_with(|| failure.message.clone());
            return;
        }
        if let Some(ttft) = outcome.ttft_ms {
            back.ttft.add(ttft);
        }
        if let Some(latency) = outcome.latency_ms {
            back.latency.add(latency);
        }
    }

    /// How far the run is.
    pub(crate) fn progress(&self) -> Value {
        // The thread that sends must not wait while JSON is written.
        let (bin, counts, sent, began) = {
            let left = lock(&self.left);
            (left.bin, left.counts.clone(), left.sent, left.began)
        };
        let back = lock(&self.back);
        let seconds = bin.as_secs();
        let by_model = self.names.iter().zip(counts).map(|(name, counts)| {
            let rates = counts.into_iter().map(|count| count as f64 / seconds);
            json!({ "name": name, "rates": rates.collect::<Vec<f64>>() })
        });
        let elapsed = began.map(|began| Micros::from(began.elapsed()));
        json!({
            "t_ms": elapsed.unwrap_or_default().as_millis(),
            "sent": sent,
            "in_flight": sent.saturating_sub(back.done),
            "done": back.done,
            "errors": back.failed.values().sum::<u64>(),
            "bin_ms": bin.as_millis(),
            "by_model": by_model.collect::<Vec<Value>>(),
            "ttft_p50_ms": millis(&back.ttft, 0.5),
            "ttft_p99_ms": millis(&back.ttft, 0.99),
            "lateness_p99_ms": millis(&back.lateness, 0.99),
        })
    }

    /// What the run came to.
    pub(crate) fn summary(&self) -> Value {
        let sent = lock(&self.left).sent;
        let back = lock(&self.back);
        let failed: u64 = back.failed.values().sum();
        json!({
            "sent": sent,
            "done": back.done,
            "ok": back.done - failed,
            "errors": failed,
            "failed": back.failed,
            "first_failure": back.first_failure,
            "ttft_p50_ms": millis(&back.ttft, 0.5),
            "ttft_p90_ms": millis(&back.ttft, 0.9),
            "ttft_p99_ms": millis(&back.ttft, 0.99),
            "latency_p50_ms": millis(&back.latency, 0.5),
            "latency_p99_ms": millis(&back.latency, 0.99),
            "lateness_p99_ms": millis(&back.lateness, 0.99),
            "said": back.told,
        })
    }
}

impl Watch for Board {
    fn leaves(&self, seq: u64, at: Micros) {
        let mut left = lock(&self.left);
        left.sent += 1;
        if left.began.is_none() {
            left.began = Instant::now().checked_sub(at.into());
        }
        let place = usize::try_from(seq)
            .ok()
            .and_then(|seq| left.models.get(seq).copied());
        let Some(place) = place
            .map(usize::from)
            .filter(|&place| place < left.counts.len())
        else {
            return;
        };
        let mut bin = (at.as_micros() / left.bin.as_micros()) as usize;
        while bin >= 2 * BINS {
            left.widen();
            bin /= 2;
        }
        let counts = &mut left.counts[place];
        if counts.len() <= bin {
            counts.resize(bin + 1, 0);
        }
        counts[bin] += 1;
    }

    fn told(&self, lines: &[String]) {
        lock(&self.back).told.extend_from_slice(lines);
    }
}

impl Left {
    fn widen(&mut self) {
        self.bin = self.bin + self.bin;
        for counts in &mut self.counts {
            *counts = counts.chunks(2).map(|pair| pair.iter().sum()).collect();
        }
    }
}

fn millis(times: &Histogram, q: f64) -> Option<f64> {
    times.quantile(q).map(Micros::as_millis)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Counts are whole at every moment.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_left_is_counted_by_model_and_time() {
        let board = Board::new(vec!["a".into(), "b".into()], Micros::from_micros(400_000));
        for i in 0..4_000_u64 {
            board.note(if i % 4 == 0 { "b" } else { "a" });
        }
        for i in 0..4_000_u64 {
            board.leaves(i, Micros::from_micros(i * 1_000));
        }
        let progress = board.progress();
        let area = |place: usize| {
            let rates = progress["by_model"][place]["rates"].as_array().unwrap();
            assert!(rates.len() < 2 * BINS);
            let sum: f64 = rates.iter().map(|rate| rate.as_f64().unwrap()).sum();
            sum * progress["bin_ms"].as_f64().unwrap() / 1000.0
        };
        assert!((area(0) - 3_000.0).abs() < 1e-6 && (area(1) - 1_000.0).abs() < 1e-6);
        assert_eq!(
            (&progress["sent"], &progress["in_flight"]),
            (&json!(4_000), &json!(4_000))
        );
    }
}
