//! What only the process can show: the page's server, asked as a page asks it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod check;
mod design;
mod done;
mod exchange;
mod files;
mod generate;
mod guard;
mod harness;
mod send;
