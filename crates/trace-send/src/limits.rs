//! What a run is held to.

use crate::args::Args;
use crate::endpoint::Endpoint;
use crate::head::Heads;
use crate::leg::Label;
use crate::metric::Metric;
use crate::outlook::Outlook;
use crate::reins::Reins;
use crate::secret::Secrets;
use crate::slo::Slo;
use crate::stop::Stop;
use crate::telemetry::Gpus;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use trace_core::answer::{Text, Wanted};
use trace_core::cli::SloClock;
use trace_core::time::Micros;

/// What a run is held to.
#[derive(Clone)]
pub(crate) struct Limits {
    /// The longest a request may take, connecting included.
    pub timeout: Duration,
    /// What is wanted of answers.
    pub wanted: Wanted,
    /// Nothing leaves at or after this.
    pub until: Option<Micros>,
    /// Connections are opened ahead of the schedule.
    pub open_loop: bool,
    /// Each request has a connection of its own, opened when it is sent.
    pub new_connections: bool,
    /// What error messages must not repeat.
    pub secrets: Secrets,
    /// How often a request may be tried again.
    pub retries: u64,
    /// What every answer has to keep to be counted as good.
    pub slos: Vec<Slo>,
    /// From when on.
    pub slo_clock: SloClock,
    /// What ends the run.
    pub stops: Vec<Stop>,
    /// What the run's outcomes are marked with.
    pub label: Label,
    /// What is to come.
    pub outlook: Arc<Outlook>,
    /// When the first of several runs began.
    pub first: Option<Instant>,
    /// Set when the first of several runs has begun.
    pub began: Arc<OnceLock<Instant>>,
    /// The GPUs that are watched.
    pub gpus: Option<Arc<Gpus>>,
    /// Writes the heads of requests that are put together when they leave.
    pub heads: Arc<Heads>,
    /// Who else watches and ends the run.
    pub reins: Option<Reins>,
}

impl Limits {
    /// The times that answers are judged by.
    pub(crate) fn judged(&self) -> Vec<Metric> {
        let judged = self.slos.iter().map(|slo| slo.judged(self.slo_clock));
        judged.collect()
    }

    /// Those that `args` set, for requests to `endpoint` with `heads`.
    pub(crate) fn new(args: &Args, endpoint: Endpoint, heads: Arc<Heads>) -> Self {
        Self {
            timeout: args.server.timeout.into(),
            wanted: Wanted {
                gaps: !args.no_itl,
                text: match endpoint.is_silent() {
                    true => Text::Nothing,
                    false => Text::Counting,
                },
                silent: endpoint.is_silent(),
            },
            until: args.load.duration,
            open_loop: true,
            new_connections: args.server.new_connections,
            secrets: heads.secrets().clone(),
            retries: args.load.retries,
            slos: args.judge.slo.clone(),
            slo_clock: args.judge.clock.slo_clock,
            stops: args.judge.stop_on.clone(),
            label: Label::default(),
            outlook: Arc::default(),
            first: None,
            began: Arc::default(),
            gpus: None,
            heads,
            reins: None,
        }
    }
}
