//! The transforms one after the other, and the encoder at their end.

use crate::args::Args;
use crate::format::{self, Encode, Out};
use crate::record::Record;
use crate::report::Report;
use crate::transform::window::Window;
use crate::transform::{Fate, Transform};
use anyhow::Context;

/// What happens to every request of a run.
pub(crate) struct Pipeline {
    stages: Vec<Box<dyn Transform>>,
    encoder: Box<dyn Encode>,
    over: bool,
}

impl Pipeline {
    /// The pipeline that `args` describe.
    ///
    /// # Errors
    /// Flags that do not go together.
    pub(crate) fn new(args: &Args) -> anyhow::Result<Self> {
        let target = format::target(&args.to).context("an unknown format")?;
        let mut stages: Vec<Box<dyn Transform>> = Vec::new();
        let window = Window::new(args);
        if !window.is_idle() {
            stages.push(Box::new(window));
        }
        Ok(Self {
            stages,
            encoder: (target.encoder)(args)?,
            over: args.limit == Some(0),
        })
    }

    /// Whether nothing more will be written.
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// Send one request through.
    ///
    /// # Errors
    /// Those of the transforms and of writing.
    pub(crate) fn push(
        &mut self,
        record: &mut Record,
        out: &mut Out<'_>,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        for stage in &mut self.stages {
            match stage.apply(record, report)? {
                Fate::Kept => {}
                Fate::Dropped => return Ok(()),
                Fate::Last => self.over = true,
            }
        }
        self.encoder.write(record, out, report)?;
        report.written += 1;
        Ok(())
    }

    /// Write what was held back.
    ///
    /// # Errors
    /// Those of writing.
    pub(crate) fn finish(&mut self, out: &mut Out<'_>, report: &mut Report) -> anyhow::Result<()> {
        self.encoder.finish(out, report)
    }
}
