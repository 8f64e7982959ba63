//! What happened to requests: times, tokens, failures.
//!
//! Two clocks are reported side by side. *Service* times run from the moment a
//! request was sent; *user* times from the moment the trace wanted it sent, so
//! that a client or a concurrency cap that holds requests back cannot hide the
//! wait (coordinated omission).
//!
//! A failed request is censored in every latency: infinite in quantiles,
//! absent from means. Requests cancelled or skipped were never served and are
//! counted apart. Token counts and gaps are those of the requests that
//! succeeded.

use crate::prefix::ratio;
use crate::workload::per_second;
use std::collections::BTreeMap;
use trace_core::quantile::{Sample, Spread, Tally};
use trace_core::{ErrorKind, Micros, Outcome, TokenSource};

/// The p99 of lateness above which a run is called client-limited, in ms.
///
/// A token takes 5 ms at the fast end of what servers stream today; a client
/// that is later than that moves every quantile it reports.
pub const LATENESS_LIMIT_MS: f64 = 5.0;

/// Collects the outcome side of every line.
///
/// Holds 8 bytes per request for each of the nine times it may have, and about
/// 32 bytes per *distinct* gap.
#[derive(Debug, Default)]
pub struct Results {
    requests: u64,
    succeeded: u64,
    kinds: BTreeMap<ErrorKind, u64>,
    scheduled: Option<Micros>,
    ended: Option<Micros>,
    times: Times,
    gaps: Gaps,
    input_tokens: Tally,
    output_tokens: Tally,
    cached_tokens: Tally,
    totals: Totals,
    chunk_counted: u64,
}

#[derive(Debug, Default)]
struct Times {
    ttft: Sample,
    first_content: Sample,
    differs: bool,
    tpot: Sample,
    latency: Sample,
    user_ttft: Sample,
    user_latency: Sample,
    lateness: Sample,
    queue: Sample,
    connect: Sample,
}

/// Gaps between chunks, pooled over requests.
#[derive(Debug, Default)]
struct Gaps {
    /// A gap per chunk that is also a gap per token, or is taken for one.
    both: Tally,
    /// The others, as a gap per chunk and as gaps per token.
    chunks: Tally,
    tokens: Tally,
    /// Requests whose tokens per chunk are known, and unknown.
    known: u64,
    unknown: u64,
}

#[derive(Debug, Default)]
struct Totals {
    input: u64,
    output: u64,
    cached: u64,
    /// Prompt tokens of the requests of which cached tokens are known.
    cacheable: u64,
}

/// What a gap of `itl_ms` is the gap of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GapUnit {
    /// A token, in every request.
    Token,
    /// A chunk, in every request: how many tokens one has is unknown.
    Chunk,
    /// A token in some requests and a chunk in the others.
    Mixed,
}

/// The outcome side of a run in numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Number of lines.
    pub requests: u64,
    /// Requests that were answered in full.
    pub succeeded: u64,
    /// Requests that failed.
    pub failed: u64,
    /// Failures, cancelled and skipped requests by kind.
    pub kinds: BTreeMap<ErrorKind, u64>,
    /// First scheduled → last end.
    pub duration: Option<Micros>,
    /// Requests that succeeded, per second.
    pub throughput_rps: Option<f64>,
    /// Tokens of answers, per second.
    pub output_tps: Option<f64>,
    /// Tokens of prompts and answers, per second.
    pub total_tps: Option<f64>,
    /// Prompt tokens.
    pub total_input_tokens: u64,
    /// Tokens of answers.
    pub total_output_tokens: u64,
    /// Prompt tokens that the server took from its cache.
    pub total_cached_tokens: u64,
    /// Their share of the prompts of which it is known.
    pub cached_share: Option<f64>,
    /// Requests whose tokens nobody counted: a chunk was taken for a token.
    pub chunk_counted: u64,
    /// Whether the client, not the server, set the pace; unknown without
    /// lateness.
    pub client_limited: Option<bool>,
    /// The unit of `itl_ms`, if there are gaps.
    pub gap_unit: Option<GapUnit>,
    /// Requests in whose gaps a chunk stands for a token.
    pub per_chunk: u64,
    /// Times and tokens by name, in the order they are reported.
    pub metrics: Vec<(&'static str, Spread)>,
}

