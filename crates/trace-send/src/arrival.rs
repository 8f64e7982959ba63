//! When bytes came, for sockets of which the kernel does not tell: noted as
//! the runtime learns of them, before anyone reads.
//!
//! The runtime hears from the kernel of many sockets at once and then lets
//! their tasks read one after the other, a dozen microseconds each. A stamp
//! taken at the read would count those before it: with 1500 streams of 20
//! tokens a second, half a millisecond. So the waker that waits for a socket
//! looks at the clock when it is called.

use crate::clock::Clock;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Wake, Waker};
use trace_core::time::Micros;

/// What `noted` holds while nothing has come.
const NOTHING: u64 = u64::MAX;

/// Wakes a task, and knows when.
pub(crate) struct Arrival {
    clock: Clock,
    task: Waker,
    noted: AtomicU64,
}

impl Arrival {
    /// Wakes `task`; the time is by `clock`.
    pub(crate) fn new(clock: Clock, task: Waker) -> Arc<Self> {
        Arc::new(Self {
            clock,
            task,
            noted: AtomicU64::new(NOTHING),
        })
    }

    /// Whether it wakes `task`.
    pub(crate) fn wakes(&self, task: &Waker) -> bool {
        self.task.will_wake(task)
    }

    /// When it was first called since this was last asked, if it was.
    pub(crate) fn take(&self) -> Option<Micros> {
        let noted = self.noted.swap(NOTHING, Ordering::Relaxed);
        (noted != NOTHING).then_some(Micros::from_micros(noted))
    }
}

impl Wake for Arrival {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let now = self.clock.now().as_micros();
        self.noted.fetch_min(now, Ordering::Relaxed);
        self.task.wake_by_ref();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    struct Counting(AtomicUsize);

    impl Wake for Counting {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn the_first_call_is_what_is_noted_and_each_wakes_the_task() {
        let clock = Clock::start(None);
        let counting = Arc::new(Counting(AtomicUsize::new(0)));
        let task = Waker::from(Arc::clone(&counting));
        let arrival = Arrival::new(clock, task.clone());
        assert!(arrival.wakes(&task));
        assert_eq!(arrival.take(), None);
        let waker = Waker::from(Arc::clone(&arrival));
        let before = clock.now();
        waker.wake_by_ref();
        let between = clock.now();
        std::thread::sleep(std::time::Duration::from_millis(1));
        waker.wake();
        assert_eq!(counting.0.load(Ordering::Relaxed), 2);
        let noted = arrival.take().unwrap();
        assert!((before..=between).contains(&noted), "{noted}");
        assert_eq!(arrival.take(), None);
    }
}
