//! What only the process can show.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod check;
