//! The outcomes of a run: kept in a file, and told to the board.

use crate::sending::board::Board;
use crate::shelf::Shelf;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;
use trace_core::Line;

/// Tries to find a name that is free.
const TRIES: u64 = 10_000;

/// A file of outcomes: written once, read from its beginning by any number.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    file: Arc<File>,
    /// Where it is; nowhere if it goes with the tool.
    pub path: Option<PathBuf>,
}

impl Kept {
    /// A new one: on the shelf, where it stays, or else a temporary file
    /// without a name, of which nothing is left however the tool ends.
    ///
    /// # Errors
    /// A folder that takes no files.
    pub(crate) fn create(shelf: Option<&Shelf>) -> io::Result<Self> {
        let Some(shelf) = shelf else {
            return Ok(Self {
                file: Arc::new(tempfile::tempfile()?),
                path: None,
            });
        };
        let mut taken = None;
        for number in 1..=TRIES {
            let name = format!("outcomes-{number}.jsonl");
            match shelf.create(&name) {
                Ok(file) => {
                    return Ok(Self {
                        file: Arc::new(file),
                        path: Some(shelf.path().join(name)),
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => taken = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(taken.unwrap_or_else(|| io::ErrorKind::AlreadyExists.into()))
    }

    /// All of it so far, whoever else writes or reads it.
    pub(crate) fn reader(&self) -> impl Read + use<> {
        FromStart {
            file: Arc::clone(&self.file),
            at: 0,
        }
    }
}

/// Reads a file at a place of its own.
struct FromStart {
    file: Arc<File>,
    at: u64,
}

impl Read for FromStart {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read_at(bytes, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

/// Writes outcomes to a file and tells the board of each.
pub(crate) struct Outcomes {
    kept: Kept,
    board: Arc<Board>,
    /// The beginning of a line whose end has not come.
    begun: Vec<u8>,
}

impl Outcomes {
    /// To `kept` and `board`.
    pub(crate) fn new(kept: Kept, board: Arc<Board>) -> Self {
        Self {
            kept,
            board,
            begun: Vec::new(),
        }
    }

    fn tell(&self, line: &[u8]) {
        // A line of our own that cannot be read would be a line less on the
        // chart, while the file has it.
        let outcome = std::str::from_utf8(line)
            .ok()
            .and_then(|text| Line::parse("outcomes", text).ok())
            .and_then(|line| line.outcome().ok().flatten());
        if let Some(outcome) = outcome {
            self.board.ended(&outcome);
        }
    }
}

impl Write for Outcomes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (&*self.kept.file).write_all(bytes)?;
        let mut lines = bytes.split(|&byte| byte == b'\n');
        let last = lines.next_back().unwrap_or_default();
        for line in lines {
            let mut whole = std::mem::take(&mut self.begun);
            whole.extend_from_slice(line);
            self.tell(&whole);
        }
        self.begun.extend_from_slice(last);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        (&*self.kept.file).flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_from_its_beginning() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::open(folder.path()).unwrap();
        for shelf in [None, Some(&shelf), Some(&shelf)] {
            let kept = Kept::create(shelf).unwrap();
            assert_eq!(kept.path.is_some(), shelf.is_some());
            for text in ["one", "two"] {
                (&*kept.file).write_all(text.as_bytes()).unwrap();
                let mut seen = String::new();
                kept.reader().read_to_string(&mut seen).unwrap();
                assert!(seen.starts_with("one") && seen.ends_with(text), "{seen}");
            }
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
