//! Pictures under the names that another tool gives them.

use trace_core::Micros;

use crate::kinds::Kind;

/// A tool whose pictures are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Preset {
    /// Traffic Designer: scheduled_request_rate of a trace; of outcomes
    /// actual_request_rate and latency_cdf
    TrafficDesigner,
}

impl Preset {
    /// The kinds of plot it has.
    pub fn kinds(self) -> Vec<&'static Kind> {
        let names = match self {
            Self::TrafficDesigner => ["rate", "latency-cdf"],
        };
        names.into_iter().filter_map(Kind::named).collect()
    }

    /// The width of its bins.
    pub fn bin(self) -> Micros {
        match self {
            Self::TrafficDesigner => Micros::from_micros(1_000_000),
        }
    }

    /// The file name, without extension, of a plot of the kind `kind`, made of
    /// a trace or, if `ran`, of outcomes.
    pub fn file(self, kind: &'static str, ran: bool) -> &'static str {
        match (self, kind) {
            (Self::TrafficDesigner, "rate") if ran => "actual_request_rate",
            (Self::TrafficDesigner, "rate") => "scheduled_request_rate",
            (Self::TrafficDesigner, "latency-cdf") => "latency_cdf",
            (Self::TrafficDesigner, other) => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_a_preset_exists_and_has_its_own_name() {
        let kinds = Preset::TrafficDesigner.kinds();
        assert_eq!(kinds.len(), 2);
        for kind in kinds {
            assert_ne!(Preset::TrafficDesigner.file(kind.name, true), kind.name);
        }
    }
}