impl Results {
    /// Take the next outcome.
    pub fn push(&mut self, outcome: &Outcome) {
        self.requests += 1;
        if let Some(failure) = &outcome.error {
            *self.kinds.entry(failure.kind).or_default() += 1;
            if failure.kind.is_unserved() {
                return;
            }
        }
        let scheduled = outcome.scheduled_ms.or(outcome.due_ms).or(outcome.sent_ms);
        let ended = outcome
            .sent_ms
            .map(|sent| sent + outcome.latency_ms.unwrap_or_default());
        self.scheduled = [self.scheduled, scheduled].into_iter().flatten().min();
        self.ended = self.ended.max(ended);

        self.times.push_client(outcome);
        if outcome.error.is_some() {
            self.times.push_failed();
            return;
        }
        self.succeeded += 1;
        self.times.push_served(outcome);
        self.gaps.push(outcome);
        self.push_tokens(outcome);
    }

    fn push_tokens(&mut self, outcome: &Outcome) {
        if let Some(tokens) = outcome.input_tokens {
            self.input_tokens.push(tokens as f64);
            self.totals.input = self.totals.input.saturating_add(tokens);
        }
        if let Some(tokens) = outcome.output_tokens {
            self.output_tokens.push(tokens as f64);
            self.totals.output = self.totals.output.saturating_add(tokens);
        }
        if let Some(tokens) = outcome.cached_tokens {
            self.cached_tokens.push(tokens as f64);
            if let Some(input) = outcome.input_tokens {
                self.totals.cached = self.totals.cached.saturating_add(tokens);
                self.totals.cacheable = self.totals.cacheable.saturating_add(input);
            }
        }
        if outcome.token_source == Some(TokenSource::Chunks) {
            self.chunk_counted += 1;
        }
    }

    /// The numbers.
    pub fn finish(mut self) -> Service {
        let unserved: u64 = self
            .kinds
            .iter()
            .filter(|(kind, _)| kind.is_unserved())
            .map(|(_, count)| count)
            .sum();
        let span = self.scheduled.zip(self.ended);
        let duration = span.map(|(first, last)| last.saturating_sub(first));
        let rate = |amount: u64| duration.and_then(|span| per_second(amount as f64, span));
        let lateness = self.times.lateness.spread();
        let gap_unit = match (self.gaps.known, self.gaps.unknown) {
            (0, 0) => None,
            (_, 0) => Some(GapUnit::Token),
            (0, _) => Some(GapUnit::Chunk),
            _ => Some(GapUnit::Mixed),
        };
        let per_chunk = self.gaps.unknown;
        let (itl, icl) = self.gaps.spreads();
        let times = &mut self.times;
        let mut metrics = vec![("ttft_ms", times.ttft.spread())];
        if times.differs {
            metrics.push(("first_content_ms", times.first_content.spread()));
        }
        metrics.extend([
            ("tpot_ms", times.tpot.spread()),
            ("itl_ms", itl),
            ("icl_ms", icl),
            ("latency_ms", times.latency.spread()),
            ("user_ttft_ms", times.user_ttft.spread()),
            ("user_latency_ms", times.user_latency.spread()),
            ("lateness_ms", lateness),
            ("queue_ms", times.queue.spread()),
            ("connect_ms", times.connect.spread()),
            ("input_tokens", self.input_tokens.spread()),
            ("output_tokens", self.output_tokens.spread()),
            ("cached_tokens", self.cached_tokens.spread()),
        ]);
        // A time that no success has, as of answers that were not streamed, is
        // no time of the failures either.
        metrics
            .retain(|(_, spread)| spread.count > 0 || self.succeeded == 0 && spread.censored > 0);
        Service {
            requests: self.requests,
            succeeded: self.succeeded,
            failed: self.requests - self.succeeded - unserved,
            kinds: self.kinds,
            duration,
            throughput_rps: rate(self.succeeded),
            output_tps: rate(self.totals.output),
            total_tps: rate(self.totals.input.saturating_add(self.totals.output)),
            total_input_tokens: self.totals.input,
            total_output_tokens: self.totals.output,
            total_cached_tokens: self.totals.cached,
            cached_share: ratio(self.totals.cached, self.totals.cacheable),
            chunk_counted: self.chunk_counted,
            client_limited: lateness.p99.map(|p99| p99 > LATENESS_LIMIT_MS),
            gap_unit,
            per_chunk,
            metrics,
        }
    }
}

