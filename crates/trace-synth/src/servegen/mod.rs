//! `trace-synth servegen`: the clients of ServeGen's recordings.

pub mod client;
pub mod lengths;
pub mod literal;
pub mod windowed;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, ensure};
use trace_core::{Micros, Streams, parse_duration};

use crate::args::{TraceArgs, parse_period};
use crate::arrival::until;
use crate::length::Lengths;
use crate::pieces::{Pieces, Points};
use crate::rate_curve::{self, RateCurve};
use crate::requests::{Many, Requests, Row};
use crate::shape::{self, ShapeArgs};
use client::{Client, files};
use lengths::Found;
use windowed::Windowed;

/// A workload of many clients, as ServeGen recorded them.
///
/// DIR has a chunk-N-trace.csv and a chunk-N-dataset.json for each client:
/// its rate and the distribution of its gaps in windows of ten minutes, and
/// the lengths that its requests had in windows of six hours. Each client
/// keeps its own gaps and lengths; the field `client` is its number. Without
/// --rate each has the rate that was recorded; with it, its share of that
/// rate at every moment is the share it had. A gap that outlasts its window
/// goes on by the distribution of the next. Where a window has requests but
/// no lengths, those of the window before are used; --input-length and
/// --output-length come before those of the files.
///
/// What ServeGen's files say beyond input and output tokens (reason_ratio,
/// image_count and the like) is left out and said; image, audio and video
/// tokens are added to those of the text. Prompts of different clients share
/// nothing. The clients are held: some 400 kB each.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{}\n\n{}\n\n{EXAMPLES}", rate_curve::GRAMMAR, shape::grammar()))]
pub struct Args {
    /// Folder with the files of the clients
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,

    /// Requests per second of all clients together, a number or a rate over
    /// time; --help tells every CURVE [default: as recorded]
    #[arg(long, value_name = "CURVE", allow_negative_numbers = true)]
    pub rate: Option<RateCurve>,

    /// Begin this far into the recording
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "0")]
    #[arg(allow_negative_numbers = true)]
    pub start: Micros,

    /// Length of the trace [default: to the end of the recording]
    #[arg(long, value_name = "TIME", value_parser = parse_period, allow_negative_numbers = true)]
    pub duration: Option<Micros>,

    /// End after this many requests
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub requests: Option<u64>,

    /// Only these clients
    #[arg(long, value_name = "N,…", value_delimiter = ',')]
    pub clients: Vec<u64>,

    /// Correlation of input and output lengths within a window, -1 to 1: 0
    /// independent, 1 as ServeGen's own generator (longest with longest)
    #[arg(long, value_name = "RHO", value_parser = parse_rho, default_value_t = 0.0)]
    #[arg(allow_negative_numbers = true)]
    pub rho: f64,

    /// What.
    #[command(flatten)]
    pub shape: ShapeArgs,

    /// What every kind of trace has.
    #[command(flatten)]
    pub trace: TraceArgs,
}

const EXAMPLES: &str = "\
Examples:
  mkdir -p demo
  printf '%s\\n' 0,0.5,1.2,Gamma,0.7,2.9 600,2,2.1,Weibull,0.55,0.3 \\
    > demo/chunk-0-trace.csv
  echo '{\"0\": {\"input_tokens\": \"{100: 0.5, 900: 0.5}\",
    \"output_tokens\": \"{20: 1.0}\"}}' > demo/chunk-0-dataset.json
  trace-synth servegen demo > recorded.jsonl
  trace-synth servegen demo --rate 5 --duration 15m --rho 0.6 \\
    | trace-stats --by client";

fn parse_rho(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(rho) if (-1.0..=1.0).contains(&rho) => Ok(rho),
        _ => Err(format!("{text:?} is not a correlation from -1 to 1")),
    }
}

/// When clients change, and how many requests they make together.
struct Total {
    /// Seconds of the recording, and requests per second.
    steps: Vec<(f64, f64)>,
    /// Seconds of the recording at which it ends.
    end: f64,
}

impl Args {
    /// The trace that the files and the flags describe.
    ///
    /// # Errors
    /// A folder without clients, a file that is not ServeGen's, a time after
    /// the end of the recording.
    pub fn requests(&self) -> anyhow::Result<Box<dyn Requests>> {
        let clients = self.read()?;
        let total = Total::of(&clients);
        let offset = self.start.as_secs();
        ensure!(
            offset < total.end,
            "--start is after the end of the recording, which has {} s",
            total.end
        );
        let whole = Micros::from_secs(total.end - offset).context("the recording is too long")?;
        let duration = self.duration.map_or(whole, |duration| duration.min(whole));
        if self.duration.is_some_and(|asked| asked > whole) {
            trace_core::say!(
                "trace-synth: the recording ends after {} s, before --duration",
                whole.as_secs()
            );
        }
        if self.rate.is_some() {
            total.tell_idle(offset, duration.as_secs());
        }
        let mut traces = Vec::new();
        for client in clients {
            traces.extend(self.client(client, &total, duration)?);
        }
        let many = Many::new(traces);
        Ok(match self.requests {
            None => Box::new(many),
            Some(left) => Box::new(First { trace: many, left }),
        })
    }

