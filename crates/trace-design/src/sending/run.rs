//! One run: its threads, its state, its end.

use crate::reply::Refusal;
use crate::sending::board::Board;
use crate::sending::outcomes::{Kept, Outcomes};
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::BufReader;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use tokio::sync::watch;
use trace_core::{Micros, Reader, cli};
use trace_send::Reins;
use trace_synth::curve_file::Curve;
use trace_synth::{Requests, Row};

/// How a run ended.
#[derive(Clone, Debug)]
pub(crate) enum State {
    /// It has not.
    Running,
    /// All was sent, or it was stopped.
    Ended(Value),
    /// It could not be done, or not to its end.
    Failed(String, Value),
}

/// One run.
pub(crate) struct Run {
    /// Its number.
    pub id: u64,
    /// Where its requests go.
    pub url: String,
    /// What timestamps are divided by.
    pub speed: f64,
    /// What is sent.
    pub curve: Curve,
    /// Its outcomes.
    pub kept: Kept,
    /// What is known of it.
    pub board: Arc<Board>,
    /// How it ended.
    pub state: watch::Sender<State>,
    /// Pictures that were drawn, by their names.
    pub plots: Mutex<HashMap<String, Bytes>>,
    reins: Reins,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What a run is made of.
pub(crate) struct Plan {
    /// Its number.
    pub id: u64,
    /// What would be typed.
    pub args: trace_send::Args,
    /// The design.
    pub curve: Curve,
    /// The design's requests.
    pub trace: Box<dyn Requests>,
    /// What every request is sent as, instead of the drawn model.
    pub model: Option<String>,
    /// Where outcomes go.
    pub kept: Kept,
}

impl Run {
    /// Begin.
    ///
    /// # Errors
    /// 500 if the system has no more threads or pipes.
    pub(crate) fn start(plan: Plan) -> Result<Arc<Self>, Refusal> {
        let Plan {
            id,
            args,
            curve,
            trace,
            model,
            kept,
        } = plan;
        let names = curve.models.iter().map(|model| model.name.clone());
        let span = Micros::from_millis(curve.duration_ms / args.load.speed).unwrap_or(Micros::MAX);
        let board = Arc::new(Board::new(names.collect(), span));
        let run = Arc::new(Self {
            id,
            url: args.server.url.clone().unwrap_or_default(),
            speed: args.load.speed,
            curve,
            kept: kept.clone(),
            reins: Reins::new(Arc::clone(&board) as _),
            board: Arc::clone(&board),
            state: watch::channel(State::Running).0,
            plots: Mutex::default(),
            thread: Mutex::default(),
        });
        let input = as_lines(Noting {
            trace,
            model,
            board: Arc::clone(&board),
        })?;
        let output = Outcomes::new(kept, board);
        let itself = Arc::clone(&run);
        let spawned = thread::Builder::new().name("send".into()).spawn(move || {
            let sent = trace_send::run_with(&args, input, output, Some(&itself.reins));
            itself.end(sent);
        });
        let thread = spawned.map_err(Refusal::failed)?;
        *run.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(run)
    }

    /// Whether it goes on.
    pub(crate) fn is_running(&self) -> bool {
        matches!(*self.state.borrow(), State::Running)
    }

    /// What ^C does to trace-send.
    pub(crate) fn stop(&self) {
        self.reins.stop();
    }

    /// Wait until its outcomes are written.
    pub(crate) fn join(&self) {
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            // It says how it went by its state.
            let _ = thread.join();
        }
    }

    /// What is known of it, for a page that was not there.
    pub(crate) fn show(&self) -> Value {
        let (state, summary, error) = match &*self.state.borrow() {
            State::Running => ("running", Value::Null, Value::Null),
            State::Ended(summary) => ("ended", summary.clone(), Value::Null),
            State::Failed(error, summary) => ("failed", summary.clone(), json!(error)),
        };
        json!({
            "id": self.id.to_string(),
            "url": self.url,
            "speed": self.speed,
            "duration_ms": self.curve.duration_ms,
            "outcomes": self.kept.path,
            "state": state,
            "summary": summary,
            "error": error,
            "progress": self.board.progress(),
        })
    }

    fn end(&self, sent: anyhow::Result<u8>) {
        let mut summary = self.board.summary();
        let state = match sent {
            Ok(code) => {
                summary["stopped"] = (code == cli::INTERRUPTED).into();
                State::Ended(summary)
            }
            Err(error) => State::Failed(format!("{error:#}"), summary),
        };
        self.state.send_replace(state);
    }
}

/// The lines of `trace`, made on a thread of their own, as they are read.
///
/// # Errors
/// 500 if the system has no more threads or pipes.
pub(crate) fn as_lines(trace: impl Requests + 'static) -> Result<Reader<'static>, Refusal> {
    let (reader, writer) = std::io::pipe().map_err(Refusal::failed)?;
    let writing = thread::Builder::new().name("make".into()).spawn(move || {
        // A reader that goes is one that has enough.
        let _ = trace_synth::write(trace, writer);
    });
    writing.map_err(Refusal::failed)?;
    Ok(Reader::new("the design", BufReader::new(reader)))
}

/// Tells the board the drawn model of each request, and names another one to
/// the server if that is wanted.
struct Noting {
    trace: Box<dyn Requests>,
    model: Option<String>,
    board: Arc<Board>,
}

impl Requests for Noting {
    fn fill(&mut self, row: &mut Row) -> bool {
        let is_one = self.trace.fill(row);
        if is_one {
            self.board
                .note(row.request.model.as_deref().unwrap_or_default());
            if self.model.is_some() {
                row.request.model.clone_from(&self.model);
            }
        }
        is_one
    }
}
