//! The design to begin with: a curve file or a pickle.

use crate::body::MOST_BYTES;
use crate::generate::Generator;
use crate::seed;
use anyhow::{Context, bail, ensure};
use serde_json::Value;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use trace_synth::curve_file::Curve;
use trace_synth::drawn;

/// What `file` is called in errors.
pub(crate) fn name(file: &str) -> &str {
    if file == "-" { "<stdin>" } else { file }
}

/// The curve in `file`, `-` for stdin, and what may read the files that it
/// names. What was left out of it is said on stderr.
///
/// # Errors
/// A file that cannot be read, is neither a curve file nor a pickle, or says
/// of a model what cannot be.
pub(crate) fn read(file: &str) -> anyhow::Result<(Curve, Generator)> {
    let name = name(file);
    let input: Box<dyn Read> = match file {
        "-" if io::stdin().is_terminal() => {
            bail!("stdin is a terminal; pipe a curve in or name a FILE")
        }
        "-" => Box::new(io::stdin()),
        _ => Box::new(File::open(file).with_context(|| format!("cannot open {file}"))?),
    };
    let mut bytes = Vec::new();
    let read = input.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes);
    read.with_context(|| format!("cannot read {name}"))?;
    ensure!(
        bytes.len() <= MOST_BYTES,
        "{name} has more than {} MiB",
        MOST_BYTES >> 20
    );
    let (curve, notes) = drawn::parse(name, &bytes)?;
    for note in notes {
        trace_core::say!("trace-design: {name}: {note}");
    }
    let generator = Generator::trusting(&curve).with_context(|| name.to_owned())?;
    Ok((curve, generator))
}

/// `curve` as the page's design, with the seed `start` where it has none.
pub(crate) fn design(mut curve: Curve, start: u64) -> String {
    let said = curve.other.get("seed").is_some_and(|seed| !seed.is_null());
    if !said {
        curve.other.insert("seed".to_owned(), Value::from(start));
    }
    seed::for_page(&mut curve.other);
    serde_json::to_string(&curve).expect("a curve has text for keys")
}
