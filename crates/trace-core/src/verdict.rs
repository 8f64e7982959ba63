//! Whether the numbers of a run are the server's: one rule and one wording, for
//! the tool that sends and the one that reads what was sent.

use crate::time::Micros;
use std::fmt::Display;

/// Lateness that one request in a hundred may have. Above it the run says
/// more about the client than about the server: five milliseconds are half
/// the gap between two tokens at a hundred a second.
pub const CLIENT_LIMIT: Micros = Micros::from_micros(5_000);

/// Late requests that it takes to speak of the client at all: among few
/// requests the last hundredth is one, and one late start is no verdict.
pub const LEAST_LATE: u64 = 3;

/// What to do about a client that is late, where nothing else is known.
pub const ADVICE: &str = "use a lower rate, fewer streams at once, --threads where cores are free, or several machines with --shard";

/// Whether the client was late: `late` requests left later than
/// [`CLIENT_LIMIT`], `p99` is the 99th percentile of lateness.
pub fn is_late(late: u64, p99: Micros) -> bool {
    late >= LEAST_LATE && p99 > CLIENT_LIMIT
}

/// The verdict on a client that was late, with the 99th percentile of its
/// lateness in milliseconds and what to do.
pub fn late(p99: impl Display, advice: &str) -> String {
    format!(
        "client-limited: p99 lateness {p99} ms is above {CLIENT_LIMIT} ms, so these are not the server's numbers alone; {advice}"
    )
}
