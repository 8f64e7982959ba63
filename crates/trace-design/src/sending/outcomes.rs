//! The outcomes of a run: kept in a file, and told to the board.

use crate::sending::board::Board;
use crate::shelf::Shelf;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use trace_core::Line;

/// Tries to find a name that is free.
const TRIES: u64 = 10_000;

/// A new file for outcomes, on the shelf or else among the system's temporary
/// files, and where it is. It stays when the tool ends: what was measured is
/// not thrown away.
///
/// # Errors
/// A folder that takes no files.
pub(crate) fn create(shelf: Option<&Shelf>) -> io::Result<(File, PathBuf)> {
    let mut taken = None;
    for number in 1..=TRIES {
        let created = match shelf {
            Some(shelf) => {
                let name = format!("outcomes-{number}.jsonl");
                shelf
                    .create(&name)
                    .map(|file| (file, shelf.path().join(name)))
            }
            None => {
                let name = format!("trace-design-{}-{number}.jsonl", std::process::id());
                let path = std::env::temp_dir().join(name);
                let mut options = OpenOptions::new();
                options.write(true).create_new(true).mode(0o600);
                options.open(&path).map(|file| (file, path))
            }
        };
        match created {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => taken = Some(error),
            other => return other,
        }
    }
    Err(taken.unwrap_or_else(|| io::ErrorKind::AlreadyExists.into()))
}

/// Writes outcomes to a file and tells the board of each.
pub(crate) struct Outcomes {
    file: File,
    board: Arc<Board>,
    /// The beginning of a line whose end has not come.
    begun: Vec<u8>,
}

impl Outcomes {
    /// To `file` and `board`.
    pub(crate) fn new(file: File, board: Arc<Board>) -> Self {
        Self {
            file,
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
        self.file.write_all(bytes)?;
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
        self.file.flush()
    }
}
