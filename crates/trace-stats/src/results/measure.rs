//! What one request has one value of.

use trace_core::{Micros, Outcome};

/// A quantity of which an answered request has one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Sent → first output.
    Ttft,
    /// Sent → first visible content; that of the first output where no other
    /// is told.
    FirstContent,
    /// Time per output token after the first:
    /// (last token − first token) / (tokens − 1).
    Tpot,
    /// Sent → end.
    Latency,
    /// Scheduled → first output.
    UserTtft,
    /// Scheduled → end.
    UserLatency,
    /// Due → sent: the client's own fault.
    Lateness,
    /// Scheduled → due: a concurrency cap's.
    Queue,
    /// Time to connect.
    Connect,
}

impl Measure {
    /// Every measure; each stands at its own index.
    pub const ALL: [Self; 9] = [
        Self::Ttft,
        Self::FirstContent,
        Self::Tpot,
        Self::Latency,
        Self::UserTtft,
        Self::UserLatency,
        Self::Lateness,
        Self::Queue,
        Self::Connect,
    ];

    /// Its name in the report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ttft => "ttft_ms",
            Self::FirstContent => "first_content_ms",
            Self::Tpot => "tpot_ms",
            Self::Latency => "latency_ms",
            Self::UserTtft => "user_ttft_ms",
            Self::UserLatency => "user_latency_ms",
            Self::Lateness => "lateness_ms",
            Self::Queue => "queue_ms",
            Self::Connect => "connect_ms",
        }
    }

    /// Whether it is the client's own, which a request has even if it failed.
    /// Of a request that failed, every other time is infinite.
    pub fn is_clients(self) -> bool {
        matches!(self, Self::Lateness | Self::Queue | Self::Connect)
    }

    /// Its value, as far as the outcome tells.
    pub fn of(self, outcome: &Outcome) -> Option<f64> {
        let since =
            |later: Option<Micros>, earlier: Option<Micros>| Some(later?.saturating_sub(earlier?));
        let user =
            |time: Option<Micros>| since(Some(outcome.sent_ms? + time?), outcome.scheduled_ms);
        let time = match self {
            Self::Ttft => outcome.ttft_ms,
            Self::FirstContent => outcome.first_content_ms.or(outcome.ttft_ms),
            Self::Tpot => outcome.tpot_ms,
            Self::Latency => outcome.latency_ms,
            Self::UserTtft => user(outcome.ttft_ms),
            Self::UserLatency => user(outcome.latency_ms),
            Self::Lateness => outcome
                .lateness_ms
                .or_else(|| since(outcome.sent_ms, outcome.due_ms)),
            Self::Queue => outcome
                .queue_ms
                .or_else(|| since(outcome.due_ms, outcome.scheduled_ms)),
            Self::Connect => outcome.connect_ms,
        };
        time.map(Micros::as_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_measure_stands_at_its_index() {
        for (index, measure) in Measure::ALL.into_iter().enumerate() {
            assert_eq!(measure as usize, index, "{}", measure.name());
        }
    }
}
