//! The merged lines on their way out.

use anyhow::Context;
use std::io::Write;
use trace_core::{Writer, cli};

/// Lines between two looks at the clock.
const NOW_AND_THEN: u64 = 1 << 15;

/// Writes lines and shows how many there were.
pub(crate) struct Output<W: Write> {
    out: Writer<W>,
    lines: u64,
    progress: Option<cli::Progress>,
}

impl<W: Write> Output<W> {
    /// Write to `out`; show progress if `watched`.
    pub(crate) fn new(out: W, watched: bool) -> Self {
        Self {
            out: Writer::new(out),
            lines: 0,
            progress: watched.then(|| cli::Progress::new("lines", None)),
        }
    }

    /// Write one line, given without its end.
    ///
    /// # Errors
    /// Those of the writer below.
    pub(crate) fn write(&mut self, line: &[u8]) -> anyhow::Result<()> {
        self.out.write_bytes(line).context("cannot write")?;
        self.lines += 1;
        if self.lines.is_multiple_of(NOW_AND_THEN)
            && let Some(progress) = &mut self.progress
        {
            progress.set(self.lines, "");
        }
        Ok(())
    }

    /// Write what is waiting.
    ///
    /// # Errors
    /// Those of the writer below.
    pub(crate) fn finish(mut self) -> anyhow::Result<()> {
        if let Some(progress) = &self.progress {
            progress.finish();
        }
        self.out.flush().context("cannot write")
    }
}
