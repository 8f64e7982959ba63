//! The traffic of a day as a curve: requests per second over time, by model.
//!
//! ```text
//! trace-design curve.json > checked.json
//! ```
//!
//! Reads a curve file, says what is wrong with it, and writes it with its
//! points in order. [`curve`] is the format, shared with `trace-synth curve`.

pub use trace_synth::curve_file as curve;

use anyhow::Context;
use clap::Parser;
use curve::Curve;
use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufReader, IsTerminal, Read, Write};

const EXAMPLES: &str = "\
Examples:
  trace-design curve.json
  jq '.models[0].points' curve.json";

/// Check a curve file: requests per second over time, by model
///
/// Writes the curve with its points in order of time.
#[derive(Debug, Parser)]
#[command(name = "trace-design", version, after_help = EXAMPLES)]
pub struct Args {
    /// The curve file; `-` or none is stdin
    #[arg(value_name = "FILE")]
    pub file: Option<String>,
}

impl Args {
    /// What to call the input in errors.
    pub fn name(&self) -> Cow<'_, str> {
        match self.file.as_deref() {
            None | Some("-") => "<stdin>".into(),
            Some(file) => file.into(),
        }
    }

    /// The bytes of the curve file.
    ///
    /// # Errors
    /// A file that cannot be opened, or a terminal where a curve should be.
    pub fn open(&self) -> anyhow::Result<Box<dyn Read>> {
        match self.file.as_deref() {
            None | Some("-") if io::stdin().is_terminal() => {
                anyhow::bail!("stdin is a terminal; pipe a curve in or name a FILE")
            }
            None | Some("-") => Ok(Box::new(io::stdin())),
            Some(file) => {
                let opened = File::open(file).with_context(|| format!("cannot open {file}"))?;
                Ok(Box::new(BufReader::new(opened)))
            }
        }
    }
}

/// Check the curve that `text` spells and write it to `output`.
///
/// # Errors
/// What is wrong with the curve, as `name:line:column: reason` where it is a
/// matter of JSON and with the model's name where it is one of sense.
pub fn run(name: &str, text: &str, mut output: impl Write) -> anyhow::Result<()> {
    let curve = Curve::parse(name, text)?;
    serde_json::to_writer_pretty(&mut output, &curve).map_err(io::Error::from)?;
    output.write_all(b"\n")?;
    Ok(output.flush()?)
}
