//! From an address to what answers there.

use crate::app::App;
use crate::body;
use crate::query::{Query, decode};
use crate::reply::{self, Refusal, Reply};
use crate::{assets, design, done, exchange, files, preset, preview, sending, trace, underlay};
use bytes::Bytes;
use hyper::body::Incoming;
use hyper::{Method, Request};
use std::sync::Arc;

/// Answer `request`.
pub(crate) async fn answer(app: Arc<App>, request: Request<Incoming>) -> Reply {
    route(&app, request).await.unwrap_or_else(Refusal::reply)
}

async fn route(app: &Arc<App>, request: Request<Incoming>) -> Result<Reply, Refusal> {
    app.guard.check_names(request.headers())?;
    let path = request.uri().path().to_owned();
    let query = Query::parse(request.uri().query().unwrap_or_default());
    if let Some(rest) = path.strip_prefix("/api/") {
        let parts: Option<Vec<String>> = rest.split('/').map(decode).collect();
        let parts = parts.ok_or_else(|| Refusal::missing("the address is not UTF-8"))?;
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        return api(app, &parts, &query, request).await;
    }
    if request.method() != Method::GET {
        return Err(nothing(&request));
    }
    match path.strip_prefix("/assets/") {
        Some(name) => {
            let found = app.assets.get(name).ok_or_else(|| nothing(&request))?;
            Ok(reply::bytes(assets::kind(name), found))
        }
        None if path == "/" || path == "/index.html" => page(app, &query),
        None => Err(nothing(&request)),
    }
}

/// The page, with the token in it.
fn page(app: &App, query: &Query) -> Result<Reply, Refusal> {
    if app.guard.guards_page() {
        app.guard.check_token(query.get("token"))?;
    }
    let name = "index.html";
    let page = app.assets.get(name);
    let page = page.ok_or_else(|| Refusal::missing("there is no index.html"))?;
    let page = String::from_utf8_lossy(&page).replace("{{token}}", app.guard.token());
    Ok(reply::bytes(assets::kind(name), page))
}

async fn api(
    app: &Arc<App>,
    path: &[&str],
    query: &Query,
    request: Request<Incoming>,
) -> Result<Reply, Refusal> {
    let method = request.method().as_str();
    match (method, path) {
        // What a page shows or saves by its address alone cannot have a header.
        ("GET", ["send", _, "events" | "outcomes"] | ["send", _, "plots", _]) => {
            let shown = query.get("token");
            app.guard
                .check_token(shown)
                .or_else(|refusal| match shown {
                    Some(_) => Err(refusal),
                    None => app.guard.check_header(request.headers()),
                })?;
        }
        _ => app.guard.check_header(request.headers())?,
    }
    match (method, path) {
        ("GET", ["design"]) => Ok(design::get(app)),
        ("GET", ["files"]) => files::list(app),
        ("GET", ["files", name]) => files::get(app, name).await,
        ("GET", ["send"]) => Ok(sending::list(app)),
        ("GET", ["send", id]) => sending::show(app, id),
        ("GET", ["send", id, "events"]) => sending::events(app, id),
        ("GET", ["send", id, "outcomes"]) => sending::download(app, id),
        ("GET", ["send", id, "plots", name]) => {
            sending::plot(app, id, name, query.get("theme") == Some("dark")).await
        }
        ("POST", ["send", id, "stop"]) => sending::stop(app, id),
        ("POST", ["underlay"]) => {
            let bins = query.get("bins").map_or(Ok(400), str::parse);
            let bins = bins.map_err(|_| Refusal::bad("bins is not a number"))?;
            let name = query.get("name").unwrap_or_default().to_owned();
            underlay::underlay(request.into_body(), &name, bins).await
        }
        ("PUT", ["design"] | ["files", _])
        | ("POST", ["preview" | "trace" | "import" | "export" | "preset" | "send" | "done"]) => {
            let method = request.method().clone();
            let body = body::whole(request.into_body()).await?;
            posted(app, (&method, path), query, body).await
        }
        _ => Err(nothing(&request)),
    }
}

/// What comes with a body that is held.
async fn posted(
    app: &Arc<App>,
    (method, path): (&Method, &[&str]),
    query: &Query,
    body: Bytes,
) -> Result<Reply, Refusal> {
    match (method.as_str(), path) {
        ("PUT", ["design"]) => design::put(app, &body),
        ("PUT", ["files", name]) => files::put(app, name, body).await,
        ("POST", ["preview"]) => {
            let tab = query.get("tab").unwrap_or_default();
            preview::preview(app, &body, app.previews.ask(tab)).await
        }
        ("POST", ["trace"]) => trace::trace(app, design::posted(&body)?).await,
        ("POST", ["import"]) => {
            let name = query.get("name").unwrap_or("the file").to_owned();
            let read = tokio::task::spawn_blocking(move || exchange::import(&name, &body));
            read.await.map_err(Refusal::failed)?
        }
        ("POST", ["export"]) => {
            let format = query.get("format").unwrap_or("json");
            let format = exchange::Format::named(format)
                .ok_or_else(|| Refusal::bad("format is neither json nor pickle"))?;
            Ok(exchange::export(&design::posted(&body)?, format))
        }
        ("POST", ["preset"]) => preset::preset(&body),
        ("POST", ["send"]) => sending::send(app, body).await,
        ("POST", ["done"]) => done::done(app, design::posted(&body)?).await,
        _ => Err(Refusal::missing("there is no such thing")),
    }
}

fn nothing(request: &Request<Incoming>) -> Refusal {
    Refusal::missing(format_args!(
        "there is nothing to {} at {}",
        request.method(),
        request.uri().path()
    ))
}
