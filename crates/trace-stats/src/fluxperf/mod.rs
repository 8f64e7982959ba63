//! A run as FluxPerf leaves it: a table of all levels, a file for each.
//!
//! ```text
//! Line, Outcome → Level → concurrency_N_round_M.json (details as they come, then the summary)
//!                       → metrics_summary.csv        (metrics × levels)
//! ```
//!
//! The layout is FluxPerf's; the numbers are ours: quantiles interpolate, the
//! deviation is the population's, failures are infinite in quantiles (`inf`, or
//! `null` in JSON), and goodput is a share of what was scheduled. An input that
//! cannot be read to its end leaves the files of the last run as they were.

mod detail;
mod gauges;
mod level;
mod round_file;
mod table;

use crate::by::changes;
use crate::partial::Settings;
use crate::report::Report;
use crate::results::Duration;
use anyhow::{Context, bail};
use level::Level;
use round_file::RoundFile;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use trace_core::{Outcome, WholeFile};

/// Most levels, each of which is an open file while a run is read.
const MOST_LEVELS: usize = 500;

/// The files of a run, while it is read.
#[derive(Debug)]
pub struct Export {
    folder: PathBuf,
    /// Telemetry of the run, for the table.
    telemetry: Option<PathBuf>,
    settings: Settings,
    levels: BTreeMap<Level, RoundFile>,
}

impl Export {
    /// Files in `folder`, which is made if it does not exist; outcomes are
    /// judged as `settings` say.
    ///
    /// # Errors
    ///
    /// A folder that cannot be made.
    pub fn new(folder: &Path, settings: &Settings) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        Ok(Self {
            folder: folder.to_owned(),
            telemetry: None,
            settings: Settings {
                by: Vec::new(),
                block_size: None,
                cache: false,
                confidence: None,
                ..settings.clone()
            },
            levels: BTreeMap::new(),
        })
    }

    /// Let the table also tell what the telemetry in `path` says of each level.
    #[must_use]
    pub fn with_telemetry(self, path: Option<PathBuf>) -> Self {
        Self {
            telemetry: path,
            ..self
        }
    }

    /// Take the next line.
    ///
    /// # Errors
    ///
    /// Those of writing; more levels than files can be open.
    pub fn push(
        &mut self,
        line: &trace_core::Line,
        outcome: Option<&Outcome>,
    ) -> anyhow::Result<()> {
        let Some(outcome) = outcome else {
            return Ok(());
        };
        let level = Level::of(outcome);
        if !self.levels.contains_key(&level) {
            if self.levels.len() == MOST_LEVELS {
                bail!("--output-dir: more than {MOST_LEVELS} levels and rounds");
            }
            let file = RoundFile::create(&self.folder, &level, &self.settings)?;
            self.levels.insert(level.clone(), file);
        }
        let file = self.levels.get_mut(&level).expect("it was just put there");
        file.push(&level, line, outcome, self.settings.rules.slo.as_ref())
    }

    /// Finish the files, and write the table of all levels.
    ///
    /// # Errors
    ///
    /// Those of writing; a run without outcomes.
    pub fn finish(self) -> anyhow::Result<()> {
        if self.levels.is_empty() {
            bail!("--output-dir is for outcomes, and no line has one; trace-send makes outcomes");
        }
        let mut columns = Vec::new();
        let mut reports: Vec<Report> = Vec::new();
        let mut files = Vec::new();
        let spans: Vec<Duration> = self.levels.values().map(RoundFile::duration).collect();
        let gauges = match &self.telemetry {
            Some(path) => gauges::gauges(path, &spans)?,
            None => Vec::new(),
        };
        for (level, file) in self.levels {
            let (mut report, file) = file.end()?;
            report.by = level.by();
            columns.push(level.column());
            reports.push(report);
            files.push(file);
        }
        let path = self.folder.join("metrics_summary.csv");
        let page = table::page(&columns, &reports, &changes(&reports), &gauges)?;
        let table = WholeFile::create(&path).and_then(|mut table| {
            table.write_all(&page)?;
            Ok(table)
        });
        let table = table.with_context(|| format!("cannot write {}", path.display()))?;
        files.push((path, table));
        // None of them has its name before all of them are written.
        for (path, file) in files {
            let named = file.finish();
            named.with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }
}
