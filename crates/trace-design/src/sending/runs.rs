//! The runs of this server: one at a time, the last ones remembered.

use crate::app::App;
use crate::body;
use crate::design;
use crate::generate::Detail;
use crate::reply::{self, Refusal, Reply};
use crate::sending::outcomes::Kept;
use crate::sending::run::{Plan, Run};
use crate::sending::wish::Wish;
use bytes::Bytes;
use hyper::StatusCode;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::mpsc;

/// Runs that are remembered.
const MOST_RUNS: usize = 8;

/// The runs of this server.
#[derive(Default)]
pub(crate) struct Runs(Mutex<VecDeque<Arc<Run>>>);

impl Runs {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Arc<Run>>> {
        // A list is whole at every moment.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The run with this number.
    ///
    /// # Errors
    /// 404.
    pub(crate) fn get(&self, id: &str) -> Result<Arc<Run>, Refusal> {
        let number = id.parse::<u64>().ok();
        let runs = self.lock();
        let found = runs.iter().find(|run| Some(run.id) == number);
        found
            .cloned()
            .ok_or_else(|| Refusal::missing(format_args!("there is no run {id}")))
    }

    /// Stop what goes on; the second time what is in flight is given up.
    pub(crate) fn stop(&self) {
        for run in self.lock().iter().filter(|run| run.is_running()) {
            run.stop();
        }
    }

    /// Stop what goes on, and wait until its outcomes are written.
    pub(crate) fn finish(&self) {
        self.stop();
        let runs: Vec<_> = self.lock().iter().cloned().collect();
        runs.iter().for_each(|run| run.join());
    }
}

/// Send what `body` asks for. Gives the number of the run.
///
/// # Errors
/// 400 for what cannot be sent, 409 while another run goes on.
pub(crate) async fn send(app: &Arc<App>, body: Bytes) -> Result<Reply, Refusal> {
    let shared = Arc::clone(app);
    let begun = tokio::task::spawn_blocking(move || begin(&shared, &body));
    let id = begun.await.map_err(Refusal::failed)??;
    Ok(reply::json(&json!({ "id": id })))
}

fn begin(app: &App, body: &[u8]) -> Result<String, Refusal> {
    let wish: Wish<'_> = body::parse(body)?;
    let args = wish.args(!app.guard.guards_page())?;
    let curve = design::curve(wish.design)?;
    let trace = app.generator.requests(&curve, Detail::Whole)?;
    let mut runs = app.runs.lock();
    if let Some(run) = runs.iter().find(|run| run.is_running()) {
        let mut refusal = Refusal::new(
            StatusCode::CONFLICT,
            "a run is under way; stop it first, or neither would keep its times",
        );
        refusal.body["id"] = json!(run.id.to_string());
        return Err(refusal);
    }
    let kept = Kept::create(app.shelf.as_ref()).map_err(|error| {
        Refusal::failed(format_args!("cannot create a file for outcomes: {error}"))
    })?;
    let id = runs.back().map_or(1, |run| run.id + 1);
    let plan = Plan {
        id,
        args,
        curve,
        trace,
        model: wish.model().map(str::to_owned),
        kept,
    };
    let run = Run::start(plan)?;
    let place = match &run.kept.path {
        Some(path) => format!("go to {}", path.display()),
        None => "are gone when this ends unless the page downloads them; --dir DIR keeps them"
            .to_owned(),
    };
    trace_core::say!(
        "trace-design: run {id} sends to {} at speed {}; its outcomes {place}",
        wish.url,
        wish.speed(),
    );
    runs.push_back(run);
    if runs.len() > MOST_RUNS {
        runs.pop_front();
    }
    Ok(id.to_string())
}

/// All runs that are remembered, the newest last.
pub(crate) fn list(app: &App) -> Reply {
    let runs: Vec<Value> = app.runs.lock().iter().map(|run| run.show()).collect();
    reply::json(&json!({ "runs": runs }))
}

/// The run `id`, as it is now.
///
/// # Errors
/// 404.
pub(crate) fn show(app: &App, id: &str) -> Result<Reply, Refusal> {
    Ok(reply::json(&app.runs.get(id)?.show()))
}

/// Stop the run `id`: nothing more is sent; the second time what is in flight
/// is given up.
///
/// # Errors
/// 404.
pub(crate) fn stop(app: &App, id: &str) -> Result<Reply, Refusal> {
    let run = app.runs.get(id)?;
    if run.is_running() {
        run.stop();
    }
    Ok(reply::json(&json!({ "running": run.is_running() })))
}

/// The outcomes of the run `id` so far, as a file.
///
/// # Errors
/// 404.
pub(crate) fn download(app: &App, id: &str) -> Result<Reply, Refusal> {
    let run = app.runs.get(id)?;
    let (sender, pieces) = mpsc::channel(4);
    tokio::task::spawn_blocking(move || pour(run.kept.reader(), &sender));
    let reply = reply::pieces("application/x-ndjson", pieces);
    Ok(reply::download(reply, &format!("outcomes-{id}.jsonl")))
}

/// Send all that `file` reads, as fast as it is taken.
fn pour(mut file: impl Read, sender: &mpsc::Sender<io::Result<Bytes>>) {
    const PIECE: u64 = 1 << 16;
    loop {
        let mut piece = Vec::with_capacity(PIECE as usize);
        let read = Read::by_ref(&mut file).take(PIECE).read_to_end(&mut piece);
        let last = !matches!(read, Ok(count) if count > 0);
        if let Ok(0) = read {
            return;
        }
        if sender.blocking_send(read.map(|_| piece.into())).is_err() || last {
            return;
        }
    }
}
