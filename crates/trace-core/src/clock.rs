//! Sleeping to the microsecond inside a tokio runtime.
//!
//! Tokio's own timer turns in whole milliseconds, so a sleep ends 0.6 to 0.8 ms late at the
//! median. A [`Timer`] hands one kernel alarm (a `timerfd`) to tokio's reactor instead, keeps the
//! deadlines of all sleepers in order, and sets the alarm for the earliest: some ten
//! microseconds late at the median, for a few percent of a core at ten thousand sleeps a second.
//! A thread that spins would gain no more than another five of them and burn the core.
//!
//! ```
//! # use std::time::{Duration, Instant};
//! # fn main() -> std::io::Result<()> {
//! # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
//! # runtime.block_on(async {
//! use trace_core::clock::Timer;
//!
//! let timer = Timer::new()?; // inside a runtime with I/O; once, then clone it freely
//! let deadline = Instant::now() + Duration::from_micros(250);
//! timer.sleep_until(deadline).await; // never early
//! assert!(Instant::now() >= deadline);
//!
//! let mut tick = timer.sleep_until(deadline); // `Unpin`: may live in a struct and be polled
//! for n in 1..=3 {
//!     tick.reset(deadline + n * Duration::from_micros(100)); // absolute, so it does not drift
//!     (&mut tick).await;
//! }
//! # Ok(())
//! # })
//! # }
//! ```
//!
//! The laws: a sleep never ends early; sleepers are woken in the order of their deadlines, and of
//! equal deadlines in the order they were first polled; a dropped [`Sleep`] is forgotten at once
//! (cancel-safe); a deadline in the past is ready at the first poll. A sleep costs no allocation
//! beyond its place in a map and, when it is the earliest, one system call.
//!
//! The alarm is served by a task on the runtime where [`Timer::new`] was called; sleeps may be
//! awaited anywhere, but end only while that runtime runs. A current-thread runtime looks at its
//! reactor between tasks, every 61 polls by default: where many tasks are always ready, a smaller
//! `event_interval` keeps sleeps sharp.
//!
//! Other systems than Linux fall back to tokio's millisecond under the same laws.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

use tokio::task::{AbortHandle, coop};

#[cfg(not(target_os = "linux"))]
use portable::Alarm;
#[cfg(target_os = "linux")]
use timerfd::Alarm;

/// Wakes any number of sleepers at their deadlines. Clones share one alarm.
#[derive(Clone, Debug)]
pub struct Timer {
    bell: Arc<Bell>,
}

impl Timer {
    /// A timer served by a task of the current tokio runtime.
    ///
    /// # Errors
    ///
    /// When the system has no alarm to give, such as a process out of file descriptors.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime, or in one built without I/O (on Linux) or time (elsewhere).
    pub fn new() -> io::Result<Timer> {
        let board = Arc::new(Board {
            alarm: Alarm::new()?,
            sleepers: Mutex::default(),
        });
        let server = tokio::spawn(serve(Arc::clone(&board))).abort_handle();
        Ok(Timer {
            bell: Arc::new(Bell { board, server }),
        })
    }

    /// A future that is ready at `deadline`, or at once if that has passed.
    pub fn sleep_until(&self, deadline: Instant) -> Sleep {
        Sleep {
            bell: Arc::clone(&self.bell),
            deadline,
            place: None,
        }
    }

    /// A future that is ready after `duration`, counted from this call.
    pub fn sleep(&self, duration: Duration) -> Sleep {
        self.sleep_until(Instant::now() + duration)
    }
}

/// A wait for a moment; see [`Timer::sleep_until`]. Dropping it cancels it.
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited or polled"]
pub struct Sleep {
    bell: Arc<Bell>,
    deadline: Instant,
    /// Our number among the sleepers, while we are written down there.
    place: Option<u64>,
}

impl Sleep {
    /// The moment this waits for.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Wait for `deadline` instead, whether or not the old one has passed.
    pub fn reset(&mut self, deadline: Instant) {
        self.forget();
        self.deadline = deadline;
    }

