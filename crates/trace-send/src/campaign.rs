//! The runs of one command, one after the other: levels, rounds, a search.

mod search;

use crate::args::Args;
use crate::connect::Connector;
use crate::dispatch::{self, Ended, Plan};
use crate::feed::Feed;
use crate::history::Histories;
use crate::leg::{Label, Leg};
use crate::limits::Limits;
use crate::prepare::{Preparer, Source};
use crate::results::Results;
use crate::signals::Signals;
use crate::start;
use anyhow::{Context, anyhow, bail};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;
use trace_core::cli;

/// Everything that the runs share.
pub(crate) struct Campaign<'a> {
    /// What was typed.
    pub args: &'a Args,
    /// Makes their requests.
    pub preparer: Arc<Preparer>,
    /// Leads to the server.
    pub connector: Rc<Connector>,
    /// Takes their outcomes.
    pub results: Arc<Results>,
    /// What each is held to, but for its mark.
    pub limits: Limits,
}

/// How they went.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// ^C ended it.
    pub interrupted: bool,
    /// The answer is no: a condition fired, nothing was found, the client was late.
    pub no: bool,
}

impl Verdict {
    /// The exit code that says it.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self {
                interrupted: true, ..
            } => cli::INTERRUPTED,
            Self { no: true, .. } => cli::NO,
            _ => cli::DONE,
        }
    }
}

impl Campaign<'_> {
    /// Make all runs with the requests of `source`.
    ///
    /// # Errors
    /// As the input has them, and what goes on between two runs.
    pub(crate) async fn run(self, mut source: Source) -> anyhow::Result<Verdict> {
        if let Some(search) = self.args.judge.search.clone() {
            return self.search(search, source).await;
        }
        let mut verdict = Verdict::default();
        let mut first = None;
        let mut legs = Leg::all(self.args).into_iter().peekable();
        while let Some(leg) = legs.next() {
            let label = leg.label.clone();
            let (ended, back) = self.leg(leg, source, first).await?;
            source = back;
            first.get_or_insert(ended.began);
            self.judge(ended, &mut verdict)?;
            if verdict.interrupted || verdict.no && !self.args.judge.stop_on.is_empty() {
                break;
            }
            if self.results.has_failed() {
                break;
            }
            if let Some(next) = legs.peek()
                && !self.between(&label, &next.label).await?
            {
                verdict.interrupted = true;
                break;
            }
        }
        Ok(verdict)
    }

    /// Say how a run went, and take over what follows from it.
    fn judge(&self, ended: Ended, verdict: &mut Verdict) -> anyhow::Result<()> {
        verdict.interrupted |= ended.interrupted;
        verdict.no |= ended.stopped.is_some();
        verdict.no |= self.args.judge.strict_clock && ended.tally.is_client_limited();
        ended.input?;
        Ok(())
    }

    /// Make one run. Gives its requests' source back.
    async fn leg(
        &self,
        leg: Leg,
        source: Source,
        first: Option<Instant>,
    ) -> anyhow::Result<(Ended, Source)> {
        let args = self.args;
        let words = leg.label.words();
        let mut limits = self.limits.clone();
        limits.open_loop = leg.is_open();
        limits.label = leg.label.clone();
        limits.first = first;
        let start_at = match (&args.load.start_at, first) {
            (Some(text), None) => Some(start::parse(text).map_err(|reason| anyhow!(reason))?),
            _ => None,
        };
        let plan = Plan {
            limits,
            pace: leg.pace,
            ramp: leg.ramp,
            max_sessions: args.session.max_sessions,
            drain: args.load.drain.into(),
            start_at,
        };
        let held = matches!(source, Source::Held(_));
        let turns = self.preparer.bodies.endpoint.dialect().turns();
        let session = &args.session;
        let histories =
            || Histories::new(turns, session.max_context_tokens, session.on_failed_turn);
        let threads = plan.pace.threads(args.load.threads, session.max_sessions);
        let (feed, maker) = Feed::start(Arc::clone(&self.preparer), source, leg, threads)
            .context("cannot start a thread")?;
        let ended = dispatch::run(plan, &self.connector, feed, &self.results, histories)
            .await
            .context("cannot begin")?;
        if !self.results.has_hung_up() {
            tell(&ended, &words);
        }
        if let Some(reins) = &self.limits.reins {
            reins.watch().told(&ended.tally.report(ended.never_sent));
        }
        // One that streams may be waiting for its input, for good; it is read
        // once only.
        let source = if held {
            let joined = tokio::task::spawn_blocking(move || maker.join()).await?;
            joined.map_err(|_| anyhow!("the thread that prepares requests panicked"))?
        } else {
            Source::Held(Arc::default())
        };
        Ok((ended, source))
    }

    /// What is to be done between `one` run and the `next`. False if it was
    /// interrupted.
    async fn between(&self, one: &Label, next: &Label) -> anyhow::Result<bool> {
        let runs = &self.args.runs;
        let Some(what) = runs.between.as_ref() else {
            return Ok(true);
        };
        if !runs.between_which.has(one, next) {
            return Ok(true);
        }
        let mut signals = Signals::new()?;
        let done = signals
            .unless_stopped(crate::between::run(what, self.args))
            .await;
        match done {
            Some(Ok(())) => Ok(true),
            Some(Err(reason)) => bail!("--between: {reason}"),
            None => Ok(false),
        }
    }
}

/// Say how a run went.
fn tell(ended: &Ended, words: &str) {
    // Where nothing could be sent, the reason says it all.
    if ended.input.is_err() && ended.tally.ended == 0 {
        return;
    }
    let colon = if words.is_empty() { "" } else { ": " };
    for line in ended.tally.report(ended.never_sent) {
        trace_core::say!("trace-send: {words}{colon}{line}");
    }
}
