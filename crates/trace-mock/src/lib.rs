//! An LLM server that needs no GPU, and writes down what it receives.
//!
//! A client gets its tokens when `--ttft` and `--itl` or a model of an engine say, to some ten
//! microseconds; the server stamps by its own clock what left when. What a load generator
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
//! | `POST` | whose |
//! |---|---|
//! | `/v1/completions`, `/v1/chat/completions`, `/v1/responses`, `/v1/embeddings` | OpenAI's, with vLLM's additions |
//! | `/v1/messages`, `/v1/messages/count_tokens` | Anthropic's |
//! | `/generate`, `/generate_stream`, `/` | text-generation-inference's |
//! | `/api/generate`, `/api/chat`, `/api/embed`, `/api/embeddings`, `/api/show` | Ollama's |
//! | `/tokenize`, `/detokenize`, `/reset_prefix_cache`, `/v1/load_lora_adapter`, `/v1/unload_lora_adapter` | vLLM's |
//!
//! and `GET /v1/models` (Anthropic's list where a request has `anthropic-version`), `/health`,
//! `/ready`, `/version`, `/load` and `/metrics`, the last in vLLM's names, text-generation-inference's
//! `/info`, and Ollama's `/api/tags`, `/api/ps` and `/api/version`.
//! The fields that matter are the prompt (text, token ids, or an array of either: one choice each)
//! or the messages (content as text or parts), the limit of tokens, `n`, `stop`, `min_tokens`,
//! `ignore_eos`, `priority`, `stream`, `stream_options.include_usage` and `model`, by the names
//! they have in each API; others are ignored. Exactly as many tokens as the limit are answered,
//! each an event of its own, the last with `finish_reason: "length"`, unless a stop string comes
//! up or `--eos-rate` ends the answer; without a limit, `--output-tokens` of them and `"stop"`. A
//! chat's first chunk has the role and no text, and leaves with the first token.
//!
//! # Answers that are more than words
//!
//! | asked for by | answered with |
//! |---|---|
//! | `tools` and a `tool_choice` that wants a call | a call of that tool, or as many of those on offer as `--tool-calls` says, whose arguments follow their schemas; streamed token by token, but for Ollama, which gives a call in one piece |
//! | `parallel_tool_calls: false`, Anthropic's `disable_parallel_tool_use` | one call |
//! | `tools` alone | the same at the rate of `--tool-call-rate`, else words |
//! | `response_format`, a response's `text.format`, Anthropic's `output_config.format`, Ollama's `format`, vLLM's `structured_outputs` with `json` | JSON by the schema, or an object; words fill its first free string up to the limit of tokens |
//! | vLLM's `structured_outputs` with `choice` | the first of them |
//! | `logprobs`, `top_logprobs` | −0.7, −1.4, … for the likeliest tokens, of which the one that is said is the first |
//! | a completion's `echo` | the prompt before the answer, with log-probabilities too |
//! | `stream_options.continuous_usage_stats` | the usage so far in each event |
//! | `encoding_format`, `dimensions` | vectors in base64, and of that length |
//!
//! Of a schema, types, properties, items, `enum`, `const`, `anyOf`, `$ref` within it, bounds and the
//! usual formats are followed, a `pattern` is not, nor are vLLM's `regex` and `grammar`. `seed`,
//! `temperature` and the like change nothing; senseless ones are refused, as by vLLM. A response
//! repeats what was asked for, and is not kept: `previous_response_id` finds nothing. A request's
//! header `x-request-id` comes back with its answer.
//!
//! # When tokens leave
//!
//! Token k is due at arrival + ttft + k·itl, whenever the ones before it left, so long answers do
//! not drift. Or a model of an [`engine`] says when: then answers share its batches, wait for a
//! place in them, and find prompts in its cache, which their usage tells as `cached_tokens`. Answers
//! are kept there, too: a prompt that holds the answer before it, as the next turn of a chat does,
//! finds all of it but the last token, to the last full block. An answer that is not streamed
//! leaves as its last token would.
//!
//! Tokens are counted as `--tokenizer` does, of content and without a chat template; the messages
//! of a chat are counted one by one. An answer's words are one token each in o200k and cl100k.
//!
//! Pages in browsers may ask, of any origin or of those that `--allowed-origins` names, as with vLLM:
//! the question before the request is answered without a key and not recorded.
//!
//! A wrong request is answered in the shape of the API's errors: 400 for bad JSON, a missing
//! prompt, a senseless number or too many tokens, 401 without a key, 404 and 405 for another
//! path or method, 413 beyond 64 MiB, 415 for a compressed body, 503 while it starts.
//!
//! # The record
//!
//! Each request that was understood becomes one line on stdout when its answer ends or is cut:
//!
//! | field | type | meaning |
//! |---|---|---|
//! | `timestamp` | number, ms | arrival since the first request for an answer arrived, to the microsecond |
//! | `input_length` | integer | prompt tokens, counted as above, of all prompts |
//! | `output_length` | integer | tokens that were asked for, or the default |
//! | `hash_ids` | array of integers, optional | ids of the blocks of the prompt, a partial last one included; several prompts of one request are one line, and here one prompt, joined |
//! | `session_id` | string, optional | the request's header `x-session-id`, or a number for what grows from one prompt |
//! | `model` | string, optional | the model it asked for |
//! | `request_id` | string, optional | the request's header `x-request-id` |
//! | `text_input`, `messages`, `tools`, `payload` | optional | the prompt, with `--keep-text` |
//! | `arrival_unix_ms` | number, ms | arrival since 1970, to the microsecond; by the kernel, which knows however late this process runs, where it tells (Linux) |
//! | `first_byte_ms` | number, ms, optional | arrival to the first byte of the body, which a stream sends with its first token; absent if none was sent |
//! | `last_byte_ms` | number, ms, optional | arrival to the last byte of the body that was sent |
//! | `sent_tokens` | integer, optional | tokens of each choice that were sent, where that is not `output_length` |
//! | `aborted` | `true`, optional | the answer did not reach its end: the client left, the server was stopped, or a fault cut it |
//! | `fault` | string, optional | the [`Fault`] that was asked for |
//!
//! A request arrives when its head has been read, before its body. Stamps are taken just before
//! bytes are handed to the socket. The first lines wait for a tenth of a second, lest a request that came
//! before them is read after them. Lines come in the order of endings; sort by `timestamp` to
//! send them again. Requests that were refused are counted on stderr at the end, and not recorded.
//! A reader that hangs up ends the records, not the server; one that falls behind by 256 MB
//! loses lines, which the server says at its end with status 2.
//!
//! # In front of a real server
//!
//! With `--upstream` every request goes on to a server, and its answer comes back as it comes. The
//! line of a request is then an outcome too: the fields above but for `first_byte_ms`,
//! `last_byte_ms`, `sent_tokens`, `aborted` and `fault`, and those of trace-send's outcomes, from
//! `seq` to `error`, measured at the proxy. `output_length` is what came, if the answer did to its
//! end, else what was asked for. Tokens are counted by the server's usage, else by the tokenizer.
//! Prompts are counted and written down alike; no text is, without `--keep-text`. Its kinds of
//! `error` are trace-send's; an answer of another media type than the APIs have is `content`, a
//! stream without output `empty`. Nothing of a request is changed but for what HTTP has between two
//! hosts and the wish for compression, and nothing of an answer.
//!
//! What passes waits for nothing: bytes go on as they come, both ways, and what is written down of
//! them is read by another thread. On an idle machine most of what a proxy adds is the two times
//! that its thread would be woken up, for the request and for the first token, so it stays awake for
//! 100 ms after each byte: a core while there is traffic, of which it lets go for as long when
//! somebody else wants it. `--busy-poll 0` lets it sleep at once.

