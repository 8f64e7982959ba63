//! A run as it goes on: server-sent events, for any tab that listens.

use crate::app::App;
use crate::reply::{self, Refusal, Reply};
use crate::sending::run::{Run, State};
use bytes::Bytes;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Between two looks at a run.
const EVERY: Duration = Duration::from_millis(250);

/// The events of the run `id`: how far it is, a few times a second, and how it
/// ended.
///
/// # Errors
/// 404.
pub(crate) fn events(app: &Arc<App>, id: &str) -> Result<Reply, Refusal> {
    let run = app.runs.get(id)?;
    let (sender, pieces) = mpsc::channel(1);
    let mut over = app.end.subscribe();
    tokio::spawn(async move {
        tokio::select! {
            () = tell(&run, &sender) => {}
            () = sender.closed() => {}
            _ = over.wait_for(Option::is_some) => {}
        }
    });
    Ok(reply::pieces("text/event-stream", pieces))
}

/// Tell `sender` of `run` until it ends or nobody listens.
async fn tell(run: &Run, sender: &mpsc::Sender<std::io::Result<Bytes>>) {
    let mut state = run.state.subscribe();
    loop {
        let known = state.borrow_and_update().clone();
        let mut text = event("progress", &run.board.progress());
        let ended = match known {
            State::Running => false,
            State::Ended(summary) => {
                text += &event(
                    "end",
                    &json!({ "summary": summary, "outcomes": run.kept.path }),
                );
                true
            }
            State::Failed(error, summary) => {
                text += &event(
                    "failed",
                    &json!({ "error": error, "summary": summary, "outcomes": run.kept.path }),
                );
                true
            }
        };
        if sender.send(Ok(text.into())).await.is_err() || ended {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            changed = state.changed() => if changed.is_err() {
                return;
            }
        }
    }
}

/// One event. JSON has no line ends.
fn event(name: &str, data: &Value) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}
