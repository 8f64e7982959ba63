//! The run from above: ^C, conditions that end it, the line on a terminal.

use super::hand::{Part, Report};
use super::{Pace, Plan, ready};
use crate::clock::Clock;
use crate::crew::Crew;
use crate::live::Live;
use crate::signals::Signals;
use crate::stop::Watch;
use crate::tally::Tally;
use crate::track::{Moment, Overload};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;
use tokio::time::{Instant, MissedTickBehavior};
use trace_core::cli::Progress;
use trace_core::clock::Timer;

/// How often the run is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// Watches a run.
pub(super) struct Helm {
    crew: Arc<Crew>,
    plan: Plan,
    reports: UnboundedReceiver<Report>,
    progress: Progress,
    watch: Watch,
    live: Live,
    /// The run's, once it has begun.
    clock: Option<Clock>,
    /// Since when it is interrupted.
    interrupted: Option<Instant>,
    /// Why a condition ended it.
    stopped: Option<String>,
}

/// How a run went.
pub(super) struct Course {
    /// What each thread has to say.
    pub parts: Vec<Part>,
    /// Whether ^C or a TERM signal ended it.
    pub interrupted: bool,
    /// Why a condition ended it.
    pub stopped: Option<String>,
    /// How far the server was behind at the end.
    pub overload: Option<Overload>,
    /// Tells its time.
    pub clock: Clock,
}

impl Helm {
    /// Over `crew`, which makes `plan` and gives `reports`.
    pub(super) fn new(crew: Arc<Crew>, plan: Plan, reports: UnboundedReceiver<Report>) -> Self {
        let watch = Watch::new(plan.limits.stops.clone());
        crew.tally().watch(watch.metrics());
        crew.tally().watch(plan.limits.judged());
        Self {
            crew,
            live: Live::new(&plan.limits),
            watch,
            plan,
            reports,
            progress: Progress::new("sent", None),
            clock: None,
            interrupted: None,
            stopped: None,
        }
    }

    /// Begin the run once every thread can, each told by one of `starts`, and
    /// see it to its end. Nothing if it was interrupted before it began.
    ///
    /// # Errors
    /// What kept a thread from its work.
    pub(super) async fn steer(
        mut self,
        mut signals: Signals,
        timer: Timer,
        starts: Vec<oneshot::Sender<Clock>>,
    ) -> io::Result<Option<Course>> {
        let threads = starts.len();
        let ready = async {
            self.all_ready(threads).await?;
            ready::until(self.plan.start_at, &timer).await;
            io::Result::Ok(())
        };
        match signals.unless_stopped(ready).await {
            None => return Ok(None),
            Some(ready) => ready?,
        }
        let limits = &self.plan.limits;
        let clock = Clock::start(limits.first);
        limits.began.get_or_init(|| clock.began());
        self.clock = Some(clock);
        for start in starts {
            // One that has failed has said so, or will.
            let _ = start.send(clock);
        }
        let parts = self.heed(&mut signals, threads).await?;
        self.progress.finish();
        Ok(Some(Course {
            parts,
            interrupted: self.interrupted.is_some(),
            // Who stops at a limit knows it.
            overload: match (self.plan.pace, &self.stopped) {
                (Pace::Open(_), None) => self.watch.track().overload(),
                _ => None,
            },
            stopped: self.stopped,
            clock,
        }))
    }

    /// Wait until all `threads` can begin.
    async fn all_ready(&mut self, threads: usize) -> io::Result<()> {
        for _ in 0..threads {
            if let Report::Ended(part) = self.report().await? {
                part?;
            }
        }
        Ok(())
    }

    async fn report(&mut self) -> io::Result<Report> {
        let report = self.reports.recv().await;
        report.ok_or_else(|| io::Error::other("a thread that sends panicked"))
    }

    /// Until all `threads` have ended.
    async fn heed(&mut self, signals: &mut Signals, threads: usize) -> io::Result<Vec<Part>> {
        let mut tick = tokio::time::interval(LOOK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut parts = Vec::new();
        while parts.len() < threads {
            tokio::select! {
                report = self.report() => {
                    let ended = match report {
                        Ok(Report::Ready) => continue,
                        Ok(Report::Ended(part)) => part,
                        Err(error) => Err(error),
                    };
                    parts.push(ended.inspect_err(|_| self.crew.cancel("a thread failed"))?);
                }
                () = signals.stopped() => self.interrupt(),
                _ = tick.tick() => self.look(),
            }
        }
        Ok(parts)
    }

    fn interrupt(&mut self) {
        if self.interrupted.is_some() {
            self.crew.cancel("cancelled by the user");
            return;
        }
        self.interrupted = Some(Instant::now());
        self.progress.finish();
        trace_core::say!(
            "trace-send: interrupted: nothing more is sent, waiting up to {} s for the {} in flight; ^C again cancels them",
            self.plan.drain.as_secs_f64(),
            self.crew.in_flight()
        );
        self.crew.stop();
    }

    fn look(&mut self) {
        if self
            .interrupted
            .is_some_and(|since| since.elapsed() > self.plan.drain)
        {
            self.crew.cancel("no answer while the run was ending");
        }
        if self.stopped.is_none()
            && let Some(reason) = self.stop_reason()
        {
            self.progress.finish();
            trace_core::say!("trace-send: {reason}; nothing more is sent");
            self.stopped = Some(reason);
            self.crew.stop();
        }
        self.show();
    }

    /// Why the run is to end here, if it is.
    fn stop_reason(&mut self) -> Option<String> {
        let tally = self.crew.tally();
        let moment = moment(self.clock?, &self.crew, &tally);
        self.watch.look(moment)
    }

    fn show(&mut self) {
        let Some(clock) = self.clock else { return };
        let tally = self.crew.tally();
        let (sent, line) = self.live.line(moment(clock, &self.crew, &tally));
        self.progress.set(sent, line);
    }
}

/// The run as it is now.
fn moment<'a>(clock: Clock, crew: &Crew, tally: &'a Tally) -> Moment<'a> {
    Moment {
        now: clock.now(),
        tally,
        in_flight: crew.in_flight(),
    }
}
