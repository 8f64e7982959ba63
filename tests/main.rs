//! What only several tools together can show.
//!
//! | module | what it holds the tools to |
//! |---|---|
//! | [`harness`] | real processes, real pipes; a failure prints commands, streams, statuses and files |
//! | [`pipes`] | what one tool writes the next one reads, from a pipe as from a file |
//! | [`end_to_end`] | a trace sent over HTTP: client, statistics and server tell the same story |
//! | [`agreement`] | who asks a server and who stands before it say the same of odd answers |
//! | [`failures`] | what goes wrong is data: a request that fails has its line |
//! | [`interrupts`] | ^C loses nothing: what was sent has its line |
//! | [`recording`] | what is recorded of a replay is what was replayed |
//! | [`schemas`] | the schemas name the fields of the code, and what tools write validates |
//! | [`turns`] | a conversation finds its answers in the prefix cache of the engine |
//! | [`broken_pipe`] | a reader that hangs up ends a tool in silence and success |
//! | [`bad_input`] | a bad line is one clear message, status 2, and nothing before it is lost |
//! | [`examples`] | every example of `--help` and the README works when it is pasted |
//! | [`extremes`] | a number at the end of its range is a number: no tool panics over it |
//! | [`help`] | every tool explains itself, and the same idea has the same flag in all of them |
//! | [`cluster`] | what the jobs for a cluster run in their pods runs here, too |
//!
//! `data/` has hand-sized traces, each named for what it shows.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
// Pipes, signals and statuses as Unix has them.
#![cfg(unix)]

mod agreement;
mod bad_input;
mod broken_pipe;
mod cluster;
mod end_to_end;
mod examples;
mod extremes;
mod failures;
mod harness;
mod help;
mod interrupts;
mod pipes;
mod recording;
mod schemas;
mod turns;