pub mod blind;
pub mod engine;
pub mod profile;

mod answer;
mod api;
mod args;
mod ask;
mod books;
mod catalogue;
mod chain;
mod count;
mod drip;
mod drive;
mod ear;
mod fault;
mod fit;
mod generate;
mod info;
mod journal;
mod line;
mod metrics;
mod models;
mod origin;
mod origins;
mod pace;
mod plan;
mod proxy;
mod record;
mod reply;
mod schedule;
mod schema;
mod script;
mod secure;
mod server;
mod service;
mod sessions;
mod settings;
mod speech;
mod stream;
mod turn;
mod wire;
mod words;

pub use args::{Args, EngineArgs, FaultArgs, ForwardArgs, RecordArgs};
pub use books::Tally;
pub use fault::{Fault, Faults};
pub use origins::Origins;
pub use server::{Running, start};
pub use settings::{Adapter, Forward, Identity, Model, Recording, Settings};
pub use turn::KeepAlive;

use std::io::{self, Write};

use anyhow::Context;
use trace_core::cli;

/// Serve by `args`, records on stdout, until a signal says to stop.
///
/// # Errors
///
/// When the address cannot be listened at, or records could not be written.
pub fn run(args: &Args) -> anyhow::Result<u8> {
    if let Some(path) = &args.fit {
        let yaml = fit::run(path, io::stderr())?;
        let mut stdout = cli::stdout()?;
        stdout.write_all(yaml.as_bytes())?;
        stdout.flush()?;
        return Ok(cli::DONE);
    }
    trace_core::descriptors::prepare();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    // Heard from the start: who reads that it listens may stop it at once.
    let inside = runtime.enter();
    let mut signals = Signals::new()?;
    drop(inside);
    let records = Box::new(Loud(cli::stdout()?));
    let mut server = start(&args.settings()?, Some(records)).map_err(|err| told(err, args))?;
    if args.forward.insecure {
        let words = "--insecure: whoever answers is believed to be the server";
        trace_core::say!("trace-mock: {words}");
    }
    trace_core::say!("trace-mock: listening on {}", server.url());

    runtime.block_on(async {
        tokio::select! {
            () = signals.next() => server.drain(),
            () = server.ended() => {}
        }
        tokio::select! {
            () = signals.next() => server.cut(),
            () = server.ended() => {}
        }
    });
    let tally = server.tally();
    let finished = server.finish().context("cannot write records");
    trace_core::say!("trace-mock: {tally}");
    finished.map(|_| cli::DONE)
}

/// What is said when it cannot start: where it was to listen, if that was why.
fn told(err: io::Error, args: &Args) -> anyhow::Error {
    if err.kind() == io::ErrorKind::Other || err.kind() == io::ErrorKind::InvalidInput {
        return err.into();
    }
    anyhow::Error::new(err).context(format!("cannot listen at {}:{}", args.host, args.port))
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
                trace_core::say!("trace-mock: {words}: {why}");
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
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> io::Result<Signals> {
        Ok(Signals {
            #[cfg(unix)]
            interrupt: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?,
            #[cfg(unix)]
            terminate: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?,
        })
    }

    #[cfg(unix)]
    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        // If it cannot be heard there is no other way to stop than to be killed.
        let _ = tokio::signal::ctrl_c().await;
    }
}
