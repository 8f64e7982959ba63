//! The way to the server: where it is, how it is reached, and what every
//! request to it begins with.

use crate::Args;
use crate::connect::{Connector, Version};
use crate::head::Heads;
use crate::target::{self, Target};
use crate::{key, models, tls};
use anyhow::{Context, anyhow};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use trace_mock::Running;

/// The way to the server.
pub(crate) struct Route {
    /// Where it is, and what is asked for there.
    pub target: Target,
    /// Writes the heads of requests.
    pub heads: Arc<Heads>,
    /// Opens connections.
    pub connector: Rc<Connector>,
    /// The mock inside, which answers as long as this is here.
    _mock: Option<Running>,
}

impl Route {
    /// The way that `args` name; a mock inside is started.
    ///
    /// # Errors
    /// A URL, a key, a header field or a certificate that is none.
    pub(crate) fn find(args: &Args) -> anyhow::Result<Self> {
        let url = args.server.url.as_deref().unwrap_or_default();
        let mock = start_mock(args, url)?;
        let url = mock.as_ref().map_or_else(|| url.to_owned(), Running::url);
        let target =
            Target::parse(&url, args.server.endpoint_type).map_err(|reason| anyhow!(reason))?;
        let target = match args.body.no_stream {
            true => target.whole(),
            false => target,
        };
        Ok(Self {
            heads: Arc::new(heads(args, &target)?),
            connector: Rc::new(connector(args, &target)?),
            target,
            _mock: mock,
        })
    }

    /// See that the server is there, as far as `args` ask for it, unless
    /// nothing is sent. Gives the model of lines that name none.
    ///
    /// # Errors
    /// A server that is not ready in time, or does not list the model.
    pub(crate) async fn model(&self, args: &Args) -> anyhow::Result<String> {
        if args.dry_run {
            return Ok(args.server.model.clone().unwrap_or_else(unnamed));
        }
        let model = self.greet(args).await;
        model.map_err(|reason| anyhow!(self.heads.secrets().redact(reason)))
    }

    async fn greet(&self, args: &Args) -> Result<String, String> {
        let (target, connector, fields) = (&self.target, &self.connector, self.heads.fields());
        if let Some(patience) = args.server.wait_ready {
            models::wait_ready(connector, target, fields, patience.into()).await?;
        }
        let model = match &args.server.model {
            Some(model) => model.clone(),
            None => models::first(connector, target, fields)
                .await
                .unwrap_or_else(unnamed),
        };
        if args.server.models_check {
            models::check(connector, target, fields, &model).await?;
        }
        Ok(model)
    }
}

/// The model that is asked where nobody names one.
fn unnamed() -> String {
    "default".to_owned()
}

/// The mock inside, if the URL asks for it.
fn start_mock(args: &Args, url: &str) -> anyhow::Result<Option<Running>> {
    let Some(mut settings) = target::mock(url).map_err(|reason| anyhow!(reason))? else {
        return Ok(None);
    };
    settings.ttft = args.server.mock_ttft.unwrap_or(settings.ttft);
    settings.itl = args.server.mock_itl.unwrap_or(settings.itl);
    let server = trace_mock::start(&settings, None).context("cannot start the mock")?;
    trace_core::say!(
        "trace-send: no server is asked: the mock inside answers at {}, ttft {} ms, itl {} ms",
        server.url(),
        settings.ttft,
        settings.itl
    );
    Ok(Some(server))
}

/// Writes the heads of requests to `target`.
///
/// # Errors
/// A key or a field that is none.
fn heads(args: &Args, target: &Target) -> anyhow::Result<Heads> {
    let server = &args.server;
    let (fields, key) = (header(&server.header)?, key(args, target)?);
    let run_id = args.runs.run_id.clone().unwrap_or_else(new_run_id);
    Heads::new(
        target,
        &fields,
        key.as_deref(),
        &run_id,
        server.new_connections,
    )
    .and_then(|heads| heads.name_sessions(&server.session_header))
    .map_err(|reason| anyhow!(reason))
}

/// Opens connections to `target`.
///
/// # Errors
/// Certificates that cannot be read, a name that no certificate can have.
fn connector(args: &Args, target: &Target) -> anyhow::Result<Connector> {
    let config = target.tls.then(|| tls::config(trust(args))).transpose()?;
    let unix = args.server.unix_socket.clone();
    Connector::new(target, config, unix, args.server.http)
        .map_err(|failure| anyhow!(failure.message))
}

/// The key to show `target`, if there is one. Where one goes that nobody
/// named is said.
///
/// # Errors
/// As [`key::named`].
fn key(args: &Args, target: &Target) -> anyhow::Result<Option<String>> {
    let server = &args.server;
    if server.api_key_env.as_deref() == Some("") {
        return Ok(None);
    }
    if let Some(key) = key::named(server)? {
        return Ok(Some(key));
    }
    let there = std::env::var(key::USUAL).ok();
    let (key, said) = key::usual(there, target, server.unix_socket.is_some());
    if let Some(said) = said.filter(|_| !args.dry_run) {
        trace_core::say!("trace-send: {said}");
    }
    Ok(key)
}

/// Whom to trust, which is said when it is everybody.
fn trust(args: &Args) -> tls::Trust<'_> {
    if args.server.insecure {
        trace_core::say!(
            "trace-send: --insecure: certificates are not checked, anybody may answer"
        );
    }
    tls::Trust {
        ca: args.server.ca_cert.as_deref(),
        native: args.server.native_certs,
        blind: args.server.insecure,
        http2: args.server.http == Version::Http2,
    }
}

/// The header `fields` that were asked for, those in files too. What is not a
/// file may be several, a line each, as the environment has them.
///
/// # Errors
/// A file that cannot be read.
pub(crate) fn header(fields: &[String]) -> anyhow::Result<Vec<String>> {
    let mut all = Vec::new();
    for field in fields {
        let text = match field.strip_prefix('@') {
            Some(path) => {
                std::fs::read_to_string(path).with_context(|| format!("--header @{path}"))?
            }
            None => field.clone(),
        };
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        all.extend(lines.map(str::to_owned));
    }
    Ok(all)
}

/// An id that no other run has.
fn new_run_id() -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    format!("{:x}-{:x}", now.as_micros(), std::process::id())
}
