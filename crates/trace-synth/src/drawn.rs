//! `trace-synth curve`: rates that somebody drew.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, anyhow, bail, ensure};
use clap::ValueEnum;
use serde_json::Value;
use trace_core::Micros;

use crate::args::TraceArgs;
use crate::arrival::until;
use crate::curve_file::{Curve, Interpolation, Model};
use crate::dist::{self, Dist};
use crate::intensity::Intensity;
use crate::pickle::Pickle;
use crate::pieces::Points;
use crate::requests::{Many, Requests, Row};
use crate::shape::{self, ShapeArgs};
use crate::sharing::Sharing;
use crate::traffic_designer;
use crate::when::{Process, ProcessArgs, parse_cv};

/// Largest curve file, bytes.
const MOST_BYTES: u64 = 64 << 20;

/// Seconds that a dry run shows.
const SHOWN: usize = 10;

/// Rates drawn by hand, of several models.
///
/// FILE is the curve file that trace-design writes, or what the Traffic
/// Designer saves; a pickle is read as data, and one that would run code is
/// refused. Each model gets its own arrivals and lengths, which don't change
/// when another model is added, and the field `model`; prompts of different
/// models share nothing. What the file says of a model (arrival,
/// input_length, output_length, prefixes) comes before the flags; its seed
/// holds while --seed is 0. The file, of at most 64 MiB, is held.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{}\n\n{EXAMPLES}", shape::grammar()))]
pub struct Args {
    /// The curve file; `-` or none is stdin
    #[arg(value_name = "FILE")]
    pub file: Option<String>,

    /// Prompt lengths are Poisson numbers with this mean, as in the Traffic
    /// Designer
    #[arg(long, value_name = "TOKENS", value_parser = parse_prompt_len)]
    #[arg(allow_negative_numbers = true, conflicts_with_all = ["input_length", "prompt_words"])]
    pub prompt_len: Option<Dist>,

