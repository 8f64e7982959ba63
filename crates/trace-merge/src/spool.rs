//! Sorted runs of lines, waiting in one temporary file.
//!
//! The file has no name from the start, so that nothing is left of it however
//! the process ends; and it is one file for all runs, so that their number is
//! not limited by that of open files. It lies where `TMPDIR` says, else in
//! `/tmp`.

use crate::merge::{Feed, merge};
use anyhow::Context;
use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use trace_core::MAX_LINE_BYTES;

/// Memory that the buffers of all runs share while they are merged.
const BUFFERS_BYTES: usize = 64 << 20;

/// Where the runs are collected.
pub(crate) struct Spool<const N: usize> {
    file: Option<BufWriter<File>>,
    written: u64,
    runs: Vec<Range<u64>>,
}

impl<const N: usize> Default for Spool<N> {
    fn default() -> Self {
        Self {
            file: None,
            written: 0,
            runs: Vec::new(),
        }
    }
}

impl<const N: usize> Spool<N> {
    /// Whether no run was begun.
    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Begin a run: what is pushed from here on is in order.
    pub(crate) fn begin(&mut self) {
        self.runs.push(self.written..self.written);
    }

    /// Put a line at the end of the last run.
    ///
    /// # Errors
    /// When the temporary file cannot be made or written.
    pub(crate) fn push(&mut self, key: [u64; N], line: &[u8]) -> anyhow::Result<()> {
        if self.runs.is_empty() {
            self.begin();
        }
        self.write(key, line).with_context(|| {
            let folder = std::env::temp_dir();
            format!(
                "cannot write a temporary file in {} (TMPDIR says where)",
                folder.display()
            )
        })
    }

    fn write(&mut self, key: [u64; N], line: &[u8]) -> std::io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(BufWriter::with_capacity(1 << 20, tempfile::tempfile()?)),
        };
        for part in key {
            file.write_all(&part.to_le_bytes())?;
        }
        file.write_all(&(line.len() as u64).to_le_bytes())?;
        file.write_all(line)?;
        self.written += (8 * (N + 1) + line.len()) as u64;
        if let Some(run) = self.runs.last_mut() {
            run.end = self.written;
        }
        Ok(())
    }

    /// Give `sink` the lines of all runs in order; of equal keys the one of
    /// the earlier run comes first.
    ///
    /// # Errors
    /// When the temporary file cannot be read, and what the sink gives.
    pub(crate) fn drain(
        self,
        sink: impl FnMut([u64; N], &[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let Some(file) = self.file else {
            return Ok(());
        };
        let file = file
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error);
        let file = file.context("cannot write a temporary file")?;
        let capacity = (BUFFERS_BYTES / self.runs.len()).clamp(16 << 10, 1 << 20);
        let mut runs: Vec<Run<'_, N>> = self
            .runs
            .into_iter()
            .map(|rest| Run::new(&file, rest, capacity))
            .collect();
        merge(&mut runs, sink)
    }
}

/// One run, read through a buffer of its own.
struct Run<'a, const N: usize> {
    file: &'a File,
    /// What is still in the file.
    rest: Range<u64>,
    buffer: Vec<u8>,
    capacity: usize,
    next: usize,
    line: Range<usize>,
}

impl<'a, const N: usize> Run<'a, N> {
    fn new(file: &'a File, rest: Range<u64>, capacity: usize) -> Self {
        Self {
            file,
            rest,
            buffer: Vec::new(),
            capacity,
            next: 0,
            line: 0..0,
        }
    }

    /// Have `bytes` bytes in the buffer from `next` on; `false` when the run
    /// ends before.
    fn have(&mut self, bytes: usize) -> std::io::Result<bool> {
        if self.buffer.len() - self.next >= bytes {
            return Ok(true);
        }
        self.buffer.drain(..self.next);
        self.next = 0;
        let wanted = bytes.max(self.capacity) - self.buffer.len();
        let take = (self.rest.end - self.rest.start).min(wanted as u64);
        // All runs share the file and its position.
        let mut file = self.file;
        file.seek(SeekFrom::Start(self.rest.start))?;
        let read = file.take(take).read_to_end(&mut self.buffer)?;
        self.rest.start += read as u64;
        Ok(self.buffer.len() >= bytes)
    }

    fn number(&mut self) -> u64 {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.buffer[self.next..self.next + 8]);
        self.next += 8;
        u64::from_le_bytes(bytes)
    }

    fn read(&mut self) -> std::io::Result<Option<[u64; N]>> {
        if !self.have(8 * (N + 1))? {
            return Ok(None);
        }
        let key = std::array::from_fn(|_| self.number());
        let length = self.number() as usize;
        // Twice the longest line leaves room for what was put into it.
        if length > 8 * MAX_LINE_BYTES || !self.have(length)? {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        self.line = self.next..self.next + length;
        self.next += length;
        Ok(Some(key))
    }
}

impl<const N: usize> Feed<N> for Run<'_, N> {
    fn advance(&mut self) -> anyhow::Result<Option<[u64; N]>> {
        self.read().context("cannot read a temporary file")
    }

    fn line(&mut self) -> anyhow::Result<&[u8]> {
        Ok(&self.buffer[self.line.clone()])
    }
}
