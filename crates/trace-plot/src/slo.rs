//! What an answer has to keep to be good: the flags and the rules are those of
//! `trace-stats`, so that a picture and a number of goodput agree.

use trace_stats::slo::Clock;
pub use trace_stats::slo::{Args as SloArgs, Slo};

/// The objectives in words: `ttft_ms ≤ 500, from the schedule`.
pub fn words(slo: &Slo) -> String {
    let bounds = slo.constraints.iter().flat_map(|constraint| {
        let name = constraint.quantity.name();
        let max = constraint.max.map(|max| format!("{name} ≤ {max}"));
        let min = constraint.min.map(|min| format!("{name} ≥ {min}"));
        max.into_iter().chain(min)
    });
    let clock = match slo.clock {
        Clock::Scheduled => "from the schedule",
        Clock::Sent => "from the send",
    };
    let bounds: Vec<String> = bounds.collect();
    format!("{}, {clock}", bounds.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objectives_are_told_in_words() {
        let args = SloArgs {
            slo: vec![
                "ttft_ms=500".parse().unwrap(),
                "request_output_tps=20".parse().unwrap(),
            ],
            ..SloArgs::default()
        };
        let slo = args.slo().unwrap().unwrap();
        assert_eq!(
            words(&slo),
            "ttft_ms ≤ 500, request_output_tps ≥ 20, from the schedule"
        );
        assert!(SloArgs::default().slo().unwrap().is_none());
    }
}
