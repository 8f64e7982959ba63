//! The run: wakes the engine in time, feeds it, and ends it well.

use crate::budget::Budget;
use crate::connect::Connector;
use crate::engine::{Engine, Limits};
use crate::history::Histories;
use crate::pool::Pool;
use crate::prepare::Prepared;
use crate::results::Results;
use crate::schedule::{Schedule, Timing};
use crate::tally::Tally;
use crate::wake::Wake;
use std::io;
use std::rc::Rc;
use std::thread::Thread;
use std::time::{Duration, Instant, SystemTime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::spawn_local;
use tokio::time::MissedTickBehavior;
use trace_core::Error;
use trace_core::cli::Progress;
use trace_core::clock::Timer;
use trace_core::time::Micros;

/// How long a run waits for its first requests to be prepared and its first
/// connections to be opened, beyond the very first.
const WARM_UP: Duration = Duration::from_millis(50);

/// How far into the run connections are opened before it begins.
const FIRST_LOOK: Micros = Micros::from_micros(10_000);

/// What comes from the thread that prepares requests.
pub(crate) enum Item {
    /// A request.
    Request(Box<Prepared>, Timing),
    /// The input has ended, and so.
    End(Result<(), Error>),
}

/// Requests as they are prepared.
pub(crate) struct Feed {
    /// Where they come from.
    pub items: UnboundedReceiver<Item>,
    /// What they cost while they wait.
    pub budget: Budget,
    /// Who prepares them.
    pub maker: Thread,
}

/// How requests are paced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// By their times, with at most so many in flight.
    Open(Option<usize>),
    /// So many in flight at all times.
    Closed(usize),
}

/// How a run ended.
pub(crate) struct Ended {
    /// What was counted.
    pub tally: Tally,
    /// Requests that were prepared and not sent.
    pub never_sent: u64,
    /// Whether ^C or a TERM signal ended it.
    pub interrupted: bool,
    /// How the input ended.
    pub input: Result<(), Error>,
    /// Why a condition ended it.
    pub stopped: Option<String>,
    /// When it began.
    pub began: Instant,
}

/// What a run is, beside its requests.
pub(crate) struct Plan {
    /// What it is held to.
    pub limits: Limits,
    /// How its requests are paced.
    pub pace: Pace,
    /// How long a closed loop takes to reach its level.
    pub ramp: Micros,
    /// Sessions under way at most.
    pub max_sessions: Option<usize>,
    /// How long an interrupted run waits for what is in flight.
    pub drain: Duration,
    /// The moment it begins at.
    pub start_at: Option<SystemTime>,
}

/// Send what `feed` brings to where `connector` leads.
///
/// # Errors
/// When the system has no timers or signals to give.
pub(crate) async fn run(
    plan: Plan,
    connector: Rc<Connector>,
    mut feed: Feed,
    results: Rc<Results>,
    histories: Histories,
) -> io::Result<Ended> {
    let mut signals = Signals::new()?;
    let timer = Timer::new()?;
    let mut first = Vec::new();
    let ready = async {
        gather(&mut feed, &mut first).await;
        warn_of_waiting(plan.pace, &first);
        let pool = if plan.limits.new_connections {
            Pool::default()
        } else {
            warm_up(&connector, plan.pace, &first).await
        };
        until(plan.start_at, &timer).await;
        pool
    };
    let Some(pool) = signals.unless_stopped(ready).await else {
        return Ok(Ended {
            tally: Tally::default(),
            never_sent: first.len() as u64,
            interrupted: true,
            input: Ok(()),
            stopped: None,
            began: Instant::now(),
        });
    };
    let schedule = match plan.pace {
        Pace::Open(None) => Schedule::open(),
        Pace::Open(Some(most)) => Schedule::capped(most),
        Pace::Closed(concurrency) => Schedule::closed(concurrency, plan.ramp),
    };
    let engine = Engine::new(
        plan.limits,
        connector,
        schedule.sessions(plan.max_sessions.unwrap_or(usize::MAX)),
        pool,
        results,
        histories,
        (feed.budget, feed.maker),
    );
    let mut run = Run {
        engine,
        items: feed.items,
        input: None,
        progress: Progress::new("sent", None),
        read: 0,
        drain: plan.drain,
        stopped: None,
    };
    first.into_iter().for_each(|item| run.take(item));
    let work = Work::begin();
    let interrupted = run.go(&timer, &mut signals).await;
    Ok(run.end(interrupted, work.share()))
}