    fn forget(&mut self) {
        if let Some(place) = self.place.take() {
            self.bell.board.sleepers().remove(self.deadline, place);
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if Instant::now() >= this.deadline {
            // A loop over deadlines that have all passed must still let others run.
            ready!(coop::poll_proceed(cx)).made_progress();
            this.forget();
            return Poll::Ready(());
        }
        let board = &this.bell.board;
        let mut sleepers = board.sleepers();
        this.place = Some(sleepers.put(this.deadline, this.place, cx.waker()));
        if sleepers.earliest() == Some(this.deadline) {
            sleepers.set(&board.alarm);
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.forget();
    }
}

/// What the clones of a timer and its sleeps hold; the last of them ends the task.
#[derive(Debug)]
struct Bell {
    board: Arc<Board>,
    server: AbortHandle,
}

impl Drop for Bell {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// What sleeps and the task share: who sleeps, and the alarm.
#[derive(Debug)]
struct Board {
    alarm: Alarm,
    sleepers: Mutex<Sleepers>,
}

impl Board {
    fn sleepers(&self) -> MutexGuard<'_, Sleepers> {
        // Nothing panics while holding it, save a waker's clone; the map stays whole then too.
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wake whoever is due each time the alarm goes off, for as long as the runtime runs.
async fn serve(board: Arc<Board>) {
    let mut due = Vec::new();
    while board.alarm.fired().await.is_ok() {
        let mut sleepers = board.sleepers();
        sleepers.take_due(Instant::now(), &mut due);
        sleepers.set(&board.alarm);
        drop(sleepers);
        due.drain(..).for_each(Waker::wake);
    }
}

/// Wakers by deadline, then by arrival.
#[derive(Debug, Default)]
struct Sleepers {
    wakers: BTreeMap<(Instant, u64), Waker>,
    arrivals: u64,
    /// What the alarm is set for, if it has not gone off since.
    alarm: Option<Instant>,
}

impl Sleepers {
    fn earliest(&self) -> Option<Instant> {
        self.wakers
            .first_key_value()
            .map(|(&(deadline, _), _)| deadline)
    }

    /// Write down `waker`, at the place it had or at a new one. Returns the place.
    fn put(&mut self, deadline: Instant, place: Option<u64>, waker: &Waker) -> u64 {
        let place = place.unwrap_or_else(|| {
            self.arrivals += 1;
            self.arrivals
        });
        self.wakers
            .entry((deadline, place))
            .and_modify(|known| known.clone_from(waker))
            .or_insert_with(|| waker.clone());
        place
    }

    fn remove(&mut self, deadline: Instant, place: u64) {
        // The alarm stays as it is: it may go off for nobody, which costs less than setting it.
        self.wakers.remove(&(deadline, place));
    }

    /// Move the wakers of all deadlines up to `now` to `due`, earliest first.
    fn take_due(&mut self, now: Instant, due: &mut Vec<Waker>) {
        self.alarm = None;
        while let Some(first) = self.wakers.first_entry()
            && first.key().0 <= now
        {
            due.push(first.remove());
        }
    }

    /// Set `alarm` for the earliest sleeper, unless it goes off by then anyway.
    fn set(&mut self, alarm: &Alarm) {
        if let Some(earliest) = self.earliest()
            && self.alarm.is_none_or(|set| set > earliest)
        {
            alarm.set(earliest);
            self.alarm = Some(earliest);
        }
    }
}

/// The kernel's alarm as a file descriptor that the reactor watches.
#[cfg(target_os = "linux")]
mod timerfd {
    use std::io;
    use std::os::fd::OwnedFd;
    use std::time::{Duration, Instant};

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    #[derive(Debug)]
    pub(super) struct Alarm(AsyncFd<OwnedFd>);

    impl Alarm {
        #[expect(
            deprecated,
            reason = "its successor is unsafe, for types whose descriptor may change; an OwnedFd's never does"
        )]
        pub(super) fn new() -> io::Result<Alarm> {
            let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
            let fd = timerfd_create(TimerfdClockId::Monotonic, flags)?;
            AsyncFd::with_interest(fd, Interest::READABLE).map(Alarm)
        }

        /// Go off at `deadline`, and no more at what was set before.
        pub(super) fn set(&self, deadline: Instant) {
            // Relative, since an `Instant` does not give its clock reading away: what passes
            // between `now` and the call makes it a little late, never early. Zero would switch
            // it off. The bound keeps a far deadline within what the kernel takes; going off
            // early for nobody only sets it again.
            let wait = deadline
                .saturating_duration_since(Instant::now())
                .clamp(Duration::from_nanos(1), Duration::from_secs(1 << 30));
            let wait = Timespec::try_from(wait).expect("it was bounded above");
            let once = Itimerspec {
                it_interval: Timespec::default(),
                it_value: wait,
            };
            timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::empty(), &once)
                .expect("a timerfd takes any time between a nanosecond and decades");
        }

        /// Wait until it has gone off. An error means that the runtime is ending.
        pub(super) async fn fired(&self) -> io::Result<()> {
            // The count of expirations is not read: setting it again resets that, and the
            // reactor is edge-triggered, so each expiration is seen once.
            self.0.readable().await?.clear_ready();
            Ok(())
        }
    }
}

/// Tokio's own timer behind the same face.
#[cfg(any(not(target_os = "linux"), test))]
mod portable {
    use std::io;
    use std::sync::{Mutex, PoisonError};
    use std::time::Instant;

