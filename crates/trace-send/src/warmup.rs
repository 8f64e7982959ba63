//! Requests before the run, so that its first meet a server that has met some.

use crate::connect::Connector;
use crate::dispatch::{self, Pace, Plan};
use crate::feed::Feed;
use crate::history::{Histories, OnFailure};
use crate::leg::{Label, Leg};
use crate::limits::Limits;
use crate::pace::Clocking;
use crate::prepare::{Preparer, Source};
use crate::results::Results;
use anyhow::{Context, bail};
use std::sync::Arc;
use std::time::Duration;
use trace_core::time::Micros;
use trace_core::{Line, LineError};

/// Requests at once.
const MOST_AT_ONCE: usize = 8;

/// Send `count` requests of their own text, eight at a time, and forget them.
///
/// # Errors
/// If every one of them failed, why the first did: the run would fare no
/// better.
pub(crate) async fn run(
    count: usize,
    preparer: &Arc<Preparer>,
    connector: &Connector,
    limits: &Limits,
) -> anyhow::Result<()> {
    let source = Source::Held(Arc::new(lines(count)?));
    let leg = leg(count);
    let plan = plan(limits, leg.pace);
    let turns = preparer.bodies.endpoint.dialect().turns();
    let histories = || Histories::new(turns, None, OnFailure::Continue);
    let (feed, maker) =
        Feed::start(Arc::clone(preparer), source, leg, 1).context("cannot start a thread")?;
    let results = Arc::new(
        Results::start(std::io::sink(), preparer.bodies.prompts.tokenizer().clone())
            .context("cannot start a thread")?,
    );
    let ended = dispatch::run(plan, connector, feed, &results, histories)
        .await
        .context("cannot begin")?;
    results.finish().await?;
    drop(maker);
    ended.input?;
    if ended.interrupted {
        bail!("interrupted while warming up");
    }
    let (all, failed) = (ended.tally.ended, ended.tally.failed());
    if failed == all {
        let why = ended.tally.first_failure().unwrap_or("nothing was sent");
        bail!("--warmup: all {all} requests failed: {why}");
    }
    trace_core::say!("trace-send: warmed up with {all} requests, {failed} failed");
    Ok(())
}

/// The requests, of blocks that no trace has, so that nothing of the run is
/// cached by them.
fn lines(count: usize) -> Result<Vec<Line>, LineError> {
    let line = |i: usize| {
        let text = format!(
            r#"{{"input_length":64,"output_length":16,"hash_ids":[{}]}}"#,
            u64::MAX - i as u64
        );
        Line::parse("--warmup", &text)
    };
    (0..count).map(line).collect()
}

/// A closed loop without a mark.
fn leg(count: usize) -> Leg {
    Leg {
        label: Label::default(),
        pace: Pace::Closed(count.min(MOST_AT_ONCE)),
        clocking: Clocking::Closed,
        ramp: Micros::ZERO,
        requests: None,
        shuffle: None,
    }
}

/// What the run is held to, but for what is about its results.
fn plan(limits: &Limits, pace: Pace) -> Plan {
    let mut limits = limits.clone();
    limits.stops.clear();
    limits.until = None;
    limits.began = Arc::default();
    limits.gpus = None;
    limits.open_loop = false;
    Plan {
        limits,
        pace,
        ramp: Micros::ZERO,
        max_sessions: None,
        drain: Duration::ZERO,
        start_at: None,
    }
}
