//! An LLM server that needs no GPU, and writes down what it receives.
//!
//! A client of OpenAI's completions or chat gets its tokens when `--ttft` and `--itl` say, to some
//! ten microseconds; the server stamps by its own clock what left when. What a load generator
//! reports can so be held against the truth:
//!
//! ```text
//! trace-mock --ttft 50ms --itl 10ms > seen.jsonl &
//! trace-send --url http://127.0.0.1:8000/v1/completions trace.jsonl > outcomes.jsonl
//! kill %1
//! ```
//!
//! or, within one process,
//!
//! ```
//! use trace_mock::{Settings, start};
//!
//! let server = start(&Settings::default(), None)?; // on a thread of its own, on a free port
//! println!("{}/v1/completions", server.url());
//! assert_eq!(server.requests_seen(), 0);
//! drop(server); // ends it
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Endpoints
//!
//! `POST /v1/completions` and `/v1/chat/completions`, streamed or whole, `GET /v1/models` and
//! `/health`. The fields that matter are `prompt` (text, token ids, or an array of either: one
//! choice each) or `messages` (content as text or parts), `max_tokens` or `max_completion_tokens`,
//! `n`, `stream`, `stream_options.include_usage` and `model`; others are ignored. Exactly
//! `max_tokens` tokens are answered, each an event of its own, the last with
//! `finish_reason: "length"`; without a limit, `--output-tokens` of them and `"stop"`. A chat's
//! first chunk has the role and no text, and leaves with the first token. Token k is due at
//! arrival + ttft + k·itl, whenever the ones before it left, so long answers do not drift.
//! An answer that is not streamed leaves as its last token would.
//!
//! Tokens of a prompt are counted as whitespace-separated words of text, or as the number of token
//! ids. An answer's words are one token each in the vocabularies o200k and cl100k.
//!
//! A wrong request is answered in OpenAI's shape of errors: 400 for bad JSON, a missing prompt or
//! a senseless number, 404 and 405 for another path or method, 413 beyond 64 MiB.
//!
//! # The record
//!
//! Each request that was understood becomes one line on stdout when its answer ends or is cut:
//!
//! | field | type | meaning |
//! |---|---|---|
//! | `timestamp` | number, ms | arrival since the first request to either endpoint arrived, to the microsecond |
//! | `input_length` | integer | prompt tokens, counted as above |
//! | `output_length` | integer | tokens that were asked for, or the default |
//! | `session_id` | string, optional | the request's header `x-session-id` |
//! | `model` | string, optional | the model it asked for |
//! | `request_id` | string, optional | the request's header `x-request-id` |
//! | `arrival_unix_ms` | number, ms | arrival since 1970, to the microsecond |
//! | `first_byte_ms` | number, ms, optional | arrival to the first byte of the body, which a stream sends with its first token; absent if none was sent |
//! | `last_byte_ms` | number, ms, optional | arrival to the last byte of the body that was sent |
//! | `sent_tokens` | integer, optional | tokens of each choice that were sent, where that is not `output_length` |
//! | `aborted` | `true`, optional | the answer did not reach its end: the client left, the server was stopped, or a fault cut it |
//! | `fault` | string, optional | the [`Fault`] that was asked for |
//!
//! A request arrives when its head has been read, before its body. Stamps are taken just before
//! bytes are handed to the socket. Lines come in the order of endings; sort by `timestamp` to
//! send them again. Requests that were refused are counted on stderr at the end, and not recorded.
//! A reader that hangs up ends the records, not the server; one that falls behind by 256 MB
//! loses lines, which the server says at its end with status 2.

pub mod engine;

mod answer;
mod args;
mod ask;
mod fault;
mod journal;
mod record;
mod schedule;
mod server;
mod service;
mod settings;
mod wire;

pub use args::Args;
pub use fault::Fault;
pub use record::Tally;
pub use server::{Running, start};
pub use settings::Settings;

use std::io::{self, Write};

use anyhow::Context;
use trace_core::cli;

/// Serve by `args`, records on stdout, until a signal says to stop.
///
/// # Errors
///
/// When the address cannot be listened at, or records could not be written.
pub fn run(args: &Args) -> anyhow::Result<u8> {
    allow_many_files();
    let records = Box::new(Loud(cli::stdout()?));
    let mut server = start(&Settings::from(args), Some(records))
        .with_context(|| format!("cannot listen at {}:{}", args.host, args.port))?;
    let mut stderr = io::stderr();
    // A closed stderr leaves nobody to tell.
    let _ = writeln!(stderr, "trace-mock: listening on {}", server.url());

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut signals = Signals::new()?;
        tokio::select! {
            () = signals.next() => server.drain(),
            () = server.ended() => {}
        }
        tokio::select! {
            () = signals.next() => server.cut(),
            () = server.ended() => {}
        }
        io::Result::Ok(())
    })?;
    let tally = server.tally();
    let finished = server.finish().context("cannot write records");
    let _ = writeln!(stderr, "trace-mock: {tally}");
    finished.map(|_| cli::DONE)
}

/// A writer whose failure is told at once: the server goes on without it, maybe for hours.
struct Loud<W>(W);

impl<W: Write> Loud<W> {
    fn told<T>(result: io::Result<T>) -> io::Result<T> {
        result.inspect_err(|err| {
            let passing = [io::ErrorKind::BrokenPipe, io::ErrorKind::Interrupted];
            if !passing.contains(&err.kind()) {
                let words = "cannot write records, and goes on without";
                let why = trace_core::in_words(err);
                let _ = writeln!(io::stderr(), "trace-mock: {words}: {why}");
            }
        })
    }
}

impl<W: Write> Write for Loud<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Self::told(self.0.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Self::told(self.0.flush())
    }
}

/// The wish of a user or a supervisor to stop.
struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> io::Result<Signals> {
        Ok(Signals {
            #[cfg(unix)]
            terminate: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?,
        })
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = self.terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        // If it cannot be heard there is no other way to stop than to be killed.
        let _ = tokio::signal::ctrl_c().await;
    }
}

/// Raise the limit of open files as far as allowed: every connection is one.
#[cfg(unix)]
fn allow_many_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};

    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // If it is refused, the old limit serves fewer.
    let _ = setrlimit(Resource::Nofile, limit);
}

#[cfg(not(unix))]
fn allow_many_files() {}
