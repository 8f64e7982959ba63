//! The engine model beside the clock: steps end when the model says, and tell their requests.
//!
//! One task sleeps until the running step ends and hands its tokens out. The model computes when
//! things happen from when they happened before, never from when it was woken, so a late task
//! delays what it hands out and nothing that follows.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use trace_core::clock::Timer;

use crate::engine::{Engine, Event, Gauges, Job};

/// An engine that runs by the clock.
#[derive(Debug)]
pub(crate) struct Driver {
    start: Instant,
    state: Mutex<State>,
    /// Rings when the next thing to happen is earlier than it was.
    bell: Notify,
}

#[derive(Debug)]
struct State {
    engine: Engine,
    requests: HashMap<u64, Arc<Mutex<Progress>>>,
    ids: u64,
    /// Room for the events of one advance.
    events: Vec<Event>,
}

/// How far a request is.
#[derive(Debug, Default)]
struct Progress {
    latest: Option<Event>,
    waker: Option<Waker>,
}

/// A request's place in the engine. Dropping it gives the place up.
#[derive(Debug)]
pub(crate) struct Ticket {
    id: u64,
    driver: Arc<Driver>,
    progress: Arc<Mutex<Progress>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Driver {
    /// Let `engine` run, by a task on the current runtime.
    pub(crate) fn start(engine: Engine, timer: Timer) -> Arc<Driver> {
        let driver = Arc::new(Driver {
            start: Instant::now(),
            state: Mutex::new(State {
                engine,
                requests: HashMap::new(),
                ids: 0,
                events: Vec::new(),
            }),
            bell: Notify::new(),
        });
        tokio::spawn(Arc::clone(&driver).run(timer));
        driver
    }

    async fn run(self: Arc<Driver>, timer: Timer) {
        loop {
            let (more, next) = self.advance();
            if more {
                // Steps that take no time must not keep the sockets waiting.
                tokio::task::yield_now().await;
                continue;
            }
            let next = next.and_then(|next| self.start.checked_add(next));
            match next {
                None => self.bell.notified().await,
                Some(next) => tokio::select! {
                    () = timer.sleep_until(next) => {}
                    () = self.bell.notified() => {}
                },
            }
        }
    }

    /// Do what is due. Whether there is more, and when something happens next.
    fn advance(&self) -> (bool, Option<Duration>) {
        let mut state = lock(&self.state);
        let more = state.advance(self.start.elapsed());
        let next = state.engine.next();
        (more, next)
    }

    /// Whether `job` can ever run.
    pub(crate) fn fits(&self, job: &Job) -> Result<(), String> {
        lock(&self.state).engine.fits(job)
    }

    /// Take a job that arrives now; its id is given to it here.
    pub(crate) fn submit(self: &Arc<Driver>, job: Job) -> Ticket {
        let progress = Arc::<Mutex<Progress>>::default();
        let mut state = lock(&self.state);
        let now = self.start.elapsed();
        while state.advance(now) {}
        let before = state.engine.next();
        state.ids += 1;
        let id = state.ids;
        state.requests.insert(id, Arc::clone(&progress));
        state.engine.submit(now, Job { id, ..job });
        let sooner = state.engine.next() < before || before.is_none();
        drop(state);
        if sooner {
            self.bell.notify_one();
        }
        Ticket {
            id,
            driver: Arc::clone(self),
            progress,
        }
    }

    pub(crate) fn gauges(&self, group: u64) -> Gauges {
        lock(&self.state).engine.gauges(group)
    }

    pub(crate) fn reset_prefix_cache(&self) -> bool {
        lock(&self.state).engine.reset_prefix_cache()
    }
}

impl State {
    fn advance(&mut self, now: Duration) -> bool {
        let mut events = std::mem::take(&mut self.events);
        let more = self.engine.advance(now, &mut events);
        for event in events.drain(..) {
            let Some(progress) = self.requests.get(&event.id) else {
                continue;
            };
            let mut progress = lock(progress);
            progress.latest = Some(event);
            if let Some(waker) = progress.waker.take() {
                waker.wake();
            }
        }
        self.events = events;
        more
    }
}

impl Ticket {
    /// The latest event, once it has more tokens than `tokens`, or all.
    pub(crate) fn poll(&self, cx: &Context<'_>, tokens: u64) -> Poll<Event> {
        let mut progress = lock(&self.progress);
        match progress.latest {
            Some(event) if event.done || event.tokens > tokens => Poll::Ready(event),
            _ => {
                progress.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Prompt tokens that were found in the cache, once the first token is there.
    pub(crate) fn cached(&self) -> u64 {
        lock(&self.progress).latest.map_or(0, |event| event.cached)
    }

    /// From arrival until it was taken into the batch, once the first token is there.
    pub(crate) fn waited(&self) -> Duration {
        lock(&self.progress)
            .latest
            .map_or(Duration::ZERO, |event| event.waited)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = lock(&self.driver.state);
        state.requests.remove(&self.id);
        if lock(&self.progress).latest.is_none_or(|event| !event.done) {
            state.engine.cancel(self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;
    use crate::engine::{Cost, Jitter, Limits};

    fn run(test: impl AsyncFnOnce(Arc<Driver>)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let cost: Cost = "overhead=1ms,b=2ms".parse().unwrap();
            let engine = Engine::new(Limits::default(), cost, Jitter::None, 0);
            test(Driver::start(engine, Timer::new().unwrap())).await;
        });
    }

    fn job(output: u64) -> Job {
        Job {
            input: 10,
            output,
            width: 1,
            ..Job::default()
        }
    }

    async fn more_than(ticket: &Ticket, tokens: u64) -> Event {
        poll_fn(|cx| ticket.poll(cx, tokens)).await
    }

    #[test]
    fn tokens_come_never_before_the_model_says() {
        run(async |driver| {
            let began = Instant::now();
            let ticket = driver.submit(job(3));
            let first = more_than(&ticket, 0).await;
            assert!(first.tokens >= 1 && began.elapsed() >= Duration::from_millis(1));
            let last = more_than(&ticket, 2).await;
            assert!(last.done && began.elapsed() >= Duration::from_millis(5));
            assert_eq!(last.waited, Duration::from_millis(1));
            // A second one, while nothing runs.
            assert!(more_than(&driver.submit(job(1)), 0).await.done);
        });
    }

    #[test]
    fn a_dropped_ticket_gives_its_place_up() {
        run(async |driver| {
            let ticket = driver.submit(job(1_000_000));
            more_than(&ticket, 0).await;
            assert_eq!(driver.gauges(0).running, 1);
            drop(ticket);
            assert_eq!(driver.gauges(0).running, 0);
            assert!(lock(&driver.state).requests.is_empty());
        });
    }
}
