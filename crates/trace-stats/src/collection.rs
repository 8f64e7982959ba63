//! Everything that was counted of an input, before it becomes a report.

use crate::by::{self, Groups};
use crate::fluxperf::Export;
use crate::partial::Settings;
use crate::report::{Kind, Report, Value};
use crate::results::end_of;
use crate::steady::Windows;
use crate::summary::Summary;
use anyhow::ensure;
use std::path::Path;
use trace_core::cli::Progress;
use trace_core::{Line, Micros, Outcome, Reader, ahead};

/// The summary of all lines, and of those of each group.
///
/// What two collections counted adds up, as long as they were counted with the
/// same settings.
#[derive(Debug)]
pub struct Collection {
    /// What was counted, and how.
    pub(crate) settings: Settings,
    pub(crate) whole: Summary,
    pub(crate) groups: Groups,
    /// Lines that could not be read and were gone past.
    pub(crate) skipped: u64,
    /// Lines outside of the window.
    pub(crate) outside: u64,
    /// When the last request ended, in the window or not.
    pub(crate) end: Option<Micros>,
    /// The files that are also written, if any are.
    pub(crate) files: Option<Export>,
}

impl Collection {
    /// Nothing yet.
    pub fn new(settings: Settings) -> Self {
        Self {
            whole: Summary::new(&settings),
            groups: Groups::new(&settings),
            skipped: 0,
            outside: 0,
            end: None,
            files: None,
            settings,
        }
    }

    /// Also write the files of each level of a sweep in `folder`, with what the
    /// lines of `telemetry` say of each.
    ///
    /// # Errors
    ///
    /// A folder that cannot be made.
    pub fn with_files(self, folder: &Path, telemetry: Option<&Path>) -> anyhow::Result<Self> {
        let telemetry = telemetry.map(Path::to_owned);
        let files = Export::new(folder, &self.settings)?.with_telemetry(telemetry);
        Ok(Self {
            files: Some(files),
            ..self
        })
    }

    /// Count all lines of `input`.
    ///
    /// # Errors
    ///
    /// Those of reading; a trace of more blocks than can be numbered.
    pub fn read(&mut self, input: &mut Reader<'_>) -> anyhow::Result<()> {
        let mut progress = Progress::new("trace-stats: read", None);
        let mut lines = 0u64;
        ahead::each_line(input, |line, outcome| {
            self.push(line, outcome)?;
            lines += 1;
            if lines.is_multiple_of(4096) {
                progress.set(lines, "lines");
            }
            anyhow::Ok(())
        })?;
        progress.finish();
        self.skipped += input.skipped();
        Ok(())
    }

    /// Count a line, and its outcome if it has one.
    ///
    /// # Errors
    ///
    /// A trace of more blocks than can be numbered; files that cannot be written.
    pub fn push(&mut self, line: &Line, outcome: Option<&Outcome>) -> anyhow::Result<()> {
        self.end = self.end.max(outcome.and_then(end_of));
        if !self.settings.window.holds(line, outcome) {
            self.outside += 1;
            return Ok(());
        }
        self.whole.push(line, outcome)?;
        self.groups.push(line, outcome)?;
        match &mut self.files {
            Some(files) => files.push(line, outcome),
            None => Ok(()),
        }
    }

    /// Take all that another has counted.
    ///
    /// # Errors
    ///
    /// What was counted otherwise, in words.
    pub fn append(&mut self, other: Self) -> Result<(), String> {
        self.settings.agree(&other.settings)?;
        self.whole.append(other.whole);
        self.groups.append(other.groups);
        self.skipped += other.skipped;
        self.outside += other.outside;
        self.end = self.end.max(other.end);
        Ok(())
    }

    /// The report.
    ///
    /// # Errors
    ///
    /// A trace of more blocks than can be numbered; objectives for requests that
    /// have no outcome.
    pub fn report(self) -> anyhow::Result<Report> {
        let until = self.settings.window.until(self.end);
        let mut report = self.whole.finish(self.settings.confidence, until)?;
        if self.settings.window != Windows::All {
            let outside = Value::Count(self.outside);
            report.scalars.push(("outside_window", outside));
            let all = report.requests + self.outside;
            let mut notes = self.settings.window.in_words();
            notes.push(format!(
                "{} of {all} requests are outside of the window",
                self.outside
            ));
            report.notes.splice(0..0, notes);
        }
        if self.skipped > 0 {
            let skipped = Value::Count(self.skipped);
            report.scalars.push(("skipped_lines", skipped));
        }
        let judged = self.settings.rules.slo.is_some();
        ensure!(
            !judged || report.kind == Kind::Outcomes || report.requests == 0,
            "--slo judges outcomes, and these {} lines are requests without one; trace-send makes outcomes of them",
            report.requests
        );
        if let Some(files) = self.files {
            files.finish()?;
        }
        report.groups = self.groups.finish(until)?;
        report.notes.extend(by::warnings(&report.groups));
        report.changes = by::changes(&report.groups);
        Ok(report)
    }
}
