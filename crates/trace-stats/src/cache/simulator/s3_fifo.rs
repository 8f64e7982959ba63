//! S3-FIFO (Yang et al., SOSP 2023): three queues, and no list to reorder.

use super::{ByBlock, Simulator};
use std::collections::VecDeque;

/// New blocks wait in a small queue, a tenth of the cache, and get into the
/// main one only if they are used more than once while there, or come back
/// soon after.
///
/// Uses are counted up to three and forgotten on the way to the main queue, at
/// whose end a used block goes round again with one use less. A block that
/// left the small queue unused is remembered as long as it is among as many
/// as the main queue has places.
#[derive(Debug, Clone)]
pub struct S3Fifo {
    capacity: u64,
    small: VecDeque<u32>,
    main: VecDeque<u32>,
    states: ByBlock<State>,
    /// Blocks that left the small queue unused, so far.
    left: u64,
}

#[derive(Debug, Clone, Copy, Default)]
struct State {
    held: bool,
    uses: u8,
    /// What `left` was when this block left the small queue unused.
    left: Option<u64>,
}

impl S3Fifo {
    /// An empty cache of `capacity` blocks, at least 1.
    pub fn new(capacity: u64) -> Self {
        Self {
            capacity,
            small: VecDeque::new(),
            main: VecDeque::new(),
            states: ByBlock::default(),
            left: 0,
        }
    }

    fn small_target(&self) -> u64 {
        (self.capacity / 10).max(1)
    }

    /// Whether `block` left the small queue a short while ago.
    fn is_ghost(&self, state: State) -> bool {
        let remembered = self.capacity - self.small_target();
        state.left.is_some_and(|left| self.left - left < remembered)
    }

    fn evict(&mut self) {
        if self.small.len() as u64 >= self.small_target() {
            while let Some(block) = self.small.pop_front() {
                let left = self.left + 1;
                let state = self.states.entry(block);
                if state.uses > 1 {
                    state.uses = 0;
                    self.main.push_back(block);
                    continue;
                }
                *state = State {
                    left: Some(left),
                    ..State::default()
                };
                self.left = left;
                return;
            }
        }
        while let Some(block) = self.main.pop_front() {
            let state = self.states.entry(block);
            if state.uses == 0 {
                *state = State::default();
                return;
            }
            state.uses -= 1;
            self.main.push_back(block);
        }
    }
}

impl Simulator for S3Fifo {
    fn holds(&self, block: u32) -> bool {
        self.states.get(block).held
    }

    fn access(&mut self, block: u32) -> bool {
        let state = self.states.entry(block);
        if state.held {
            state.uses = (state.uses + 1).min(3);
            return true;
        }
        let was_here = self.is_ghost(self.states.get(block));
        while (self.small.len() + self.main.len()) as u64 >= self.capacity {
            self.evict();
        }
        *self.states.entry(block) = State {
            held: true,
            ..State::default()
        };
        if was_here {
            self.main.push_back(block);
        } else {
            self.small.push_back(block);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{accesses, outcomes};
    use super::*;
    use proptest::prelude::*;

    /// The algorithm of the paper over plain lists, newest first.
    #[derive(Default)]
    struct Naive {
        small: Vec<(u32, u32)>,
        main: Vec<(u32, u32)>,
        ghost: Vec<u32>,
    }

    impl Naive {
        fn access(&mut self, block: u32, capacity: usize) -> bool {
            let small = (capacity / 10).max(1);
            let held = self.small.iter_mut().chain(&mut self.main);
            if let Some((_, uses)) = held.into_iter().find(|(held, _)| *held == block) {
                *uses = 3.min(*uses + 1);
                return true;
            }
            let returns = self
                .ghost
                .iter()
                .take(capacity - small)
                .any(|&ghost| ghost == block);
            while self.small.len() + self.main.len() >= capacity {
                if self.small.len() >= small {
                    self.evict_small();
                } else {
                    self.evict_main();
                }
            }
            if returns {
                // Taken out without making room for an older one.
                for ghost in self.ghost.iter_mut().filter(|ghost| **ghost == block) {
                    *ghost = u32::MAX;
                }
                self.main.insert(0, (block, 0));
            } else {
                self.small.insert(0, (block, 0));
            }
            false
        }

        fn evict_small(&mut self) {
            while let Some((block, uses)) = self.small.pop() {
                if uses <= 1 {
                    self.ghost.insert(0, block);
                    return;
                }
                self.main.insert(0, (block, 0));
            }
            self.evict_main();
        }

        fn evict_main(&mut self) {
            while let Some((block, uses)) = self.main.pop() {
                if uses == 0 {
                    return;
                }
                self.main.insert(0, (block, uses - 1));
            }
        }
    }

    proptest! {
        #[test]
        fn it_does_as_the_paper_says(accesses in accesses(), capacity in 1usize..30) {
            let mut naive = Naive::default();
            let expected = accesses.iter().map(|&block| naive.access(block, capacity));
            let expected: Vec<bool> = expected.collect();
            prop_assert_eq!(outcomes(&mut S3Fifo::new(capacity as u64), &accesses), expected);
        }
    }
}