    fn read(&self) -> anyhow::Result<Vec<Client>> {
        let mut files = files(&self.folder)?;
        for id in &self.clients {
            ensure!(
                files.contains_key(id),
                "--clients: there is no client {id} in {}",
                self.folder.display()
            );
        }
        if !self.clients.is_empty() {
            files.retain(|id, _| self.clients.contains(id));
        }
        let count = files.len();
        let mut missing = Vec::new();
        let mut clients = Vec::new();
        for (id, (trace, dataset)) in files {
            match dataset {
                Some(dataset) => clients.push(Client::read(id, &trace, &dataset)?),
                None => missing.push(id.to_string()),
            }
        }
        if !missing.is_empty() {
            trace_core::say!(
                "trace-synth: left out {} of {count} clients that have no dataset: {}",
                missing.len(),
                missing.join(", ")
            );
        }
        ensure!(!clients.is_empty(), "no client has a dataset");
        let mut notes: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for client in &clients {
            for note in &client.notes {
                notes.entry(note).or_default().push(client.id);
            }
        }
        for (note, ids) in notes {
            match ids[..] {
                [id] => trace_core::say!("trace-synth: client {id}: {note}"),
                _ => trace_core::say!("trace-synth: {} clients: {note}", ids.len()),
            }
        }
        Ok(clients)
    }

    /// The trace of one client; none if it never asks.
    fn client(
        &self,
        client: Client,
        total: &Total,
        duration: Micros,
    ) -> anyhow::Result<Option<Box<dyn Requests>>> {
        let offset = self.start.as_secs();
        let active = client.windows.iter().filter(|window| window.rate > 0.0);
        let windows: Vec<_> = active
            .map(|window| (window.start - offset, window.gap))
            .collect();
        if windows.is_empty() {
            return Ok(None);
        }
        let trace = self.trace.part(&format!("client {}", client.id));
        let steps = total.steps.iter();
        let share: Vec<(f64, f64)> = steps
            .map(|&(start, all)| {
                let own = client.rate(start);
                let share = match self.rate {
                    None => own,
                    Some(_) if own == 0.0 => 0.0,
                    Some(_) => own / all,
                };
                (start - offset, share)
            })
            .chain([(total.end - offset, 0.0)])
            .collect();
        let rate = self.rate.clone().unwrap_or_else(|| RateCurve::always(1.0));
        // All clients see the same states of a random rate.
        let whole: Streams = self.trace.streams();
        let intensity = || {
            let share: Box<dyn Pieces> = Box::new(Points::steps(share.clone()));
            rate.open_shared(whole, Some(duration), Some(share))
        };
        let rng = trace.streams().stream("arrival");
        let arrivals = Windowed::new(intensity(), intensity(), windows, rng);
        let arrivals = until(arrivals, Some(duration), None);
        let lengths = Chosen {
            found: Found::new(client.datasets, offset, self.rho, trace.streams()),
            flags: self.shape.lengths(&trace)?,
            input: self.shape.input_length.is_some(),
            output: self.shape.output_length.is_some(),
        };
        let members = format!("\"client\":{}", client.id).into_bytes();
        let requests = self
            .shape
            .requests_of(arrivals, Box::new(lengths), members, &trace)?;
        Ok(Some(requests))
    }
}

impl Total {
    fn of(clients: &[Client]) -> Self {
        let mut starts: Vec<f64> = clients
            .iter()
            .flat_map(|client| client.windows.iter().map(|window| window.start))
            .collect();
        starts.sort_by(f64::total_cmp);
        starts.dedup();
        let last = starts.len() - 1;
        // The last window lasts as long as the one before.
        let length = match last {
            0 => 600.0,
            _ => starts[last] - starts[last - 1],
        };
        let end = starts[last] + length;
        let sum = |start: f64| clients.iter().map(|client| client.rate(start)).sum();
        Self {
            steps: starts.iter().map(|&start| (start, sum(start))).collect(),
            end,
        }
    }

    /// Say for how long no client asks, since no rate can be had then.
    fn tell_idle(&self, offset: f64, duration: f64) {
        let ends = self
            .steps
            .iter()
            .skip(1)
            .map(|step| step.0)
            .chain([self.end]);
        let inside = |time: f64| time.clamp(offset, offset + duration);
        let idle: f64 = self
            .steps
            .iter()
            .zip(ends)
            .filter(|((_, rate), _)| *rate == 0.0)
            .map(|((start, _), end)| inside(end) - inside(*start))
            .sum();
        if idle > 0.0 {
            trace_core::say!(
                "trace-synth: no client asks for {idle} of {duration} s; nothing arrives then"
            );
        }
    }
}

/// Lengths of the files, or of the flags where they were given.
struct Chosen {
    found: Found,
    flags: Box<dyn Lengths + Send>,
    input: bool,
    output: bool,
}

impl Lengths for Chosen {
    fn draw(&mut self, seconds: f64) -> (u64, u64) {
        let found = self.found.draw(seconds);
        if !self.input && !self.output {
            return found;
        }
        let flags = self.flags.draw(seconds);
        (
            if self.input { flags.0 } else { found.0 },
            if self.output { flags.1 } else { found.1 },
        )
    }
}

/// The first requests of a trace.
struct First<R> {
    trace: R,
    left: u64,
}

impl<R: Requests> Requests for First<R> {
    fn fill(&mut self, row: &mut Row) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        self.trace.fill(row)
    }
}
