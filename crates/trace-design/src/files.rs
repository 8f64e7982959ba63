//! Designs in the folder that `--dir` names.

use crate::app::App;
use crate::body;
use crate::design;
use crate::exchange::{self, Format};
use crate::reply::{self, Refusal, Reply};
use crate::shelf::Shelf;
use bytes::Bytes;
use serde_json::json;
use std::sync::Arc;

/// Where the folder is, and the designs in it.
///
/// # Errors
/// 500 for a folder that cannot be read.
pub(crate) fn list(app: &App) -> Result<Reply, Refusal> {
    let Some(shelf) = &app.shelf else {
        return Ok(reply::json(&json!({ "dir": null })));
    };
    let dir = shelf.path().display().to_string();
    Ok(reply::json(&json!({ "dir": dir, "files": shelf.names()? })))
}

/// The design `name`, with what was left out of it.
///
/// # Errors
/// As [`Shelf::read`], and 400 for what is no design.
pub(crate) async fn get(app: &Arc<App>, name: &str) -> Result<Reply, Refusal> {
    let (app, name) = (Arc::clone(app), name.to_owned());
    let read = tokio::task::spawn_blocking(move || {
        let bytes = shelf(&app)?.read(&name)?;
        exchange::import(&name, &bytes)
    });
    read.await.map_err(Refusal::failed)?
}

/// Save the design in `body` as `name`: a pickle if that ends so.
///
/// # Errors
/// As [`Shelf::write`], and 400 for what is no design.
pub(crate) async fn put(app: &Arc<App>, name: &str, body: Bytes) -> Result<Reply, Refusal> {
    let (app, name) = (Arc::clone(app), name.to_owned());
    let written = tokio::task::spawn_blocking(move || {
        let shelf = shelf(&app)?;
        let curve = design::curve(body::parse(&body)?).or_else(|_| design::posted(&body))?;
        let end = name.rsplit_once('.').map_or("", |(_, end)| end);
        let format = Format::named(end).unwrap_or(Format::Json);
        let (bytes, notes) = format.write(&curve);
        shelf.write(&name, &bytes)?;
        Ok::<_, Refusal>(reply::json(&json!({ "name": name, "notes": notes })))
    });
    written.await.map_err(Refusal::failed)?
}

fn shelf(app: &App) -> Result<&Shelf, Refusal> {
    let missing = || Refusal::missing("there is no folder; start trace-design with --dir DIR");
    app.shelf.as_ref().ok_or_else(missing)
}
