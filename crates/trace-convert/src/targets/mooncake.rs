//! Our own line.

use crate::format::{Encode, Out, Target};
use crate::record::Record;
use crate::report::Report;
use anyhow::Context;

/// One JSON object per line: what every other tool reads.
pub(crate) static TARGET: Target = Target {
    name: "mooncake",
    about: "one request per line, what the other tools read",
    encoder: |_, _| Ok(Box::new(Mooncake)),
};

struct Mooncake;

impl Encode for Mooncake {
    fn write(
        &mut self,
        record: &mut Record,
        out: &mut Out<'_>,
        _: &mut Report,
    ) -> anyhow::Result<bool> {
        out.write_bytes(record.render()?).context("cannot write")?;
        Ok(true)
    }
}
