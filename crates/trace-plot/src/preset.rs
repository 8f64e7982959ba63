//! Pictures under the names that another tool gives them.

use trace_core::Micros;

use crate::kinds::Kind;

/// A tool whose pictures are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Preset {
    /// Traffic Designer: of a trace scheduled_request_rate; of outcomes that
    /// and actual_request_rate, request_token_num, latency_cdf
    TrafficDesigner,
    /// Phase 02: plot_throughput_vs_latency, ttft_distribution, tokens_per_sec
    Phase02,
    /// AIBrix: workload; of outcomes that and performance_metrics_time_series
    Aibrix,
    /// Dynamo: p50_ and avg_inter_token_latency, request_throughput and
    /// avg_time_to_first_token, each _vs_concurrency,
    /// efficiency_tok_s_gpu_vs_user, and SUMMARY.txt
    Dynamo,
}

/// One picture of a preset.
struct Picture {
    kind: &'static str,
    /// Its file, without extension, of a trace.
    of_trace: Option<&'static str>,
    /// The same of outcomes.
    of_run: Option<&'static str>,
}

const fn of_run(kind: &'static str, file: &'static str) -> Picture {
    Picture {
        kind,
        of_trace: None,
        of_run: Some(file),
    }
}

const TRAFFIC_DESIGNER: &[Picture] = &[
    Picture {
        kind: "scheduled-rate",
        of_trace: Some("scheduled_request_rate"),
        of_run: Some("scheduled_request_rate"),
    },
    of_run("rate", "actual_request_rate"),
    of_run("totals", "request_token_num"),
    of_run("latency-cdf", "latency_cdf"),
];

const PHASE_02: &[Picture] = &[
    of_run("throughput-latency", "plot_throughput_vs_latency"),
    of_run("ttft-histogram", "ttft_distribution"),
    of_run("tokens-per-sec", "tokens_per_sec"),
];

const AIBRIX: &[Picture] = &[
    Picture {
        kind: "workload",
        of_trace: Some("workload"),
        of_run: Some("workload"),
    },
    of_run("time-series", "performance_metrics_time_series"),
];

const DYNAMO: &[Picture] = &[
    of_run("sweep-itl-p50", "p50_inter_token_latency_vs_concurrency"),
    of_run("sweep-itl-mean", "avg_inter_token_latency_vs_concurrency"),
    of_run("sweep-throughput", "request_throughput_vs_concurrency"),
    of_run("sweep-ttft-mean", "avg_time_to_first_token_vs_concurrency"),
    of_run("sweep-efficiency", "efficiency_tok_s_gpu_vs_user"),
];

impl Preset {
    fn pictures(self) -> &'static [Picture] {
        match self {
            Self::TrafficDesigner => TRAFFIC_DESIGNER,
            Self::Phase02 => PHASE_02,
            Self::Aibrix => AIBRIX,
            Self::Dynamo => DYNAMO,
        }
    }

    /// The kinds of plot it has.
    pub fn kinds(self) -> Vec<&'static Kind> {
        let kinds = self.pictures().iter();
        kinds
            .filter_map(|picture| Kind::named(picture.kind))
            .collect()
    }

    /// The width of its bins, if it has one of its own.
    pub fn bin(self) -> Option<Micros> {
        match self {
            Self::TrafficDesigner => Some(Micros::from_micros(1_000_000)),
            // a second for an hour, and wider for a week
            Self::Aibrix | Self::Phase02 | Self::Dynamo => None,
        }
    }

    /// The file that says in words what was drawn, if the tool writes one.
    pub fn summary(self) -> Option<&'static str> {
        match self {
            Self::Dynamo => Some("SUMMARY.txt"),
            Self::TrafficDesigner | Self::Phase02 | Self::Aibrix => None,
        }
    }

    /// The file name, without extension, of a plot of the kind `kind`, made of
    /// a trace or, if `ran`, of outcomes; none if the tool makes none of it.
    pub fn file(self, kind: &str, ran: bool) -> Option<&'static str> {
        let picture = self
            .pictures()
            .iter()
            .find(|picture| picture.kind == kind)?;
        if ran {
            picture.of_run
        } else {
            picture.of_trace
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn every_picture_of_a_preset_is_of_a_kind_and_has_its_own_name() {
        for &preset in Preset::value_variants() {
            assert_eq!(preset.kinds().len(), preset.pictures().len());
            let mut files: Vec<_> = preset
                .kinds()
                .iter()
                .filter_map(|kind| preset.file(kind.name, true))
                .collect();
            assert_eq!(files.len(), preset.pictures().len());
            files.sort_unstable();
            files.dedup();
            assert_eq!(files.len(), preset.pictures().len());
        }
    }
}
