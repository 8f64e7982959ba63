//! `trace-synth grafana`: traffic as a dashboard measured it.

pub mod fit;
pub mod moment;
pub mod statistics;
pub mod table;

use std::path::PathBuf;

use clap::ValueEnum;
use trace_core::{Micros, Random};

use crate::args::{TraceArgs, parse_period};
use crate::arrival::until;
use crate::draw;
use crate::intensity::Intensity;
use crate::length_at::{LengthAt, Replaced};
use crate::pieces::Points;
use crate::requests::Requests;
use crate::scale::{ScaleArgs, scaled};
use crate::shape::{self, ShapeArgs};
use crate::when::ProcessArgs;
use fit::Lognormal;
use statistics::Statistics;

/// Traffic as a dashboard measured it: AIBrix's statistics of kind maas and
/// cloudide.
///
/// Tables are CSV with a heading, as Grafana exports them; the column Time
/// holds dates with a clock or seconds or milliseconds since 1970. A row lasts
/// until the next, however long that is, and the last one as long as most do.
/// An empty cell, undefined, null and NaN are 0. All rows are held: some
/// 300 MB for three tables of a million.
///
/// maas: the rate is the column Success of --traffic-file, in requests per
/// second. The length files have percentiles (P50, P70, P90 or P95, P99); each
/// request draws its own length from the log-normal distribution that has the
/// median P50 and fits the others best. Their rows belong to those of the same
/// Time; without that column, to those in the same place, and there must be
/// equally many.
///
/// cloudide: the rate is the column after Time. --prompt-len-file has the
/// bytes of each second, in columns recv_bytes and sent_bytes, or any number
/// of recv_bytes.rate@… and sent_bytes.rate@…, which are added up. The bytes
/// received and sent for each request are its input and output length, one
/// token a byte; --input-scale 4 makes it four bytes a token.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{}\n\n{EXAMPLES}", shape::grammar()))]
pub struct Args {
    /// What the tables hold
    #[arg(
        long,
        visible_alias = "stat-trace-type",
        value_enum,
        value_name = "KIND"
    )]
    pub kind: Kind,

    /// Requests per second over time
    #[arg(long, value_name = "FILE")]
    pub traffic_file: PathBuf,

    /// Prompt lengths over time, instead of --input-length; for cloudide the
    /// bytes
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["input_length", "prompt_words"],
        required_if_eq("kind", "cloudide")
    )]
    pub prompt_len_file: Option<PathBuf>,

    /// Response lengths over time, instead of --output-length [cloudide: those
    /// of --prompt-len-file]
    #[arg(long, value_name = "FILE", conflicts_with = "output_length")]
    pub completion_len_file: Option<PathBuf>,

    /// End here, before the tables do
    #[arg(long, value_name = "TIME", value_parser = parse_period, allow_negative_numbers = true)]
    pub duration: Option<Micros>,

    /// What rates and lengths are divided by.
    #[command(flatten)]
    pub scale: ScaleArgs,

    /// How gaps vary.
    #[command(flatten)]
    pub process: ProcessArgs,

    /// What.
    #[command(flatten)]
    pub shape: ShapeArgs,

    /// What every kind of trace has.
    #[command(flatten)]
    pub trace: TraceArgs,
}

/// What the tables hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Requests that succeeded, and percentiles of tokens
    Maas,
    /// Requests, and bytes received and sent
    Cloudide,
}

const EXAMPLES: &str = "\
Examples:
  printf '%s\\n' Time,Total,Success '2024-10-01 00:00:00,6,5' \\
    '2024-10-01 00:00:30,11,10' > t.csv
  printf '%s\\n' P50,P70,P99 500,700,3000 550,750,3000 > p.csv
  trace-synth grafana --kind maas --traffic-file t.csv --prompt-len-file p.csv
  printf '%s\\n' Time,Rate 1727740800000,5 1727740830000,10 > r.csv
  printf '%s\\n' Time,recv_bytes,sent_bytes 1727740800000,20000,3000 \\
    1727740830000,40000,5000 > b.csv
  trace-synth grafana --kind cloudide --traffic-file r.csv \\
    --prompt-len-file b.csv --input-scale 4 --output-scale 4";

impl Args {
    /// The trace that the tables and the flags describe.
    ///
    /// # Errors
    /// A table that cannot be read or does not fit, and flags that contradict
    /// each other.
    pub fn requests(&self) -> anyhow::Result<Box<dyn Requests>> {
        let (prompt, completion) = (
            self.prompt_len_file.as_deref(),
            self.completion_len_file.as_deref(),
        );
        let mut statistics = match self.kind {
            Kind::Maas => Statistics::maas(&self.traffic_file, prompt, completion)?,
            Kind::Cloudide => {
                Statistics::cloudide(&self.traffic_file, prompt, completion.or(prompt))?
            }
        };
        for note in &statistics.notes {
            trace_core::say!("trace-synth: {note}");
        }
        statistics.divide_rates(self.scale.qps_scale)?;
        let end = self
            .duration
            .map_or(statistics.end, |end| end.as_secs().min(statistics.end));
        let streams = self.trace.streams();
        let points = statistics.starts.iter().copied().zip(statistics.rates);
        let intensity = Intensity::new(
            vec![Box::new(Points::steps(points.collect()))],
            Vec::new(),
            end,
        );
        let arrivals = self.process.arrivals(intensity, streams)?;
        let lengths = |rows: Option<Vec<Lognormal>>, scale, aspect| {
            rows.map(|rows| -> Box<dyn LengthAt> {
                Box::new(Fitted {
                    starts: statistics.starts.clone(),
                    rows,
                    scale,
                    current: 0,
                    rng: streams.stream(aspect),
                })
            })
        };
        let replaced = Replaced {
            base: self.shape.lengths(&self.trace)?,
            input: lengths(statistics.inputs, self.scale.input_scale, "fitted input"),
            output: lengths(statistics.outputs, self.scale.output_scale, "fitted output"),
        };
        let arrivals = until(arrivals, Micros::from_secs(end), None);
        self.shape
            .requests_of(arrivals, Box::new(replaced), Vec::new(), &self.trace)
    }
}

/// Lengths drawn for each request from the distribution of its row.
struct Fitted {
    /// Seconds at which rows begin.
    starts: Vec<f64>,
    rows: Vec<Lognormal>,
    scale: f64,
    /// The row of the last request: most of the time the next one's as well.
    current: usize,
    rng: Random,
}

impl LengthAt for Fitted {
    fn draw(&mut self, seconds: f64) -> u64 {
        let next = self.starts.get(self.current + 1);
        if seconds < self.starts[self.current] || next.is_some_and(|&next| seconds >= next) {
            let after = self.starts.partition_point(|&start| start <= seconds);
            self.current = after.saturating_sub(1);
        }
        scaled(
            self.rows[self.current].at(draw::normal(&mut self.rng)),
            self.scale,
        )
    }
}
