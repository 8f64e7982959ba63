//! First in, first out.

use super::{ByBlock, Simulator};
use std::collections::VecDeque;

/// The block that came longest ago goes first, however often it was used.
#[derive(Debug, Clone)]
pub struct Fifo {
    capacity: u64,
    queue: VecDeque<u32>,
    held: ByBlock<bool>,
}

impl Fifo {
    /// An empty cache of `capacity` blocks, at least 1.
    pub fn new(capacity: u64) -> Self {
        Self {
            capacity,
            queue: VecDeque::new(),
            held: ByBlock::default(),
        }
    }
}

impl Simulator for Fifo {
    fn holds(&self, block: u32) -> bool {
        self.held.get(block)
    }

    fn access(&mut self, block: u32) -> bool {
        if self.holds(block) {
            return true;
        }
        if self.queue.len() as u64 == self.capacity
            && let Some(oldest) = self.queue.pop_front()
        {
            *self.held.entry(oldest) = false;
        }
        self.queue.push_back(block);
        *self.held.entry(block) = true;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{accesses, outcomes};
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_oldest_goes_first(accesses in accesses(), capacity in 1usize..12) {
            let mut arrivals: Vec<u32> = Vec::new();
            let naive = accesses.iter().map(|block| {
                // The last `capacity` blocks that came in are held.
                let from = arrivals.len().saturating_sub(capacity);
                let hit = arrivals[from..].contains(block);
                if !hit {
                    arrivals.push(*block);
                }
                hit
            });
            let naive: Vec<bool> = naive.collect();
            prop_assert_eq!(outcomes(&mut Fifo::new(capacity as u64), &accesses), naive);
        }
    }
}
