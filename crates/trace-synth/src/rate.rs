//! `trace-synth rate`: a rate over time.

use crate::args::TraceArgs;
use crate::rate_curve;
use crate::requests::Requests;
use crate::shape::{self, ShapeArgs};
use crate::when::WhenArgs;

/// Arrivals at a rate, constant or a curve; lengths from any distribution.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{}\n\n{}\n\n{EXAMPLES}", rate_curve::GRAMMAR, shape::grammar()))]
pub struct Args {
    /// When.
    #[command(flatten)]
    pub when: WhenArgs,

    /// What.
    #[command(flatten)]
    pub shape: ShapeArgs,

    /// What every kind of trace has.
    #[command(flatten)]
    pub trace: TraceArgs,
}

const EXAMPLES: &str = "\
Examples:
  trace-synth rate --rate 10 --duration 60
  trace-synth rate --rate 200 --requests 1000000 --no-hash-ids \\
    --input-length uniform:100..4000 --output-length poisson:15
  trace-synth rate --rate 5+diurnal:0..40,day=1h+spike:200@30m,20s --duration 1h
  trace-synth rate --rate mmpp:2@1m,80@5s --requests 10000 \\
    --output-length exponential:200
  trace-synth rate --rate 20 --duration 10m --arrival weibull --cv 2.5 \\
    --input-length empirical:production.jsonl \\
    --output-length 'lognormal:mu=5.2,sigma=0.9'
  conversations of 4 turns in the mean, a few popular system prompts before them
    trace-synth rate --rate 2 --duration 10m --sessions geometric:4 \\
      --turn-length 150 --think-time exponential:20s \\
      --service-time 200ms+20ms --prefixes pool:20,900,zipf=1
  agents: plan, two tools in parallel that fail now and then, follow up
    trace-synth rate --rate 1 --requests 10 --sessions 3 --tools 2 \\
      --tool-failure 0.2 --input-length 256 --turn-length 128 \\
      --output-length 64 --think-time uniform:0s..1s
  popular prompts change every minute; AIBrix's ToolBench; prompts of Phase 02
    trace-synth rate --rate 20 --duration 1h \\
      --prefixes pool:200,2048,hot=5,share=0.8,drift=1m
    trace-synth rate --rate 20 --duration 10m --prefixes toolbench
    trace-synth rate --rate 5 --requests 20 --prompt-words poisson:15";

impl Args {
    /// The trace that the flags describe.
    ///
    /// Fails if `--cv` does not go with `--arrival`, or a file of lengths
    /// cannot be read.
    pub fn requests(&self) -> anyhow::Result<Box<dyn Requests>> {
        let arrivals = self.when.arrivals(self.trace.streams())?;
        self.shape.requests(arrivals, &self.trace)
    }
}