/// Wait for the moment `at` by the wall clock; not for one that has passed.
async fn until(at: Option<SystemTime>, timer: &Timer) {
    let left = at.and_then(|at| at.duration_since(SystemTime::now()).ok());
    if let Some(left) = left {
        timer.sleep_until(Instant::now() + left).await;
    }
}

/// What this thread has worked since.
struct Work {
    begun: Instant,
    used: Duration,
}

impl Work {
    fn begin() -> Self {
        Self {
            begun: Instant::now(),
            used: thread_time(),
        }
    }

    /// The share of a core, for a run that was long enough to tell.
    fn share(&self) -> Option<f64> {
        const LEAST: Duration = Duration::from_secs(1);
        let passed = self.begun.elapsed();
        let used = thread_time().saturating_sub(self.used);
        (passed >= LEAST).then(|| used.as_secs_f64() / passed.as_secs_f64())
    }
}

/// Processor time of this thread; zero where nobody counts it.
fn thread_time() -> Duration {
    #[cfg(unix)]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
        let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
        Duration::new(seconds, nanos)
    }
    #[cfg(not(unix))]
    Duration::ZERO
}

/// What is prepared by now, and at least one.
async fn gather(feed: &mut Feed, first: &mut Vec<Item>) {
    let deadline = tokio::time::Instant::now() + WARM_UP;
    let Some(item) = feed.items.recv().await else {
        return;
    };
    let mut ended = matches!(item, Item::End(_));
    first.push(item);
    while !ended && first.len() < Engine::LOW {
        match tokio::time::timeout_at(deadline, feed.items.recv()).await {
            Ok(Some(item)) => {
                ended = matches!(item, Item::End(_));
                first.push(item);
            }
            _ => return,
        }
    }
}

/// Say so if nothing will happen for long: times since 1970, perhaps, or the
/// afternoon of a day.
fn warn_of_waiting(pace: Pace, first: &[Item]) {
    if let (Pace::Open(_), Some(Item::Request(_, timing))) = (pace, first.first())
        && let Some(at) = timing.at.filter(|at| at.as_secs() > 60.0)
    {
        let seconds = at.as_secs();
        eprintln!(
            "trace-send: the first request leaves in {seconds:.0} s; --align-first makes it leave now"
        );
    }
}

/// Connections for the requests that leave first.
async fn warm_up(connector: &Rc<Connector>, pace: Pace, first: &[Item]) -> Pool {
    let requests = first.iter().filter_map(|item| match item {
        Item::Request(_, timing) => Some(timing),
        Item::End(_) => None,
    });
    let needed = match pace {
        Pace::Closed(concurrency) => requests.take(concurrency).count(),
        Pace::Open(cap) => {
            let soon = requests.filter(|timing| timing.at.unwrap_or(timing.after) <= FIRST_LOOK);
            soon.take(cap.unwrap_or(usize::MAX)).count().max(1)
        }
    };
    let opening: Vec<_> = (0..needed.div_ceil(connector.streams()))
        .map(|_| {
            let connector = Rc::clone(connector);
            spawn_local(async move {
                let begun = Instant::now();
                let connection = connector.connect().await;
                (connection, begun.elapsed())
            })
        })
        .collect();
    let mut pool = Pool::default();
    let deadline = tokio::time::Instant::now() + WARM_UP * 4;
    for connection in opening {
        if let Ok(Ok((Ok(connection), time))) = tokio::time::timeout_at(deadline, connection).await
        {
            pool.learn(time.into());
            pool.admit(connection);
        }
    }
    pool
}

/// A run under way.
struct Run {
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
    fn take(&mut self, item: Item) {
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
    async fn go(&mut self, timer: &Timer, signals: &mut Signals) -> bool {
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

    fn end(mut self, interrupted: bool, busy: Option<f64>) -> Ended {
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

/// ^C and the TERM signal.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Wait for either.
    async fn stopped(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// What `future` gives, unless a signal comes first.
    pub(crate) async fn unless_stopped<T>(&mut self, future: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            value = future => Some(value),
            () = self.stopped() => None,
        }
    }
}
