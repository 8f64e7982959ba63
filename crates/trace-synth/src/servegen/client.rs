//! The files of one client: when it asks, and how much.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail, ensure};

use crate::args::MAX_RATE;
use crate::gap::{Gap, MAX_CV, MIN_CV};
use crate::servegen::literal::Pdf;

/// A client of a recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Client {
    /// The number in its files' names.
    pub id: u64,
    /// Its rate and gaps, in order of time.
    pub windows: Vec<Window>,
    /// Its lengths, in order of time, at least one unless it never asks.
    pub datasets: Vec<Dataset>,
    /// What its files hold that a trace cannot, and what had to be chosen.
    pub notes: Vec<String>,
}

/// How a client asks from some moment on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    /// Seconds.
    pub start: f64,
    /// Requests per second.
    pub rate: f64,
    /// Gaps with a mean of 1.
    pub gap: Gap,
}

/// How long its requests are from some moment on.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// Seconds.
    pub start: f64,
    /// Input tokens; their sum if there are several kinds.
    pub inputs: Vec<Pdf>,
    /// Output tokens.
    pub output: Pdf,
}

/// The files of the clients in the folder `path`, by number: `…chunk-N-trace.csv`
/// and, if it is there, `…chunk-N-dataset.json`.
///
/// # Errors
/// A folder that cannot be read, has no clients, or has one twice.
pub fn files(path: &Path) -> anyhow::Result<BTreeMap<u64, (PathBuf, Option<PathBuf>)>> {
    let name = path.display();
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(path).with_context(|| format!("cannot open {name}"))? {
        let trace = entry.with_context(|| format!("cannot read {name}"))?.path();
        let stem = trace.file_name().and_then(|file| file.to_str());
        let Some(stem) = stem.and_then(|file| file.strip_suffix("-trace.csv")) else {
            continue;
        };
        let Some(id) = stem
            .rsplit_once("chunk-")
            .and_then(|(_, id)| id.parse().ok())
        else {
            continue;
        };
        let dataset = trace.with_file_name(format!("{stem}-dataset.json"));
        let dataset = dataset.exists().then_some(dataset);
        if let Some((other, _)) = found.insert(id, (trace.clone(), dataset)) {
            bail!(
                "{} and {} are both client {id}",
                other.display(),
                trace.display()
            );
        }
    }
    ensure!(!found.is_empty(), "{name} has no files chunk-N-trace.csv");
    Ok(found)
}

impl Client {
    /// The client `id` of these files.
    ///
    /// # Errors
    /// A file that cannot be read or is not what ServeGen writes; the message
    /// names the place.
    pub fn read(id: u64, trace: &Path, dataset: &Path) -> anyhow::Result<Self> {
        let (windows, lawless) = windows(trace)?;
        let (datasets, dropped) = datasets(dataset)?;
        let mut notes = Vec::new();
        if lawless > 0 {
            notes.push(format!(
                "{lawless} windows name no distribution of gaps; they get a Poisson process"
            ));
        }
        let asks = windows.iter().any(|window| window.rate > 0.0);
        ensure!(
            !(asks && datasets.is_empty()),
            "{} has no lengths for the requests of {}",
            dataset.display(),
            trace.display()
        );
        if !dropped.is_empty() {
            notes.push(format!("left out {}", dropped.join(", ")));
        }
        Ok(Self {
            id,
            windows,
            datasets,
            notes,
        })
    }

    /// The rate at `seconds`: that of the last window that begins until then.
    pub fn rate(&self, seconds: f64) -> f64 {
        let after = self
            .windows
            .partition_point(|window| window.start <= seconds);
        after.checked_sub(1).map_or(0.0, |i| self.windows[i].rate)
    }
}

