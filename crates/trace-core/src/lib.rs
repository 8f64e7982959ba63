//! What every tool agrees on: the line, and how it is read and written.
//!
//! A trace is one JSON object per line, UTF-8: the Mooncake format, extended.
//! [`Request`] lists the fields of a request, [`Outcome`] those that tell
//! what happened to it; both stand on the same line, and fields no tool knows
//! pass through with every byte of theirs. Times are integer microseconds
//! inside ([`Micros`]) and milliseconds on the line.
//!
//! A tool is a loop from a [`Reader`] to a [`Writer`]:
//!
//! ```
//! use trace_core::{Line, Reader, Writer};
//!
//! fn keep_short(input: Reader<'_>, output: impl std::io::Write) -> Result<(), Box<dyn std::error::Error>> {
//!     let mut short = Writer::new(output);
//!     let (mut input, mut line) = (input, Line::default());
//!     while input.read(&mut line)? {
//!         if line.request.input_length < Some(512) {
//!             short.write_line(&line)?;
//!         }
//!     }
//!     Ok(short.flush()?)
//! }
//!
//! let trace = "{\"input_length\": 100, \"tag\": 1e5}\n{\"input_length\": 9000}\n";
//! let mut out = Vec::new();
//! keep_short(Reader::new("<stdin>", trace.as_bytes()), &mut out)?;
//! assert_eq!(out, b"{\"input_length\": 100, \"tag\": 1e5}\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! There is no network here. The `cli` feature adds what the tools share at
//! the shell; the `clock` feature a timer finer than a millisecond, and
//! connections that know when their bytes came; the `answers` feature reads
//! what LLM servers answer.

pub mod ahead;
mod along;
#[cfg(feature = "answers")]
pub mod answer;
pub mod block;
mod chunk;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "clock")]
pub mod clock;
pub mod cursor;
pub mod date;
mod decode;
#[cfg(feature = "clock")]
pub mod descriptors;
pub mod digits;
mod error;
mod field;
mod line;
mod lines;
#[cfg(feature = "cli")]
mod manual;
mod outcome;
pub mod quantile;
mod reader;
mod record;
mod register;
pub mod say;
mod scan;
pub mod seed;
mod source;
#[cfg(feature = "clock")]
pub mod tcp;
pub mod time;
pub mod verdict;
mod whole_file;
mod writer;

pub use block::{BLOCK_TOKENS, BlockTable, blocks_of, shared_prefix};
pub use chunk::MAX_LINE_BYTES;
pub use error::{Error, LineError, in_words};
pub use field::Field;
pub use line::Line;
pub use lines::Lines;
pub use outcome::{ErrorKind, Failure, Outcome, TokenSource};
pub use reader::Reader;
pub use record::{Request, SessionId, push_integers, push_string};
pub use seed::{Random, Streams};
pub use source::Source;
pub use time::{Micros, parse_duration};
pub use whole_file::WholeFile;
pub use writer::Writer;
