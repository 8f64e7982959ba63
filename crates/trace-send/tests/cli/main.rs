#![allow(clippy::unwrap_used, reason = "a test may panic")]
//! The tool as a process, against servers good and bad.

mod again; // what is tried again, what is left of an input, and parts of one
mod endpoints; // every kind of answer, and what goes before a run
mod ends; // what ends a run, and what is said of it then
mod faults; // servers that refuse, stall, cut and confuse
mod harness;
mod manners; // pipes, signals, exit codes, bad input
mod modes; // levels, rounds, rates, and what goes before a run
mod real; // a server nobody here wrote, where there is one
mod recipes; // stages from a file
mod repeat; // the same flags and seed, the same bytes
mod replay; // what is sent when, held against the mock's own record
mod resets; // connections that are torn down, ports that run out
mod searches; // the most that keeps a limit
mod secure; // https
mod sessions; // conversations with live answers
#[cfg(target_os = "linux")]
mod stamps; // what comes while the tool does not run
mod telemetry; // metrics and GPUs, while requests are sent
mod threads; // several threads that send
mod versions; // HTTP/2, unix sockets, connections of one's own
