//! What is done between two runs: a cache emptied, a server restarted.

use crate::args::Args;
use crate::connect::{Connector, Version};
use crate::fetch::{Question, fetch};
use crate::leg::Label;
use crate::secret;
use crate::target::Target;
use crate::tls;
use std::time::Duration;
use trace_core::answer::error_message;

/// The longest that a server may take to do it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between which runs it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Which {
    /// any two
    All,
    /// two rounds of one level
    Rounds,
    /// the last round of a level and the first of the next
    Levels,
}

impl Which {
    /// Whether it is done between `one` run and the `next`.
    pub(crate) fn has(self, one: &Label, next: &Label) -> bool {
        let level = one.concurrency != next.concurrency || one.stage != next.stage;
        match self {
            Self::All => true,
            Self::Rounds => !level,
            Self::Levels => level,
        }
    }
}

/// Post to `what` if it is a URL, else run it by the shell; the runs go on
/// once that is done. A cache that was not emptied would belie what follows,
/// so a failure is one.
///
/// # Errors
/// Why it is not done.
pub(crate) async fn run(what: &str, args: &Args) -> Result<(), String> {
    if what.starts_with("http://") || what.starts_with("https://") {
        post(what, args).await
    } else {
        command(what).await
    }
}

async fn post(url: &str, args: &Args) -> Result<(), String> {
    let shown = secret::shown(url);
    let (target, connector) = site(url, args)?;
    let host = format!("host: {}\r\n", target.authority);
    let question = Question {
        method: "POST",
        path: &target.path,
        fields: host.as_bytes(),
        patience: PATIENCE,
        most: 1 << 20,
    };
    let said = fetch(&connector, question)
        .await
        .map_err(|failure| format!("{shown}: {}", failure.message))?;
    if (200..300).contains(&said.status) {
        return Ok(());
    }
    let why = error_message(&said.body);
    Err(format!("{shown}: status {}: {why}", said.status))
}

/// Where `url` leads, and how to get there.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn site(url: &str, args: &Args) -> Result<(Target, Connector), String> {
    let target = Target::parse(url, Some(crate::Endpoint::Raw))?;
    let trust = tls::Trust {
        ca: args.server.ca_cert.as_deref(),
        native: args.server.native_certs,
        blind: args.server.insecure,
        http2: false,
    };
    let config = target.tls.then(|| tls::config(trust)).transpose();
    let config = config.map_err(|error| format!("{error:#}"))?;
    let connector = Connector::new(&target, config, None, Version::Http1);
    Ok((target, connector.map_err(|failure| failure.message)?))
}

async fn command(what: &str) -> Result<(), String> {
    let words = what.to_owned();
    let ran = tokio::task::spawn_blocking(move || {
        let mut shell = std::process::Command::new("sh");
        // What it says is for people; the outcomes have stdout.
        shell
            .args(["-c", &words])
            .stdin(std::process::Stdio::null());
        shell.stdout(std::io::stderr()).status()
    });
    let status = ran.await.map_err(|error| error.to_string())?;
    let status = status.map_err(|error| format!("cannot run sh: {error}"))?;
    if status.success() {
        return Ok(());
    }
    Err(format!("{what:?} ended with {status}"))
}
