//! What a format is: a name, how it is told, and how it is read or written.
//!
//! One foreign format, one file under `formats/` (read) or `targets/`
//! (written), and one line in that folder's list.

use crate::args::Args;
use crate::head::Head;
use crate::input::Opened;
use crate::record::Record;
use crate::report::Report;
use crate::{formats, targets};
use anyhow::bail;
use clap::builder::PossibleValue;
use std::io::Write;
use trace_core::{Error, Writer};

/// A format that can be read.
pub(crate) struct Format {
    /// What `--from` calls it.
    pub(crate) name: &'static str,
    /// One line for the help.
    pub(crate) about: &'static str,
    /// Whether a file that begins so has this format. The first of the list
    /// that says yes is taken, so the particular stand before the general.
    pub(crate) detect: fn(&Head) -> bool,
    /// What every file of this format has, for the error about one that has
    /// not: `the columns Timestamp, Model, …`.
    pub(crate) needs: &'static str,
    /// A decoder for one run.
    pub(crate) decoder: fn(&Args) -> anyhow::Result<Box<dyn Decode>>,
}

/// Makes requests of foreign bytes.
///
/// One decoder reads all inputs of a run, one after the other, so that clocks
/// and sessions go on from file to file.
pub(crate) trait Decode {
    /// Go on with this input.
    ///
    /// # Errors
    /// A header that lacks what the format needs.
    fn open(&mut self, input: Opened, report: &mut Report) -> anyhow::Result<()>;

    /// Make `record` the next request; `false` at the end of the input.
    ///
    /// After an [`Error::Line`] the next call goes on behind that row.
    ///
    /// # Errors
    /// A row that cannot be read.
    fn read(&mut self, record: &mut Record, report: &mut Report) -> Result<bool, Error>;

    /// Tokens per block of the `hash_ids` of this format, once a file is open;
    /// `None` where the ids are made up by `--block-size`, or there are none.
    fn block_size(&self) -> Option<u64> {
        None
    }

    /// Whether its times are counted from the first request by a
    /// [`Clock`](crate::clock::Clock), which leaves room before that for a
    /// sort.
    fn has_clock(&self) -> bool {
        false
    }
}

/// A format that can be written.
pub(crate) struct Target {
    /// What `--to` calls it.
    pub(crate) name: &'static str,
    /// One line for the help.
    pub(crate) about: &'static str,
    /// An encoder for one run, of requests whose blocks have so many tokens.
    pub(crate) encoder: fn(&Args, u64) -> anyhow::Result<Box<dyn Encode>>,
}

/// Where an encoder writes its lines.
pub(crate) type Out<'a> = Writer<&'a mut dyn Write>;

/// Writes requests in some format.
pub(crate) trait Encode {
    /// Write `record`, or keep it until [`finish`](Self::finish); `false`, and
    /// counted as dropped, for one that has no place in the format.
    ///
    /// # Errors
    /// A request the format cannot hold, and those of writing.
    fn write(
        &mut self,
        record: &mut Record,
        out: &mut Out<'_>,
        report: &mut Report,
    ) -> anyhow::Result<bool>;

    /// Write what is left.
    ///
    /// # Errors
    /// Those of writing.
    fn finish(&mut self, _out: &mut Out<'_>, _report: &mut Report) -> anyhow::Result<()> {
        Ok(())
    }
}

/// The format of that name.
pub(crate) fn by_name(name: &str) -> Option<&'static Format> {
    formats::ALL
        .iter()
        .copied()
        .find(|format| format.name == name)
}

/// The format of a file that begins like this.
///
/// # Errors
/// A file that no format claims: what was found in it.
pub(crate) fn detect(name: &str, head: &Head) -> anyhow::Result<&'static Format> {
    if let Some(format) = formats::ALL.iter().find(|format| (format.detect)(head)) {
        return Ok(format);
    }
    match head {
        Head::Other(_) => bail!("{name}: this is {}, not a trace", head.describe()),
        _ => bail!(
            "{name}: cannot tell the format of {}; name it with --from, or the columns with --map input_length=NAME,…",
            head.describe()
        ),
    }
}

/// An error for a file that was said to have a format and has not.
pub(crate) fn refuse(name: &str, head: &Head, format: &Format) -> anyhow::Error {
    anyhow::anyhow!(
        "{name}: not {}, which has {}; found {}",
        format.name,
        format.needs,
        head.describe()
    )
}

/// The values of `--from`.
pub(crate) fn from_values() -> Vec<PossibleValue> {
    let auto = PossibleValue::new("auto").help("what the header or the first object looks like");
    let rest = formats::ALL
        .iter()
        .map(|f| PossibleValue::new(f.name).help(f.about));
    std::iter::once(auto).chain(rest).collect()
}

/// The values of `--to`.
pub(crate) fn to_values() -> Vec<PossibleValue> {
    let all = targets::ALL.iter();
    all.map(|t| PossibleValue::new(t.name).help(t.about))
        .collect()
}

/// The target of that name.
pub(crate) fn target(name: &str) -> Option<&'static Target> {
    targets::ALL
        .iter()
        .copied()
        .find(|target| target.name == name)
}
