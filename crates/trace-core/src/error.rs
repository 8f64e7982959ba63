//! What can go wrong while reading a trace, and where it did.

use std::io;
use std::sync::Arc;

/// A line that is not what it should be, and where it is.
///
/// Prints as `name:line:column: reason`, one line, ready for stderr.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}:{line}:{column}: {reason}")]
pub struct LineError {
    /// File name, or `<stdin>`.
    pub name: Arc<str>,
    /// Line number, from 1.
    pub line: u64,
    /// Byte column in the line, from 1.
    pub column: usize,
    /// What is wrong there, and what was expected.
    pub reason: String,
}

/// What stops a [`Reader`](crate::Reader).
///
/// The reason of an I/O error is its source, not part of its text: print the
/// chain, as anyhow's `{:#}` does.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A line that cannot be read as a request; the next line can still be tried.
    #[error(transparent)]
    Line(#[from] LineError),
    /// A file that cannot be opened.
    #[error("cannot open {name}")]
    Open {
        /// The path as it was given.
        name: Arc<str>,
        /// Why not.
        source: io::Error,
    },
    /// A file that opened and then could not be read on: a dead disk, a
    /// truncated gzip stream.
    #[error("{name}:{line}: cannot read on")]
    Read {
        /// File name, or `<stdin>`.
        name: Arc<str>,
        /// The line that could not be completed, from 1.
        line: u64,
        /// Why not.
        source: io::Error,
    },
}

/// What a system error says, without Rust's `(os error 2)` behind it.
///
/// Takes any error or whole message: every such mark in it is left out. It is
/// one line, and nothing that a terminal obeys: control characters, which names
/// and traces may hold, are shown as U+FFFD.
pub fn in_words(error: &impl std::fmt::Display) -> String {
    let mut words = error.to_string();
    while let Some(start) = words.find(" (os error ") {
        let length = words[start..]
            .find(')')
            .map_or(words.len() - start, |at| at + 1);
        words.replace_range(start..start + length, "");
    }
    words.replace(char::is_control, "\u{fffd}")
}

/// What is wrong inside one line, before its file and number are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flaw {
    /// Byte column, from 1.
    pub(crate) column: usize,
    pub(crate) reason: String,
}

impl Flaw {
    pub(crate) fn new(column: usize, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { column, reason }
    }

    /// A serde_json error about a value that starts `offset` bytes into the line.
    pub(crate) fn from_json(error: &serde_json::Error, offset: usize) -> Self {
        let text = error.to_string();
        let reason = text.split(" at line ").next().unwrap_or(&text);
        Self::new(offset + error.column().max(1), reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_left_out_of_errors() {
        let text = "cannot write x: No space left on device (os error 28)";
        assert_eq!(in_words(&text), "cannot write x: No space left on device");
        let missing = std::fs::read("no/such/file").unwrap_err();
        assert_eq!(in_words(&missing), "No such file or directory");
    }

    #[test]
    fn control_characters_of_a_name_do_not_reach_the_terminal() {
        let text = "cannot open a\nb\u{1b}[31m.jsonl";
        assert_eq!(in_words(&text), "cannot open a\u{fffd}b\u{fffd}[31m.jsonl");
    }
}
