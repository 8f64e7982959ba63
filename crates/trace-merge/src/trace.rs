//! One input as a merge sees it: lines with their times.

use crate::edit::Edit;
use crate::input::Input;
use crate::lines::Lines;
use crate::members::{self, Members};
use crate::merge::Feed;
use trace_core::{Error, Line, LineError, Micros};

/// How a trace is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// A time before the last one is an error.
    Sorted,
    /// Any order is right.
    Any,
}

/// The lines of one input, changed as they are to be.
pub(crate) struct Trace<'a> {
    lines: Lines<'a>,
    edit: Edit,
    order: Order,
    skip_invalid: bool,
    members: Members,
    /// The time of the current line, as the input has it.
    last: Micros,
    /// The latest so far.
    latest: Micros,
    spelled: Vec<u8>,
    /// What is to be said when it has been read.
    pub(crate) notes: Notes,
}

/// What happened on the way, for one line on stderr.
#[derive(Debug, Clone, Default)]
pub(crate) struct Notes {
    pub(crate) skipped: u64,
    pub(crate) first_skipped: Option<LineError>,
    /// Lines that came before the time of an earlier line.
    pub(crate) misplaced: u64,
}

impl Notes {
    /// Take in those of another input.
    pub(crate) fn add(&mut self, other: &Self) {
        self.skipped += other.skipped;
        self.misplaced += other.misplaced;
        if self.first_skipped.is_none() {
            self.first_skipped.clone_from(&other.first_skipped);
        }
    }

    /// Say on stderr what was left out or put in order.
    pub(crate) fn report(&self) {
        if let Some(first) = &self.first_skipped {
            let skipped = self.skipped;
            trace_core::say!("trace-merge: skipped {skipped} invalid lines, the first: {first}");
        }
        if self.misplaced > 0 {
            let misplaced = self.misplaced;
            trace_core::say!("trace-merge: sorted: {misplaced} lines came before their time");
        }
    }
}

impl<'a> Trace<'a> {
    /// Open `input` as one of `count` that are open together.
    ///
    /// # Errors
    /// [`Error::Open`].
    pub(crate) fn open(
        input: Input<'a>,
        edit: Edit,
        order: Order,
        skip_invalid: bool,
        count: usize,
    ) -> Result<Self, Error> {
        Ok(Self {
            lines: input.open(count)?,
            edit,
            order,
            skip_invalid,
            members: Members::default(),
            last: Micros::ZERO,
            latest: Micros::ZERO,
            spelled: Vec::new(),
            notes: Notes::default(),
        })
    }

    /// Go to the next line, and tell when it arrives; a line without a time
    /// arrives with the one before it.
    ///
    /// # Errors
    /// What is wrong with the line or the file.
    pub(crate) fn read(&mut self) -> Result<Option<Micros>, Error> {
        loop {
            match self.try_read() {
                Err(Error::Line(error)) if self.skip_invalid => {
                    self.notes.skipped += 1;
                    self.notes.first_skipped.get_or_insert(error);
                }
                read => return read,
            }
        }
    }

    fn try_read(&mut self) -> Result<Option<Micros>, Error> {
        if !self.lines.advance()? {
            return Ok(None);
        }
        let line = self.lines.line();
        if !self.members.quick(line, self.edit.labels()) {
            let (name, number) = (self.lines.name(), self.lines.number());
            self.members
                .thorough(name, number, line, self.edit.labels())?;
        }
        let time = self.members.time.unwrap_or(self.last);
        if time < self.latest {
            if self.order == Order::Sorted {
                let latest = self.latest;
                return Err(self.wrong(format!(
                    "not sorted: timestamp {time} after {latest}; sort the trace first, or say --sort"
                )));
            }
            self.notes.misplaced += 1;
        }
        let moved = self.edit.time(time).map_err(|reason| self.wrong(reason))?;
        self.last = time;
        self.latest = self.latest.max(time);
        Ok(Some(moved))
    }

    /// The current line as it is to be written.
    ///
    /// # Errors
    /// An id that cannot be moved into its namespace.
    pub(crate) fn spelled(&mut self) -> Result<&[u8], Error> {
        if self.edit.is_none() {
            return Ok(self.lines.line());
        }
        self.spelled.clear();
        self.edit
            .apply(self.lines.line(), &self.members, &mut self.spelled)
            .map_err(|reason| self.wrong(reason))?;
        Ok(&self.spelled)
    }

    /// The current line, decoded, before any change.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn line(&self) -> Result<Line, LineError> {
        members::parse(self.lines.name(), self.lines.number(), self.lines.line())
    }

    /// An error about the current line.
    pub(crate) fn wrong(&self, reason: impl Into<String>) -> Error {
        Error::Line(LineError {
            name: self.lines.name().clone(),
            line: self.lines.number(),
            column: 1,
            reason: reason.into(),
        })
    }
}

impl Feed<1> for Trace<'_> {
    fn advance(&mut self) -> anyhow::Result<Option<[u64; 1]>> {
        Ok(self.read()?.map(|time| [time.as_micros()]))
    }

    fn line(&mut self) -> anyhow::Result<&[u8]> {
        Ok(self.spelled()?)
    }
}
