//! What is due when: a queue of places by time.

use trace_core::Micros;

/// Children of an entry: four of 16 bytes share a cache line.
const CHILDREN: usize = 4;

/// Numbered things by the time they are due, the earliest first; at equal
/// times the one of the lower number.
///
/// A heap of four children an entry instead of the library's two: of a hundred
/// thousand entries, which don't fit the nearest cache, half as many lines are
/// looked at.
#[derive(Clone, Debug, Default)]
pub struct Agenda {
    entries: Vec<(Micros, u32)>,
}

impl Agenda {
    /// The time of the first.
    pub fn due(&self) -> Option<Micros> {
        self.entries.first().map(|&(due, _)| due)
    }

    /// Add `number`, due at `due`.
    pub fn push(&mut self, due: Micros, number: u32) {
        let entry = (due, number);
        self.entries.push(entry);
        let mut at = self.entries.len() - 1;
        while at > 0 {
            let above = (at - 1) / CHILDREN;
            if self.entries[above] <= entry {
                break;
            }
            self.entries[at] = self.entries[above];
            at = above;
        }
        self.entries[at] = entry;
    }

    /// Take the first.
    pub fn pop(&mut self) -> Option<(Micros, u32)> {
        let last = self.entries.pop()?;
        let Some(&first) = self.entries.first() else {
            return Some(last);
        };
        let mut at = 0;
        loop {
            let from = CHILDREN * at + 1;
            let until = self.entries.len().min(from + CHILDREN);
            let children = self.entries.get(from..until).unwrap_or_default();
            let least = children.iter().zip(from..).min();
            match least {
                Some((&child, place)) if child < last => {
                    self.entries[at] = child;
                    at = place;
                }
                _ => break,
            }
        }
        self.entries[at] = last;
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;

    proptest! {
        #[test]
        fn the_earliest_comes_first(steps in proptest::collection::vec(proptest::option::of((0..40_u64, 0..9_u32)), 0..300)) {
            let (mut agenda, mut expected) = (Agenda::default(), BinaryHeap::new());
            for step in steps {
                match step {
                    Some((due, number)) => {
                        let due = Micros::from_micros(due);
                        agenda.push(due, number);
                        expected.push(Reverse((due, number)));
                    }
                    None => prop_assert_eq!(agenda.pop(), expected.pop().map(|Reverse(first)| first)),
                }
                prop_assert_eq!(agenda.due(), expected.peek().map(|Reverse((due, _))| *due));
            }
        }
    }
}
