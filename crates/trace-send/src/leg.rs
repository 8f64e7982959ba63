//! The runs that one command makes: one for every level and round.

use crate::args::Args;
use crate::dispatch::Pace;
use crate::order::Place;
use crate::pace::Clocking;
use crate::search::What;
use trace_core::Outcome;
use trace_core::time::Micros;

/// What tells the outcomes of several runs apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Label {
    /// The stage of a recipe, or the rate that a search tries.
    pub stage: Option<String>,
    /// The level of a closed loop.
    pub concurrency: Option<u64>,
    /// The round, from 1.
    pub round: Option<u64>,
}

impl Label {
    /// The identity of the request with index `seq`.
    pub(crate) fn place(&self, seq: u64) -> Place {
        (self.stage.clone(), self.concurrency, self.round, Some(seq))
    }

    /// Write it on an outcome.
    pub(crate) fn put_on(&self, outcome: &mut Outcome) {
        outcome.stage.clone_from(&self.stage);
        outcome.concurrency = self.concurrency;
        outcome.round = self.round;
    }

    /// What it is called in a line for people; nothing if there is one run.
    pub(crate) fn words(&self) -> String {
        let mut words = Vec::new();
        words.extend(self.stage.clone());
        words.extend(self.concurrency.map(|level| format!("concurrency {level}")));
        words.extend(self.round.map(|round| format!("round {round}")));
        words.join(", ")
    }
}

/// One run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Leg {
    /// What its outcomes are marked with.
    pub label: Label,
    /// How many are in flight.
    pub pace: Pace,
    /// When they leave.
    pub clocking: Clocking,
    /// How long a closed loop takes to reach its level.
    pub ramp: Micros,
    /// Requests at most.
    pub requests: Option<u64>,
    /// Requests are sent in an order drawn with this seed.
    pub shuffle: Option<u64>,
}

impl Leg {
    /// The runs that `args` asks for, one after the other.
    pub(crate) fn all(args: &Args) -> Vec<Self> {
        let levels = args.load.concurrency.len();
        let mut legs = Vec::new();
        for level in 0..levels.max(1) {
            let concurrency = args.load.concurrency.get(level).copied();
            for round in 1..=args.runs.rounds {
                let label = Label {
                    stage: args.runs.stage.clone(),
                    concurrency: concurrency.map(|n| n as u64),
                    round: (args.runs.rounds > 1).then_some(round),
                };
                legs.push(Self {
                    shuffle: shuffle(args, round),
                    requests: args
                        .load
                        .requests
                        .get(level)
                        .or(args.load.requests.last())
                        .copied(),
                    ..Self::one(args, label, concurrency, args.load.rate)
                });
            }
        }
        legs
    }

    /// The run of a search that tries `value` of `what` for the time `round`.
    pub(crate) fn tried(args: &Args, what: What, value: f64, round: u64) -> Self {
        let mut label = Label {
            stage: args.runs.stage.clone(),
            concurrency: None,
            round: (args.runs.rounds > 1).then_some(round),
        };
        let leg = match what {
            What::Concurrency => {
                label.concurrency = Some(value as u64);
                Self::one(args, label, Some(value as usize), None)
            }
            What::Rate => {
                let rate = format!("rate {value}");
                let stage = label.stage.map(|stage| format!("{stage}/{rate}"));
                label.stage = Some(stage.unwrap_or(rate));
                Self::one(args, label, None, Some(value))
            }
        };
        Self {
            shuffle: shuffle(args, round),
            ..leg
        }
    }

    fn one(args: &Args, label: Label, concurrency: Option<usize>, rate: Option<f64>) -> Self {
        let ramp = args.load.ramp_up.unwrap_or(Micros::ZERO);
        let clocking = match (concurrency, rate) {
            (Some(_), _) => Clocking::Closed,
            (None, Some(rate)) => Clocking::Rate {
                rate,
                ramp,
                speed: args.load.speed,
            },
            (None, None) => Clocking::Trace {
                speed: args.load.speed,
                // What is left of an interrupted run leaves now, not when it would have.
                align_first: args.load.align_first || args.runs.resume.is_some(),
            },
        };
        Self {
            label,
            pace: concurrency.map_or(Pace::Open(args.load.max_concurrency), Pace::Closed),
            clocking,
            ramp,
            requests: args.load.requests.first().copied(),
            shuffle: None,
        }
    }

    /// Whether requests leave by their times.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.pace, Pace::Open(_))
    }
}

/// What the order of requests in `round` is drawn with, if it is drawn.
fn shuffle(args: &Args, round: u64) -> Option<u64> {
    let again = round > 1 && !args.runs.no_shuffle;
    again.then_some(args.body.seed.seed.wrapping_add(round))
}