impl Times {
    /// The client's own times, whatever the server did.
    fn push_client(&mut self, outcome: &Outcome) {
        let since =
            |later: Option<Micros>, earlier: Option<Micros>| Some(later?.saturating_sub(earlier?));
        let lateness = outcome
            .lateness_ms
            .or_else(|| since(outcome.sent_ms, outcome.due_ms));
        let queue = outcome
            .queue_ms
            .or_else(|| since(outcome.due_ms, outcome.scheduled_ms));
        push(&mut self.lateness, lateness);
        push(&mut self.queue, queue);
        push(&mut self.connect, outcome.connect_ms);
    }

    fn push_served(&mut self, outcome: &Outcome) {
        push(&mut self.ttft, outcome.ttft_ms);
        push(
            &mut self.first_content,
            outcome.first_content_ms.or(outcome.ttft_ms),
        );
        self.differs |= outcome.first_content_ms.is_some();
        push(&mut self.tpot, outcome.tpot_ms);
        push(&mut self.latency, outcome.latency_ms);
        let Some((scheduled, sent)) = outcome.scheduled_ms.zip(outcome.sent_ms) else {
            return;
        };
        let user = |time: Micros| (sent + time).saturating_sub(scheduled);
        push(&mut self.user_ttft, outcome.ttft_ms.map(user));
        push(&mut self.user_latency, outcome.latency_ms.map(user));
    }

    fn push_failed(&mut self) {
        for sample in [
            &mut self.ttft,
            &mut self.first_content,
            &mut self.tpot,
            &mut self.latency,
            &mut self.user_ttft,
            &mut self.user_latency,
        ] {
            sample.push_censored();
        }
    }
}

fn push(sample: &mut Sample, time: Option<Micros>) {
    if let Some(time) = time {
        sample.push(time.as_millis());
    }
}

impl Gaps {
    fn push(&mut self, outcome: &Outcome) {
        let Some(gaps) = outcome.itl_ms.as_deref().filter(|gaps| !gaps.is_empty()) else {
            return;
        };
        let tokens = tokens_per_chunk(outcome);
        match tokens {
            Some(_) => self.known += 1,
            None => self.unknown += 1,
        }
        for gap in gaps {
            let gap = gap.as_millis();
            match tokens {
                None | Some(1) => self.both.push(gap),
                Some(tokens) => {
                    self.chunks.push(gap);
                    self.tokens.push_times(gap / tokens as f64, tokens);
                }
            }
        }
    }

    /// Gaps per token, and gaps per chunk.
    fn spreads(self) -> (Spread, Spread) {
        if self.chunks.count() == 0 {
            let both = self.both.spread();
            return (both, both);
        }
        let (mut tokens, mut chunks) = (self.both.clone(), self.both);
        tokens.append(self.tokens);
        chunks.append(self.chunks);
        (tokens.spread(), chunks.spread())
    }
}

