//! The order of last use: which moments are somebody's latest, and how many
//! of them lie after another.
//!
//! Time counts accesses. A bit per moment says that the block accessed then
//! has not been accessed since; the distance of a block is the number of set
//! bits after its own. Sums over 512 bits stand in a Fenwick tree, so a
//! question costs a few popcounts and some twenty additions, and 24 million
//! moments take 3 MB, which stays in the cache of the processor where a tree
//! over moments would not.

/// Bits whose sum is one entry of the tree.
const GROUP_BITS: u32 = 512;
const GROUP_WORDS: usize = (GROUP_BITS / 64) as usize;

/// A block that was never accessed, in a table of last accesses.
pub const NEVER: u32 = u32::MAX;

/// Moments that are the latest of some block.
#[derive(Debug, Clone)]
pub struct Recency {
    words: Vec<u64>,
    /// Fenwick tree over the sums of groups, from index 1.
    sums: Vec<u32>,
    now: u32,
    marked: u32,
}

impl Default for Recency {
    fn default() -> Self {
        Self::with_room(1 << 16)
    }
}

impl Recency {
    /// Room for `moments` before [`Recency::compact`] is due.
    fn with_room(moments: u32) -> Self {
        let groups = moments.div_ceil(GROUP_BITS) as usize;
        Self {
            words: vec![0; groups * GROUP_WORDS],
            sums: vec![0; groups + 1],
            now: 0,
            marked: 0,
        }
    }

    /// The next moment.
    pub fn now(&self) -> u32 {
        self.now
    }

    /// Number of blocks accessed so far.
    pub fn marked(&self) -> u32 {
        self.marked
    }

    /// Whether `count` more moments fit.
    pub fn has_room(&self, count: usize) -> bool {
        self.now as usize + count <= self.words.len() * 64
    }

    /// Number of marks after `moment`.
    pub fn after(&self, moment: u32) -> u32 {
        let group = (moment / GROUP_BITS) as usize;
        let mut upto = 0;
        let mut node = group;
        while node > 0 {
            upto += self.sums[node];
            node &= node - 1;
        }
        let word = (moment / 64) as usize;
        for &bits in &self.words[group * GROUP_WORDS..word] {
            upto += bits.count_ones();
        }
        let through = u64::MAX >> (63 - moment % 64);
        upto += (self.words[word] & through).count_ones();
        self.marked - upto
    }

    /// Mark the next `count` moments: accesses to blocks that had no mark.
    pub fn mark(&mut self, count: u32) {
        let from = self.now;
        self.now += count;
        self.marked += count;
        self.change(from, count, |word, bits| *word |= bits, u32::wrapping_add);
    }

    /// Move the marks of `count` moments from `moment` to the next ones: the
    /// blocks accessed then are accessed again, in the same order.
    pub fn renew(&mut self, moment: u32, count: u32) {
        self.change(
            moment,
            count,
            |word, bits| *word &= !bits,
            u32::wrapping_sub,
        );
        self.marked -= count;
        self.mark(count);
    }

    /// Set or clear the bits of `count` moments, and say so to the sums.
    fn change(
        &mut self,
        from: u32,
        count: u32,
        set: impl Fn(&mut u64, u64),
        add: impl Fn(u32, u32) -> u32,
    ) {
        let end = from + count;
        let mut at = from;
        while at < end {
            let group = at / GROUP_BITS;
            let stop = end.min((group + 1) * GROUP_BITS);
            let changed = stop - at;
            while at < stop {
                let bits = (64 - at % 64).min(stop - at);
                let mask = (u64::MAX >> (64 - bits)) << (at % 64);
                set(&mut self.words[(at / 64) as usize], mask);
                at += bits;
            }
            let mut node = group as usize + 1;
            while node < self.sums.len() {
                self.sums[node] = add(self.sums[node], changed);
                node += node & node.wrapping_neg();
            }
        }
    }

    /// Forget the moments that are nobody's latest, and make room for `count`
    /// more beyond as many as there are marks. `last` has the last access of
    /// each block and is renumbered.
    pub fn compact(&mut self, last: &mut [u32], count: usize) {
        let mut before = Vec::with_capacity(self.words.len());
        let mut sum = 0;
        for word in &self.words {
            before.push(sum);
            sum += word.count_ones();
        }
        for moment in last.iter_mut().filter(|moment| **moment != NEVER) {
            let word = (*moment / 64) as usize;
            let below = (1u64 << (*moment % 64)) - 1;
            *moment = before[word] + (self.words[word] & below).count_ones();
        }
        let marked = self.marked;
        // A bit is cheap and renumbering every block is not: eight accesses for
        // each block until the next time.
        let room = (8 * u64::from(marked)).max(1 << 16) + count as u64;
        let room = u32::try_from(room).unwrap_or(u32::MAX - GROUP_BITS);
        *self = Self::with_room(room);
        self.mark(marked);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn marks_are_counted_as_in_a_list(
            steps in prop::collection::vec((any::<prop::sample::Index>(), 1u32..700, any::<bool>()), 1..60),
        ) {
            let mut recency = Recency::default();
            let mut marks: Vec<bool> = Vec::new();
            for (at, count, new) in steps {
                let at = at.index(marks.len().max(1)) as u32;
                let run = marks[(at as usize).min(marks.len())..].iter().take_while(|m| **m).count() as u32;
                let count = if new { count } else { count.min(run) };
                if new {
                    recency.mark(count);
                } else if count > 0 {
                    recency.renew(at, count);
                    marks[at as usize..(at + count) as usize].fill(false);
                }
                marks.resize(marks.len() + count as usize, true);
                prop_assert_eq!(recency.now() as usize, marks.len());
                if marks.is_empty() {
                    continue;
                }
                for moment in [0, marks.len() / 2, marks.len() - 1] {
                    let after = marks[moment + 1..].iter().filter(|m| **m).count();
                    prop_assert_eq!(recency.after(moment as u32) as usize, after);
                }
            }
            // Compaction keeps the order of the marks.
            let mut last: Vec<u32> = (0..).zip(&marks).filter(|(_, m)| **m).map(|(at, _)| at).collect();
            let blocks = last.len() as u32;
            recency.compact(&mut last, 5);
            prop_assert!(last.into_iter().eq(0..blocks));
            prop_assert_eq!((recency.now(), recency.marked()), (blocks, blocks));
            prop_assert!(recency.has_room(5));
        }
    }
}
