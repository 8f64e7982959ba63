//! The ids of a prompt that grows, as runs of consecutive numbers.

/// Ids of the blocks of something that prompts begin with, in order.
///
/// An id stands for a block and everything before it, so whoever continues a
/// prompt keeps its ids, that of a last block that was not yet full included:
/// its text is the beginning of the full block's. Ids are handed out when they
/// are first written, so that in a trace they appear in order from 0; what is
/// held is where they stopped being consecutive, not each of them.
#[derive(Clone, Debug, Default)]
pub struct Runs {
    /// First id, and how many follow it, that one included.
    parts: Vec<(u64, u64)>,
    blocks: u64,
}

impl Runs {
    /// Append the ids of the first `blocks` blocks to `ids`; what has none yet
    /// is numbered from `next` on.
    pub fn put(&mut self, blocks: u64, next: &mut u64, ids: &mut Vec<u64>) {
        if blocks > self.blocks {
            self.grow(blocks - self.blocks, next);
        }
        let mut left = blocks;
        for &(first, count) in &self.parts {
            let here = count.min(left);
            ids.extend(first..first + here);
            left -= here;
            if left == 0 {
                break;
            }
        }
    }

    fn grow(&mut self, blocks: u64, next: &mut u64) {
        match self.parts.last_mut() {
            Some((first, count)) if *first + *count == *next => *count += blocks,
            _ => self.parts.push((*next, blocks)),
        }
        self.blocks += blocks;
        *next += blocks;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(runs: &mut Runs, blocks: u64, next: &mut u64) -> Vec<u64> {
        let mut ids = Vec::new();
        runs.put(blocks, next, &mut ids);
        ids
    }

    #[test]
    fn what_grows_keeps_its_ids() {
        let (mut one, mut other, mut next) = (Runs::default(), Runs::default(), 0);
        assert_eq!(put(&mut one, 2, &mut next), [0, 1]);
        assert_eq!(put(&mut other, 1, &mut next), [2]);
        assert_eq!(put(&mut one, 3, &mut next), [0, 1, 3]);
        assert_eq!(put(&mut one, 5, &mut next), [0, 1, 3, 4, 5]);
        assert_eq!(put(&mut one, 1, &mut next), [0]);
        assert_eq!(put(&mut other, 0, &mut next), [0; 0]);
        assert_eq!(one.parts, [(0, 2), (3, 3)]);
        assert_eq!(next, 6);
    }
}
