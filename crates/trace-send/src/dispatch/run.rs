//! A run under way, from the first request to the last answer.

use super::Ended;
use crate::engine::Engine;
use crate::feed::Item;
use crate::signals::Signals;
use crate::wake::Wake;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::MissedTickBehavior;
use trace_core::Error;
use trace_core::cli::Progress;
use trace_core::clock::Timer;

/// A run under way.
pub(super) struct Run {
    engine: Rc<Engine>,
    items: UnboundedReceiver<Item>,
    /// How the input ended, if it has.
    input: Option<Result<(), Error>>,
    progress: Progress,
    read: u64,
    drain: Duration,
    /// Why a condition ended it.
    stopped: Option<String>,
}

impl Run {
    /// `engine` is fed with `items`; interrupted, it waits for `drain`.
    pub(super) fn new(engine: Rc<Engine>, items: UnboundedReceiver<Item>, drain: Duration) -> Self {
        Self {
            engine,
            items,
            input: None,
            progress: Progress::new("sent", None),
            read: 0,
            drain,
            stopped: None,
        }
    }

    pub(super) fn take(&mut self, item: Item) {
        match item {
            Item::Request(request, timing) => {
                self.read += 1;
                self.engine.add(request, timing);
            }
            Item::End(how) => self.input = Some(how),
        }
    }

    /// Fetch what is prepared, so that there is enough at hand.
    fn fill(&mut self) {
        if self.input.is_some() || self.engine.is_stopped() || self.engine.ready() >= Engine::LOW {
            return;
        }
        while self.engine.ready() < 2 * Engine::LOW {
            match self.items.try_recv() {
                Ok(item) => self.take(item),
                Err(_) => return,
            }
        }
    }

    fn is_over(&self) -> bool {
        let nothing_comes =
            self.engine.is_stopped() || self.input.is_some() && self.engine.waiting() == 0;
        nothing_comes && self.engine.in_flight() == 0
    }

    /// Until everything that is to be sent has ended. Whether it was
    /// interrupted.
    pub(super) async fn go(&mut self, timer: &Timer, signals: &mut Signals) -> bool {
        let engine = Rc::clone(&self.engine);
        let mut alarm = timer.sleep_until(Instant::now());
        let mut tick = tokio::time::interval(Duration::from_millis(200));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut interrupted = None;
        let mut wake = Wake::default();
        loop {
            self.fill();
            engine.pump();
            if self.is_over() {
                return interrupted.is_some();
            }
            let wants_more =
                self.input.is_none() && !engine.is_stopped() && engine.ready() < Engine::LOW;
            let due = engine.alarm().map(|time| engine.clock().instant(time));
            if let Some(due) = due {
                let rise = wake.rise_for(due);
                if alarm.deadline() != rise {
                    alarm.reset(rise);
                }
            }
            tokio::select! {
                biased;
                () = &mut alarm, if due.is_some() => wake.finish(alarm.deadline(), due),
                () = engine.bell() => {}
                item = self.items.recv(), if wants_more => match item {
                    Some(item) => self.take(item),
                    None => self.input = Some(Ok(())),
                },
                () = engine.results().changed() => {
                    if engine.results().has_failed() {
                        engine.stop();
                        engine.cancel("nobody reads the outcomes");
                    }
                }
                () = signals.stopped() => {
                    if interrupted.is_some() {
                        engine.cancel("cancelled by the user");
                        return true;
                    }
                    interrupted = Some(tokio::time::Instant::now());
                    self.announce();
                    engine.stop();
                }
                _ = tick.tick() => {
                    if interrupted.is_some_and(|since| since.elapsed() > self.drain) {
                        engine.cancel("no answer while the run was ending");
                        return true;
                    }
                    engine.sweep();
                    if self.stopped.is_none() && let Some(reason) = engine.stop_reason() {
                        self.progress.finish();
                        eprintln!("trace-send: {reason}; nothing more is sent");
                        self.stopped = Some(reason);
                        engine.stop();
                    }
                    self.show();
                }
            }
        }
    }

    fn announce(&self) {
        self.progress.finish();
        eprintln!(
            "trace-send: interrupted: nothing more is sent, waiting up to {} s for the {} in flight; ^C again cancels them",
            self.drain.as_secs_f64(),
            self.engine.in_flight()
        );
    }

    fn show(&mut self) {
        let tally = self.engine.tally();
        let (flying, failed, late) = (
            self.engine.in_flight(),
            tally.failed(),
            tally.lateness(0.99),
        );
        let (rate, p50, p99) = (tally.rate(), tally.ttft(0.5), tally.ttft(0.99));
        let message = format!(
            "in flight {flying}, failed {failed}, {rate:.0}/s, ttft p50 {p50} p99 {p99} ms, late p99 {late} ms"
        );
        self.progress.set(tally.ended + flying as u64, message);
    }

    pub(super) fn end(mut self, interrupted: bool, busy: Option<f64>) -> Ended {
        self.progress.finish();
        self.engine.stop();
        let mut never_sent = self.engine.waiting() as u64;
        self.items.close();
        while let Ok(item) = self.items.try_recv() {
            never_sent += u64::from(matches!(item, Item::Request(..)));
        }
        let mut tally = self.engine.take_tally();
        tally.busy = busy;
        Ended {
            tally,
            never_sent,
            interrupted,
            input: self.input.unwrap_or(Ok(())),
            stopped: self.stopped,
            began: self.engine.clock().began(),
        }
    }
}
