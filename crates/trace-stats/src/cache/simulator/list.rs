//! A list of blocks that any block can be taken out of at once.

/// Blocks from front to back, each at most once; 8 bytes per block number.
#[derive(Debug, Clone, Default)]
pub(super) struct List {
    /// Of each block: the one before it and the one behind it.
    links: Vec<Links>,
    front: End,
    back: End,
    len: u64,
}

type End = Option<u32>;

#[derive(Debug, Clone, Copy)]
struct Links {
    before: u32,
    behind: u32,
}

/// Not in the list.
const OUT: u32 = u32::MAX;
/// Nothing on that side.
const END: u32 = u32::MAX - 1;

impl List {
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn holds(&self, block: u32) -> bool {
        let links = self.links.get(block as usize);
        links.is_some_and(|links| links.before != OUT)
    }

    /// Put `block`, which is not in the list, at its front.
    pub(super) fn push_front(&mut self, block: u32) {
        let at = block as usize;
        if at >= self.links.len() {
            let out = Links {
                before: OUT,
                behind: OUT,
            };
            self.links.resize(at + 1, out);
        }
        self.links[at] = Links {
            before: END,
            behind: self.front.unwrap_or(END),
        };
        match self.front {
            Some(front) => self.links[front as usize].before = block,
            None => self.back = Some(block),
        }
        self.front = Some(block);
        self.len += 1;
    }

    /// Take `block`, which is in the list, out of it.
    pub(super) fn remove(&mut self, block: u32) {
        let Links { before, behind } = self.links[block as usize];
        match before {
            END => self.front = (behind != END).then_some(behind),
            before => self.links[before as usize].behind = behind,
        }
        match behind {
            END => self.back = (before != END).then_some(before),
            behind => self.links[behind as usize].before = before,
        }
        self.links[block as usize].before = OUT;
        self.len -= 1;
    }

    /// Take the last block out.
    pub(super) fn pop_back(&mut self) -> Option<u32> {
        let back = self.back?;
        self.remove(back);
        Some(back)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::VecDeque;

    proptest! {
        #[test]
        fn it_is_a_deque(steps in prop::collection::vec((0u32..10, any::<bool>()), 0..100)) {
            let (mut list, mut deque) = (List::default(), VecDeque::new());
            for (block, pop) in steps {
                if pop {
                    prop_assert_eq!(list.pop_back(), deque.pop_back());
                    continue;
                }
                if let Some(at) = deque.iter().position(|&held| held == block) {
                    prop_assert!(list.holds(block));
                    list.remove(block);
                    deque.remove(at);
                }
                prop_assert!(!list.holds(block));
                list.push_front(block);
                deque.push_front(block);
                prop_assert_eq!(list.len(), deque.len() as u64);
            }
        }
    }
}