/// `start,rate,cv,name,shape,scale` on each line, and how many windows with
/// requests name no distribution.
fn windows(path: &Path) -> anyhow::Result<(Vec<Window>, usize)> {
    let name = path.display();
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
    let mut windows: Vec<Window> = Vec::new();
    let mut lawless = 0;
    for (index, line) in text.lines().enumerate() {
        let line_number = index + 1;
        let fields: Vec<&str> = line.split(',').map(str::trim).collect();
        let [start, rate, cv, law, shape, scale] = fields[..] else {
            bail!(
                "{name}:{line_number}:1: expected start,rate,cv,name,shape,scale, found {} fields",
                fields.len()
            );
        };
        let number = |what: &str, text: &str| {
            let number = text
                .parse()
                .ok()
                .filter(|n: &f64| *n >= 0.0 && n.is_finite());
            number.ok_or_else(|| {
                anyhow!("{name}:{line_number}:1: {what} {text:?} is not a number of at least 0")
            })
        };
        let (start, rate) = (number("start", start)?, number("rate", rate)?);
        number("cv", cv)?;
        number("scale", scale)?;
        let shape = number("shape", shape)?;
        ensure!(
            windows.last().is_none_or(|last| last.start < start),
            "{name}:{line_number}:1: {start} is not later than the window before"
        );
        ensure!(
            rate <= MAX_RATE,
            "{name}:{line_number}:1: rate {rate} is more than {MAX_RATE}"
        );
        let gap = match law {
            "" => {
                lawless += usize::from(rate > 0.0);
                Gap::poisson(1.0)
            }
            "Gamma" => Gap::gamma_of_shape(shape),
            "Weibull" => Gap::weibull_of_shape(shape),
            _ => bail!("{name}:{line_number}:1: {law:?} is neither Gamma nor Weibull"),
        };
        ensure!(
            rate == 0.0 || (MIN_CV..=MAX_CV).contains(&gap.cv()),
            "{name}:{line_number}:1: shape {shape} of {law} gives gaps with a coefficient of \
             variation outside of {MIN_CV} to {MAX_CV}"
        );
        windows.push(Window { start, rate, gap });
    }
    ensure!(!windows.is_empty(), "{name} has no windows");
    Ok((windows, lawless))
}

/// Fields that say how long prompts are: one, or the parts of a sum.
const INPUTS: [&str; 5] = [
    "input_tokens",
    "text_tokens",
    "image_tokens",
    "audio_tokens",
    "video_tokens",
];

/// `{"start": {"field": "{value: weight, …}"}}`: windows that have lengths,
/// and the fields that a trace has no place for.
fn datasets(path: &Path) -> anyhow::Result<(Vec<Dataset>, Vec<String>)> {
    let name = path.display().to_string();
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
    let windows: BTreeMap<String, BTreeMap<String, String>> =
        serde_json::from_str(&text).map_err(|error| crate::json_error(&name, &error))?;
    let mut found = Vec::new();
    let mut dropped = Vec::new();
    for (start, fields) in &windows {
        let seconds = start
            .parse()
            .ok()
            .filter(|n: &f64| *n >= 0.0 && n.is_finite());
        let seconds =
            seconds.with_context(|| format!("{name}: {start:?} is not a time in seconds"))?;
        let mut inputs = Vec::new();
        let mut output = None;
        for (field, text) in fields {
            if field != "output_tokens" && !INPUTS.contains(&&field[..]) {
                if !dropped.contains(field) {
                    dropped.push(field.clone());
                }
                continue;
            }
            let pdf = Pdf::parse(text)
                .map_err(|reason| anyhow!("{name}: {field} at {start}: {reason}"))?;
            match pdf {
                Some(pdf) if field == "output_tokens" => output = Some(pdf),
                Some(pdf) => inputs.push(pdf),
                None => {}
            }
        }
        if let (Some(output), false) = (output, inputs.is_empty()) {
            found.push(Dataset {
                start: seconds,
                inputs,
                output,
            });
        }
    }
    found.sort_by(|a, b| a.start.total_cmp(&b.start));
    Ok((found, dropped))
}
