//! From an address to what answers there.

use crate::app::App;
use crate::body;
use crate::query::{Query, decode};
use crate::reply::{self, Refusal, Reply};
use crate::{assets, design, done};
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
    app.guard.check_header(request.headers())?;
    let _ = query;
    match (request.method().as_str(), path) {
        ("GET", ["design"]) => Ok(design::get(app)),
        ("PUT", ["design"]) => design::put(app, &body::whole(request.into_body()).await?),
        ("POST", ["done"]) => {
            let body = body::whole(request.into_body()).await?;
            done::done(app, design::posted(&body)?).await
        }
        _ => Err(nothing(&request)),
    }
}

fn nothing(request: &Request<Incoming>) -> Refusal {
    Refusal::missing(format_args!(
        "there is nothing to {} at {}",
        request.method(),
        request.uri().path()
    ))
}
