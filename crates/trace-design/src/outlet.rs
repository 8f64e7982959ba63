//! Where the curve goes at last: stdout or a file.
//!
//! Looked at before anybody draws: who has drawn for an hour should not learn
//! only then that it cannot be written.

use anyhow::{Context, bail};
use std::fs::{self, File, OpenOptions};
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use trace_core::cli;
use trace_synth::curve_file::Curve;

/// A place for the curve.
#[derive(Debug)]
pub(crate) enum Outlet {
    /// Standard output.
    Stdout,
    /// A file that was opened, and what it held is still there.
    File {
        /// Its name.
        path: PathBuf,
        /// Itself.
        file: File,
        /// It was not there before.
        made: bool,
    },
    /// A pipe or a device with a name, opened when there is something to say.
    Special(PathBuf),
}

impl Outlet {
    /// The place that `--out` names, else stdout.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(crate) fn open(out: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = out.filter(|path| *path != Path::new("-")) else {
            return Ok(Self::Stdout);
        };
        let known = fs::metadata(path).ok();
        if known
            .as_ref()
            .is_some_and(|known| !known.is_file() && !known.is_dir())
        {
            return Ok(Self::Special(path.to_owned()));
        }
        // Emptied only when the curve is there to be written.
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path);
        let file = file.with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self::File {
            path: path.to_owned(),
            file,
            made: known.is_none(),
        })
    }

    /// What it is called.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Stdout => "stdout".to_owned(),
            Self::File { path, .. } | Self::Special(path) => path.display().to_string(),
        }
    }

    /// Why what is written here will be read by nobody, if that is known.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        match self {
            Self::Stdout if is_nowhere() => Some("stdout is closed or /dev/null"),
            Self::Stdout if has_hung_up() => Some("whoever read stdout has gone"),
            _ => None,
        }
    }

    /// Write `curve`.
    ///
    /// # Errors
    /// What kept it from being written.
    pub(crate) fn write(&mut self, curve: &Curve) -> anyhow::Result<()> {
        let text = text(curve);
        let written = match self {
            Self::Stdout => cli::stdout().and_then(|mut stdout| {
                stdout.write_all(&text)?;
                stdout.flush()
            }),
            Self::File { file, made, .. } => {
                *made = false;
                // It may be the second try.
                file.set_len(0)
                    .and_then(|()| file.rewind())
                    .and_then(|()| file.write_all(&text))
                    .and_then(|()| file.sync_data())
            }
            Self::Special(path) => OpenOptions::new()
                .write(true)
                .open(path)
                .and_then(|mut file| file.write_all(&text)),
        };
        if let Err(error) = written {
            bail!(
                "cannot write the curve to {}: {}",
                self.name(),
                trace_core::in_words(&error.to_string())
            );
        }
        Ok(())
    }

    /// Nothing will be written: take away the file, if it is there only for us.
    pub(crate) fn give_up(self) {
        if let Self::File {
            path, made: true, ..
        } = self
        {
            // An empty file that stays does no harm.
            let _ = fs::remove_file(path);
        }
    }
}

/// `curve` as a file.
pub(crate) fn text(curve: &Curve) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(curve).expect("a curve has text for keys");
    text.push(b'\n');
    text
}

/// Whether stdout is the null device, as it is for a program whose stdout was
/// closed, too.
fn is_nowhere() -> bool {
    use std::os::unix::fs::MetadataExt;
    let null = fs::metadata("/dev/null").map(|null| null.rdev());
    let stdout = rustix::fs::fstat(std::io::stdout());
    match (null, stdout) {
        (Ok(null), Ok(stdout)) => stdout.st_rdev == null,
        _ => true,
    }
}

/// Whether stdout is a pipe that nobody reads any more.
fn has_hung_up() -> bool {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let stdout = std::io::stdout();
    let mut fds = [PollFd::new(&stdout, PollFlags::empty())];
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    poll(&mut fds, Some(&now)).is_ok() && fds[0].revents().contains(PollFlags::ERR)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve() -> Curve {
        Curve::parse("c", r#"{"version":1,"duration_ms":1,"models":[]}"#).unwrap()
    }

    #[test]
    fn a_file_keeps_what_it_holds_until_there_is_a_curve() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.json");
        fs::write(&path, "x".repeat(1_000)).unwrap();
        let mut outlet = Outlet::open(Some(&path)).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap().len(), 1_000);
        outlet.write(&curve()).unwrap();
        outlet.write(&curve()).unwrap();
        assert_eq!(fs::read(&path).unwrap(), text(&curve()));
        outlet.give_up();
        assert!(path.exists());
    }

    #[test]
    fn a_file_that_was_not_there_goes_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.json");
        let outlet = Outlet::open(Some(&path)).unwrap();
        assert!(path.exists());
        outlet.give_up();
        assert!(!path.exists());
    }

    #[test]
    fn what_cannot_be_written_is_said_at_once() {
        let folder = tempfile::tempdir().unwrap();
        for bad in [
            folder.path().to_owned(),
            folder.path().join("no/such/c.json"),
        ] {
            let error = Outlet::open(Some(&bad)).unwrap_err();
            assert!(
                format!("{error:#}").starts_with("cannot write "),
                "{error:#}"
            );
        }
    }
}