/// Tokens in each chunk of an answer, if that is known.
///
/// Known is only how many there are of either. If the tokens divide evenly,
/// each chunk is taken to have its part: certain for one token a chunk, and
/// how servers stream that decode several tokens a step. Otherwise some chunks
/// hold more than others (text held back until a character is complete), or
/// some tokens were never streamed (hidden reasoning), and any division would
/// be invented.
fn tokens_per_chunk(outcome: &Outcome) -> Option<u64> {
    if outcome.token_source == Some(TokenSource::Chunks) {
        return None;
    }
    let gaps = outcome.itl_ms.as_ref().map(|gaps| gaps.len() as u64 + 1);
    let chunks = outcome.chunks.or(gaps)?;
    let tokens = outcome.output_tokens?;
    (chunks > 0 && tokens > 0 && tokens.is_multiple_of(chunks)).then(|| tokens / chunks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use trace_core::Failure;

    fn ms(millis: f64) -> Option<Micros> {
        Some(Micros::from_millis(millis).unwrap())
    }

    fn served(scheduled: f64, sent: f64, ttft: f64, latency: f64) -> Outcome {
        Outcome {
            scheduled_ms: ms(scheduled),
            due_ms: ms(scheduled),
            sent_ms: ms(sent),
            lateness_ms: ms(sent - scheduled),
            queue_ms: ms(0.0),
            ttft_ms: ms(ttft),
            latency_ms: ms(latency),
            ..Outcome::default()
        }
    }

    fn failed(kind: ErrorKind) -> Outcome {
        Outcome {
            error: Some(Failure {
                kind,
                message: String::new(),
            }),
            ..served(0.0, 0.0, 3.0, 9.0)
        }
    }

    fn service(outcomes: &[Outcome]) -> Service {
        let mut results = Results::default();
        outcomes.iter().for_each(|outcome| results.push(outcome));
        results.finish()
    }

    fn metric(service: &Service, name: &str) -> Option<Spread> {
        let found = service.metrics.iter().find(|(known, _)| *known == name);
        found.map(|&(_, spread)| spread)
    }

    #[test]
    fn user_times_start_at_the_schedule() {
        let service = service(&[served(100.0, 104.5, 50.0, 80.0)]);
        let max = |name| metric(&service, name).unwrap().max;
        assert_eq!(max("ttft_ms"), Some(50.0));
        assert_eq!(max("user_ttft_ms"), Some(54.5));
        assert_eq!(max("latency_ms"), Some(80.0));
        assert_eq!(max("user_latency_ms"), Some(84.5));
        assert_eq!(max("lateness_ms"), Some(4.5));
        assert_eq!(service.duration, ms(84.5));
    }

    #[test]
    fn a_failure_is_an_infinite_latency_in_quantiles_only() {
        let service = service(&[
            served(0.0, 0.0, 50.0, 80.0),
            served(0.0, 0.0, 60.0, 90.0),
            failed(ErrorKind::Stream),
        ]);
        assert_eq!((service.succeeded, service.failed), (2, 1));
        let latency = metric(&service, "latency_ms").unwrap();
        assert_eq!((latency.count, latency.censored), (2, 1));
        assert_eq!((latency.p50, latency.p90), (Some(90.0), None));
        assert_eq!((latency.mean, latency.max), (Some(85.0), Some(90.0)));
        let lateness = metric(&service, "lateness_ms").unwrap();
        assert_eq!((lateness.count, lateness.censored), (3, 0));
    }

    #[test]
    fn cancelled_and_skipped_requests_are_counted_apart() {
        let service = service(&[
            served(0.0, 0.0, 50.0, 80.0),
            failed(ErrorKind::Cancelled),
            failed(ErrorKind::Skipped),
        ]);
        assert_eq!((service.requests, service.succeeded), (3, 1));
        assert_eq!(service.failed, 0);
        assert_eq!(service.kinds[&ErrorKind::Cancelled], 1);
        assert_eq!(metric(&service, "latency_ms").unwrap().censored, 0);
    }

    #[test]
    fn when_everything_failed_the_quantiles_are_infinite() {
        let service = service(&vec![failed(ErrorKind::Connect); 3]);
        let latency = metric(&service, "latency_ms").unwrap();
        assert_eq!((latency.count, latency.censored), (0, 3));
        assert_eq!((latency.mean, latency.p50), (None, None));
        assert_eq!(service.throughput_rps, Some(0.0));
    }

    #[test]
    fn answers_that_were_not_streamed_have_no_first_token() {
        let whole = Outcome {
            ttft_ms: None,
            ..served(0.0, 0.0, 0.0, 80.0)
        };
        let service = service(&[whole, failed(ErrorKind::Http)]);
        assert_eq!(metric(&service, "ttft_ms"), None);
        assert_eq!(metric(&service, "latency_ms").unwrap().censored, 1);
    }

    fn streamed(tokens: u64, gaps: &[f64]) -> Outcome {
        Outcome {
            output_tokens: Some(tokens),
            token_source: Some(TokenSource::Usage),
            chunks: Some(gaps.len() as u64 + 1),
            itl_ms: Some(gaps.iter().map(|&gap| ms(gap).unwrap()).collect()),
            ..served(0.0, 0.0, 5.0, 80.0)
        }
    }

    #[test]
    fn a_chunk_of_two_tokens_gives_two_gaps() {
        let service = service(&[streamed(6, &[10.0, 30.0])]);
        let itl = metric(&service, "itl_ms").unwrap();
        assert_eq!((itl.count, itl.min, itl.max), (4, Some(5.0), Some(15.0)));
        let icl = metric(&service, "icl_ms").unwrap();
        assert_eq!((icl.count, icl.min, icl.max), (2, Some(10.0), Some(30.0)));
        assert_eq!(service.gap_unit, Some(GapUnit::Token));
    }

    #[test]
    fn tokens_that_do_not_divide_are_counted_per_chunk_and_it_says_so() {
        let uneven = service(&[streamed(7, &[10.0, 30.0])]);
        assert_eq!(uneven.gap_unit, Some(GapUnit::Chunk));
        assert_eq!(metric(&uneven, "itl_ms"), metric(&uneven, "icl_ms"));
        let mixed = service(&[streamed(7, &[10.0, 30.0]), streamed(3, &[1.0, 1.0])]);
        assert_eq!((mixed.gap_unit, mixed.per_chunk), (Some(GapUnit::Mixed), 1));
        let counted = Outcome {
            token_source: Some(TokenSource::Chunks),
            ..streamed(3, &[1.0, 1.0])
        };
        let counted = service(&[counted]);
        assert_eq!(counted.gap_unit, Some(GapUnit::Chunk));
        assert_eq!(counted.chunk_counted, 1);
    }

    #[test]
    fn zero_gaps_are_gaps() {
        let service = service(&[streamed(3, &[0.0, 0.0])]);
        assert_eq!(metric(&service, "itl_ms").unwrap().max, Some(0.0));
    }

    #[test]
    fn a_late_client_is_called_out() {
        let late = service(&[served(0.0, 5.001, 1.0, 2.0)]);
        assert_eq!(late.client_limited, Some(true));
        let prompt = service(&[served(0.0, 5.0, 1.0, 2.0)]);
        assert_eq!(prompt.client_limited, Some(false));
        assert_eq!(service(&[Outcome::default()]).client_limited, None);
    }

    #[test]
    fn throughput_is_over_the_time_from_first_schedule_to_last_end() {
        let outcome = |scheduled, sent, latency| Outcome {
            input_tokens: Some(300),
            cached_tokens: Some(100),
            output_tokens: Some(100),
            ..served(scheduled, sent, 1.0, latency)
        };
        let service = service(&[
            outcome(1000.0, 1000.0, 500.0),
            outcome(1500.0, 2000.0, 1000.0),
        ]);
        assert_eq!(service.duration, ms(2000.0));
        assert_eq!(service.throughput_rps, Some(1.0));
        assert_eq!(service.output_tps, Some(100.0));
        assert_eq!(service.total_tps, Some(400.0));
        assert_eq!(service.cached_share, Some(1.0 / 3.0));
    }
}