    /// Instead of the trace, print how many requests each model gets in each
    /// of its first 10 seconds
    #[arg(long)]
    pub dry_run: bool,

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

const EXAMPLES: &str = "\
Examples:
  cat > curve.json <<'END'
  {\"version\": 1, \"duration_ms\": 60000, \"models\": [
    {\"name\": \"chat\", \"interpolation\": \"linear\",
     \"input_length\": \"lognormal:900,700\",
     \"points\": [{\"t_ms\": 0, \"rate\": 0.5}, {\"t_ms\": 60000, \"rate\": 20}]},
    {\"name\": \"code\", \"interpolation\": \"step\", \"arrival\": \"gamma:3\",
     \"points\": [{\"t_ms\": 0, \"rate\": 2}]}]}
END
  trace-synth curve curve.json > trace.jsonl
  trace-synth curve --dry-run < curve.json
  trace-synth curve curve.json --prompt-len 1000 --output-length 10 \\
    | trace-plot --preset traffic-designer";

impl Args {
    /// The trace that the file and the flags describe.
    ///
    /// # Errors
    /// A file that is no curve, or flags that contradict each other.
    pub fn requests(&self) -> anyhow::Result<Box<dyn Requests>> {
        let curve = self.curve()?;
        self.of(&curve).with_context(|| self.name().into_owned())
    }

    /// The trace that `curve` and the flags describe.
    ///
    /// # Errors
    /// What the curve says of a model and cannot be, or a file of lengths that
    /// cannot be read.
    pub fn of(&self, curve: &Curve) -> anyhow::Result<Box<dyn Requests>> {
        let trace = self.trace_of(curve)?;
        let models = curve.models.iter();
        let traces = models.map(|model| {
            self.model(model, curve.duration_ms, &trace)
                .with_context(|| format!("model {:?}", model.name))
        });
        Ok(Box::new(Many::new(traces.collect::<Result<_, _>>()?)))
    }

    /// The files that lengths would be read from, as `curve` says; none is
    /// opened.
    ///
    /// # Errors
    /// What the curve says of a model and cannot be.
    pub fn files(&self, curve: &Curve) -> anyhow::Result<Vec<PathBuf>> {
        self.trace_of(curve)?;
        let mut files = Vec::new();
        for model in &curve.models {
            let parts = self.process_of(model).and_then(|_| self.shape_of(model));
            let shape = parts.with_context(|| format!("model {:?}", model.name))?;
            let lengths = shape.input_length.iter().chain(&shape.output_length);
            let levels = shape.prefixes.iter().filter_map(Sharing::tokens);
            let named = lengths.chain(levels).filter_map(Dist::file);
            files.extend(named.map(Path::to_owned));
        }
        Ok(files)
    }

    /// How many requests each model of the curve gets in each of the first
    /// seconds, tab-separated.
    ///
    /// # Errors
    /// As [`requests`](Self::requests), and those of `output`.
    pub fn counts(&self, mut output: impl Write) -> anyhow::Result<()> {
        let curve = self.curve()?;
        let mut trace = self.of(&curve).with_context(|| self.name().into_owned())?;
        let mut counts = vec![[0_u64; SHOWN]; curve.models.len()];
        let mut row = Row::default();
        while trace.fill(&mut row) {
            let time = row.request.timestamp.unwrap_or(Micros::ZERO);
            let second = (time.as_micros() / 1_000_000) as usize;
            let named = |model: &Model| row.request.model.as_deref() == Some(&model.name);
            match curve.models.iter().position(named) {
                _ if second >= SHOWN => break,
                Some(model) => counts[model][second] += 1,
                None => {}
            }
        }
        let names = curve.models.iter().map(|model| model.name.escape_debug());
        let names: String = names.map(|name| format!("{name}\t")).collect();
        writeln!(output, "second\t{names}total")?;
        let seconds = (curve.duration_ms / 1000.0).ceil() as usize;
        for second in 0..SHOWN.min(seconds) {
            let each = counts.iter().map(|counts| counts[second]);
            let total: u64 = each.clone().sum();
            let each: String = each.map(|count| format!("{count}\t")).collect();
            writeln!(output, "{second}\t{each}{total}")?;
        }
        Ok(output.flush()?)
    }

    fn name(&self) -> Cow<'_, str> {
        match self.file.as_deref() {
            None | Some("-") => "<stdin>".into(),
            Some(file) => file.into(),
        }
    }

    fn curve(&self) -> anyhow::Result<Curve> {
        let name = self.name();
        let input: Box<dyn Read> = match self.file.as_deref() {
            None | Some("-") if io::stdin().is_terminal() => {
                bail!("stdin is a terminal; pipe a curve in or name a FILE")
            }
            None | Some("-") => Box::new(io::stdin()),
            Some(file) => {
                Box::new(File::open(file).with_context(|| format!("cannot open {file}"))?)
            }
        };
        let mut bytes = Vec::new();
        let read = input.take(MOST_BYTES + 1).read_to_end(&mut bytes);
        read.with_context(|| format!("cannot read {name}"))?;
        ensure!(
            bytes.len() as u64 <= MOST_BYTES,
            "{name} has more than {MOST_BYTES} bytes"
        );
        let (curve, notes) = parse(&name, &bytes)?;
        for note in notes {
            trace_core::say!("trace-synth: {name}: {note}");
        }
        Ok(curve)
    }

    /// The flags that every kind of trace has, with the file's seed.
    fn trace_of(&self, curve: &Curve) -> anyhow::Result<TraceArgs> {
        let mut trace = self.trace.clone();
        if let Some(seed) = curve.other.get("seed").filter(|seed| !seed.is_null()) {
            let seed = seed.as_u64();
            let seed = seed.context("seed is not a whole number from 0 to 2^64 - 1")?;
            // A flag that is there gives another trace of the same drawing.
            if trace.seed.seed == 0 {
                trace.seed.seed = seed;
            }
        }
        Ok(trace)
    }

    fn model(
        &self,
        model: &Model,
        duration_ms: f64,
        trace: &TraceArgs,
    ) -> anyhow::Result<Box<dyn Requests>> {
        let mut trace = trace.part(&model.name);
        trace.model = Some(model.name.clone());
        let points = model.points.iter();
        let points = points
            .map(|point| (point.t_ms / 1000.0, point.rate))
            .collect();
        let rate = match model.interpolation {
            Interpolation::Linear => Points::linear(points),
            Interpolation::Step => Points::steps(points),
        };
        let intensity = Intensity::new(vec![Box::new(rate)], Vec::new(), duration_ms / 1000.0);
        let process = self.process_of(model)?;
        let arrivals = process.arrivals(intensity, trace.streams())?;
        let arrivals = until(arrivals, Micros::from_millis(duration_ms), None);
        self.shape_of(model)?.requests(arrivals, &trace)
    }

    fn process_of(&self, model: &Model) -> anyhow::Result<ProcessArgs> {
        Ok(own(model, "arrival", process)?.unwrap_or(self.process))
    }

    /// The flags, and before them what the file says of this model.
    fn shape_of(&self, model: &Model) -> anyhow::Result<ShapeArgs> {
        let mut shape = self.shape.clone();
        if let Some(poisson) = &self.prompt_len {
            shape.input_length = Some(poisson.clone());
        }
        if let Some(length) = own(model, "input_length", dist::parse_input)? {
            shape.input_length = Some(length);
        }
        if let Some(length) = own(model, "output_length", Dist::from_str)? {
            shape.output_length = Some(length);
        }
        let levels = match model.other.get("prefixes") {
            Some(Value::Array(levels)) => levels.iter().collect(),
            Some(level) => vec![level],
            None => Vec::new(),
        };
        let levels = levels.into_iter().map(|level| {
            let text = level.as_str().context("prefixes is not a string")?;
            text.parse().map_err(|reason| anyhow!("prefixes: {reason}"))
        });
        let levels = levels.collect::<anyhow::Result<Vec<_>>>()?;
        if !levels.is_empty() {
            (shape.prefixes, shape.total_blocks) = (levels, None);
        }
        Ok(shape)
    }
}

/// Poisson numbers of tokens with that mean.
fn parse_prompt_len(text: &str) -> Result<Dist, String> {
    let mean = text.trim().parse::<f64>();
    let mean = mean.map_err(|_| format!("{text:?} is not a number of tokens"))?;
    dist::parse_input(&format!("poisson:{mean}"))
}

/// A curve file or a pickle, and what was left out of it, in words.
///
/// # Errors
/// Bytes that are neither; the message begins with `name`.
pub fn parse(name: &str, bytes: &[u8]) -> anyhow::Result<(Curve, Vec<String>)> {
    ensure!(
        !bytes.trim_ascii().is_empty(),
        "{name}:1:1: nothing is in it; expected a curve, such as trace-design writes"
    );
    if Pickle::is_likely(bytes) {
        let pickle = Pickle::parse(bytes).map_err(|refusal| anyhow!("{name}: {refusal}"))?;
        return traffic_designer::curve(&pickle).with_context(|| name.to_owned());
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok((Curve::parse(name, text)?, Vec::new())),
        Err(error) => {
            let before = &bytes[..error.valid_up_to()];
            let line = before.split(|&byte| byte == b'\n');
            let column = line.clone().next_back().map_or(0, <[u8]>::len) + 1;
            bail!(
                "{name}:{}:{column}: neither a curve file nor a pickle: this is not UTF-8",
                line.count()
            );
        }
    }
}

/// What the file says of `model` under `field`: a string or a number.
fn own<T>(
    model: &Model,
    field: &str,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> anyhow::Result<Option<T>> {
    let text = match model.other.get(field) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(_) => bail!("{field} is neither a string nor a number"),
    };
    let parsed = parse(&text).map_err(|reason| anyhow!("{field}: {reason}"))?;
    Ok(Some(parsed))
}

/// `poisson`, `constant`, `gamma:CV` or `weibull:CV`.
fn process(text: &str) -> Result<ProcessArgs, String> {
    let (name, cv) = match text.split_once(':') {
        Some((name, cv)) => (name, Some(parse_cv(cv)?)),
        None => (text, None),
    };
    let process = ProcessArgs {
        arrival: Process::from_str(name, false)?,
        cv,
    };
    match process.gap(1.0) {
        Ok(_) => Ok(process),
        Err(_) => Err(format!(
            "{text:?} is none of poisson, constant, gamma:CV and weibull:CV"
        )),
    }
}