    use tokio::sync::Notify;

    #[derive(Debug)]
    pub(super) struct Alarm {
        deadline: Mutex<Option<Instant>>,
        changed: Notify,
    }

    impl Alarm {
        #[allow(clippy::unnecessary_wraps, reason = "the face of the other alarm")]
        pub(super) fn new() -> io::Result<Alarm> {
            Ok(Alarm {
                deadline: Mutex::new(None),
                changed: Notify::new(),
            })
        }

        pub(super) fn set(&self, deadline: Instant) {
            *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) = Some(deadline);
            self.changed.notify_one();
        }

        pub(super) async fn fired(&self) -> io::Result<()> {
            loop {
                let deadline = *self.deadline.lock().unwrap_or_else(PoisonError::into_inner);
                let Some(deadline) = deadline else {
                    self.changed.notified().await;
                    continue;
                };
                tokio::select! {
                    () = self.changed.notified() => {}
                    () = tokio::time::sleep_until(deadline.into()) => {
                        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) = None;
                        return Ok(());
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::task::LocalSet;

    use super::*;

    const SHORT: Duration = Duration::from_micros(300);

    fn run<T>(test: impl Future<Output = T>) -> T {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().unwrap();
        runtime.block_on(LocalSet::new().run_until(test))
    }

    /// Poll once, so that the sleep is written down.
    async fn begin(sleep: &mut Sleep) -> Poll<()> {
        poll_fn(|cx| Poll::Ready(Pin::new(&mut *sleep).poll(cx))).await
    }

    #[test]
    fn a_sleep_never_ends_early() {
        run(async {
            let timer = Timer::new().unwrap();
            for micros in [0, 1, 7, 50, 333, 999, 1_000, 1_001, 2_500] {
                let deadline = Instant::now() + Duration::from_micros(micros);
                timer.sleep_until(deadline).await;
                assert!(Instant::now() >= deadline, "{micros}");
            }
        });
    }

    #[test]
    fn a_deadline_in_the_past_is_ready_at_once() {
        run(async {
            let timer = Timer::new().unwrap();
            let mut sleep = timer.sleep_until(Instant::now());
            assert!(begin(&mut sleep).await.is_ready());
            assert!(begin(&mut sleep).await.is_ready(), "and stays so");
        });
    }

    /// A waker that writes its name down.
    struct Named(u64, Arc<Mutex<Vec<u64>>>);

    impl std::task::Wake for Named {
        fn wake(self: Arc<Self>) {
            self.1.lock().unwrap().push(self.0);
        }
    }

    #[test]
    fn sleepers_wake_in_the_order_of_their_deadlines_then_of_arrival() {
        let start = Instant::now();
        let at = |step: u64| start + Duration::from_micros(step);
        let woken = Arc::new(Mutex::new(Vec::new()));
        let mut sleepers = Sleepers::default();
        for n in 0..1_000 {
            // 389 is coprime to 1000: each of 500 steps twice, out of order.
            let step = n * 389 % 1_000 / 2;
            let waker = Arc::new(Named(n, Arc::clone(&woken))).into();
            sleepers.put(at(step), None, &waker);
        }
        let mut due = Vec::new();
        for step in [0, 99, 100, 498, 600] {
            sleepers.take_due(at(step), &mut due);
            due.drain(..).for_each(Waker::wake);
            let steps = step.min(499) + 1;
            assert_eq!(woken.lock().unwrap().len() as u64, 2 * steps);
        }
        let woken = woken.lock().unwrap();
        assert!(woken.is_sorted_by_key(|n| (n * 389 % 1_000 / 2, *n)));
    }

    #[test]
    fn a_thousand_sleepers_all_wake() {
        run(async {
            let timer = Timer::new().unwrap();
            let start = Instant::now();
            let sleepers: Vec<_> = (0..1_000_u32)
                .map(|n| tokio::spawn(timer.sleep_until(start + n * Duration::from_micros(20))))
                .collect();
            for sleeper in sleepers {
                sleeper.await.unwrap();
            }
        });
    }

    #[test]
    fn an_earlier_sleeper_that_comes_later_is_not_kept_waiting() {
        run(async {
            let timer = Timer::new().unwrap();
            let mut late = timer.sleep(Duration::from_secs(3_600));
            assert!(begin(&mut late).await.is_pending());
            timer.sleep(SHORT).await;
            assert!(begin(&mut late).await.is_pending());
        });
    }

    #[test]
    fn dropped_sleepers_leave_nothing_behind_and_wake_nobody_else() {
        run(async {
            let timer = Timer::new().unwrap();
            let end = Instant::now() + 4 * SHORT;
            let mut kept = timer.sleep_until(end);
            assert!(begin(&mut kept).await.is_pending());
            for _ in 0..100 {
                let mut dropped = timer.sleep(SHORT);
                assert!(begin(&mut dropped).await.is_pending());
            }
            assert_eq!(timer.bell.board.sleepers().wakers.len(), 1);
            kept.await;
            assert!(Instant::now() >= end);
            assert!(timer.bell.board.sleepers().wakers.is_empty());
        });
    }

    #[test]
    fn a_reset_sleep_waits_for_the_new_deadline_only() {
        run(async {
            let timer = Timer::new().unwrap();
            let mut sleep = timer.sleep(Duration::from_secs(3_600));
            assert!(begin(&mut sleep).await.is_pending());
            for _ in 0..3 {
                let deadline = Instant::now() + SHORT;
                sleep.reset(deadline);
                assert_eq!(sleep.deadline(), deadline);
                (&mut sleep).await;
                assert!(Instant::now() >= deadline);
            }
        });
    }

    #[test]
    fn a_sleep_polled_by_another_task_wakes_that_one() {
        run(async {
            let timer = Timer::new().unwrap();
            let mut sleep = timer.sleep(SHORT);
            assert!(begin(&mut sleep).await.is_pending());
            tokio::spawn(sleep).await.unwrap();
        });
    }

    #[test]
    fn sleeps_outlive_the_timer_they_came_from() {
        run(async {
            let sleep = Timer::new().unwrap().sleep(SHORT);
            sleep.await;
        });
    }

    #[test]
    fn a_deadline_centuries_away_can_be_waited_for() {
        run(async {
            let timer = Timer::new().unwrap();
            let mut sleep = timer.sleep(Duration::from_secs(1 << 36));
            assert!(begin(&mut sleep).await.is_pending());
        });
    }

    #[test]
    fn a_loop_over_past_deadlines_lets_other_tasks_run() {
        run(async {
            let timer = Timer::new().unwrap();
            let past = Instant::now();
            let greedy = tokio::task::spawn_local(async move {
                loop {
                    timer.sleep_until(past).await;
                }
            });
            tokio::task::yield_now().await;
            greedy.abort();
            assert!(greedy.await.unwrap_err().is_cancelled());
        });
    }

    #[test]
    fn sleepers_on_other_threads_and_runtimes_all_wake() {
        run(async {
            let timer = Timer::new().unwrap();
            let threads: Vec<_> = (0..4_u32)
                .map(|n| {
                    let timer = timer.clone();
                    let sleeps = async move {
                        let start = Instant::now();
                        for tick in 1..=200 {
                            let deadline = start + tick * Duration::from_micros(20 + u64::from(n));
                            timer.sleep_until(deadline).await;
                            assert!(Instant::now() >= deadline);
                        }
                    };
                    std::thread::spawn(|| {
                        let mut runtime = tokio::runtime::Builder::new_current_thread();
                        runtime.build().unwrap().block_on(sleeps);
                    })
                })
                .collect();
            while !threads.iter().all(std::thread::JoinHandle::is_finished) {
                tokio::task::yield_now().await;
            }
            threads
                .into_iter()
                .for_each(|thread| thread.join().unwrap());
        });
    }

    #[test]
    fn the_portable_alarm_can_be_set_earlier_and_again() {
        run(async {
            let alarm = portable::Alarm::new().unwrap();
            for _ in 0..2 {
                alarm.set(Instant::now() + Duration::from_secs(3_600));
                let deadline = Instant::now() + Duration::from_millis(2);
                alarm.set(deadline);
                alarm.fired().await.unwrap();
                assert!(Instant::now() >= deadline);
            }
        });
    }
}
