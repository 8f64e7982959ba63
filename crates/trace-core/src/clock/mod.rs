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

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

use tokio::task::{AbortHandle, coop};

use sleepers::Sleepers;

#[cfg(not(target_os = "linux"))]
use portable::Alarm;
#[cfg(target_os = "linux")]
use timerfd::Alarm;

#[cfg(any(not(target_os = "linux"), test))]
mod portable;
mod sleepers;
#[cfg(test)]
mod tests;
#[cfg(target_os = "linux")]
mod timerfd;
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
