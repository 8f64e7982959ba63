//! Bytes that may wait between two threads.
//!
//! One thread makes things ahead of another that uses them. The maker pays
//! for each in bytes before it hands it over, and sleeps when it has paid too
//! much; the user refunds them. It is woken only when half is free again, so
//! that the two do not take turns for every single thing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, Thread};

/// What one maker may have handed over and not been refunded.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    shared: Arc<Shared>,
    limit: usize,
}

#[derive(Debug)]
struct Shared {
    spent: AtomicUsize,
    /// The maker sleeps or is about to.
    waiting: AtomicBool,
    closed: AtomicBool,
}

impl Budget {
    /// `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        let shared = Shared {
            spent: AtomicUsize::new(0),
            waiting: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        };
        Self {
            shared: Arc::new(shared),
            limit,
        }
    }

    /// The maker: pay `bytes`, once there is room; something larger than the
    /// budget goes when nothing else is there. False if nobody wants more.
    pub(crate) fn pay(&self, bytes: usize) -> bool {
        let Shared {
            spent,
            waiting,
            closed,
        } = &*self.shared;
        let fits = || {
            let now = spent.load(Ordering::SeqCst);
            now == 0 || now + bytes <= self.limit
        };
        while !closed.load(Ordering::SeqCst) {
            if fits() {
                spent.fetch_add(bytes, Ordering::SeqCst);
                return true;
            }
            waiting.store(true, Ordering::SeqCst);
            // Look again: a refund in between has not seen the flag.
            if !fits() && !closed.load(Ordering::SeqCst) {
                thread::park();
            }
        }
        false
    }

    /// The user: `bytes` are no longer held.
    pub(crate) fn refund(&self, bytes: usize, maker: &Thread) {
        let Shared { spent, waiting, .. } = &*self.shared;
        let left = spent.fetch_sub(bytes, Ordering::SeqCst) - bytes;
        if left <= self.limit / 2 && waiting.swap(false, Ordering::SeqCst) {
            maker.unpark();
        }
    }

    /// The user: nothing more is wanted.
    pub(crate) fn close(&self, maker: &Thread) {
        self.shared.closed.store(true, Ordering::SeqCst);
        maker.unpark();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn the_maker_is_never_far_ahead() {
        let budget = Budget::new(100);
        let (sender, receiver) = mpsc::channel();
        let paying = budget.clone();
        let maker = thread::spawn(move || {
            (0..10_000)
                .take_while(|_| paying.pay(10))
                .all(|i| sender.send(i).is_ok())
        });
        let thread = maker.thread().clone();
        for expected in 0..10_000 {
            assert_eq!(receiver.recv().unwrap(), expected);
            assert!(budget.shared.spent.load(Ordering::SeqCst) <= 100);
            budget.refund(10, &thread);
        }
        assert!(maker.join().unwrap());
    }

    #[test]
    fn a_thing_larger_than_the_budget_goes_alone() {
        let budget = Budget::new(10);
        assert!(budget.pay(50));
        budget.refund(50, &thread::current());
        assert!(budget.pay(50));
    }

    #[test]
    fn a_large_thing_waits_for_enough_room() {
        let budget = Budget::new(100);
        assert!(budget.pay(30) && budget.pay(30));
        let paying = budget.clone();
        let maker = thread::spawn(move || paying.pay(90));
        let thread = maker.thread().clone();
        for _ in 0..2 {
            thread::sleep(std::time::Duration::from_millis(1));
            assert!(!maker.is_finished());
            budget.refund(30, &thread);
        }
        assert!(maker.join().unwrap());
    }

    #[test]
    fn closing_ends_a_wait() {
        let budget = Budget::new(10);
        let paying = budget.clone();
        let maker = thread::spawn(move || paying.pay(10) && !paying.pay(10));
        while !budget.shared.waiting.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        budget.close(maker.thread());
        assert!(maker.join().unwrap());
    }
}
