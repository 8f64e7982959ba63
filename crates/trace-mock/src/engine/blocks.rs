//! The KV cache in blocks: what sequences hold, and what they left behind.
//!
//! A block that is full is known by its id, which stands for it and everything before
//! it, and may be shared. The known blocks form a forest. Those that no running sequence holds
//! stay until room is needed; then the least recently used *leaf* goes, since what stands behind a
//! missing block cannot be found again. Other blocks, such as a partial last one, are only counted.

use std::collections::{BTreeSet, HashMap};

/// The KV cache of an engine.
#[derive(Clone, Debug)]
pub struct Blocks {
    capacity: u64,
    /// Blocks held by sequences that cannot be found by an id.
    private: u64,
    known: HashMap<u64, Block>,
    /// Known blocks that somebody holds.
    held: u64,
    /// Known blocks that nobody holds and nothing stands behind, by their last use.
    leaves: BTreeSet<(u64, u64)>,
    /// Counts uses.
    clock: u64,
}

#[derive(Clone, Copy, Debug)]
struct Block {
    parent: Option<u64>,
    children: u32,
    holders: u32,
    used: u64,
}

impl Blocks {
    /// An empty cache with room for `capacity` blocks.
    pub fn new(capacity: u64) -> Blocks {
        Blocks {
            capacity,
            private: 0,
            known: HashMap::new(),
            held: 0,
            leaves: BTreeSet::new(),
            clock: 0,
        }
    }

    /// Room in blocks.
    pub fn capacity(&self) -> u64 {
        self.capacity
    }

    /// Blocks that sequences hold.
    pub fn in_use(&self) -> u64 {
        self.private + self.held
    }

    /// Blocks that can be found by their id.
    pub fn cached(&self) -> u64 {
        self.known.len() as u64
    }

    /// How many of `ids`, from the start, are there.
    pub fn matching(&self, ids: &[u64]) -> usize {
        ids.iter()
            .take_while(|id| self.known.contains_key(id))
            .count()
    }

    /// Hold `ids`, a path from the start, all of which must be there.
    pub fn hold(&mut self, ids: &[u64]) {
        for id in ids {
            let block = self.known.get_mut(id).expect("only what is there is held");
            if block.holders == 0 {
                self.held += 1;
                self.leaves.remove(&(block.used, *id));
            }
            block.holders += 1;
        }
    }

    /// Whether `count` blocks can be taken.
    pub fn has_room(&self, count: u64) -> bool {
        count <= self.capacity.saturating_sub(self.in_use())
    }

    /// Take `count` blocks that have no id yet, evicting what nobody holds. Whether there was room.
    pub fn take(&mut self, count: u64) -> bool {
        if !self.has_room(count) {
            return false;
        }
        self.private += count;
        while self.private + self.cached() > self.capacity {
            self.evict();
        }
        true
    }

    /// Make a taken block known as `id`, behind `parent`, and hold it.
    ///
    /// If it is known already, because others have the same prompt, that one is held and the taken
    /// one given back.
    pub fn publish(&mut self, parent: Option<u64>, id: u64) {
        self.private -= 1;
        if self.known.contains_key(&id) {
            self.hold(&[id]);
            return;
        }
        if let Some(parent) = parent {
            let parent = self
                .known
                .get_mut(&parent)
                .expect("a path is held from its start");
            parent.children += 1;
        }
        let block = Block {
            parent,
            children: 0,
            holders: 1,
            used: 0,
        };
        self.known.insert(id, block);
        self.held += 1;
    }

    /// Let go of the path `ids` and of `private` blocks without an id.
    pub fn release(&mut self, ids: &[u64], private: u64) {
        self.private -= private;
        self.clock += 1;
        for id in ids {
            let block = self.known.get_mut(id).expect("what is held stays");
            block.holders -= 1;
            if block.holders == 0 {
                block.used = self.clock;
                self.held -= 1;
                if block.children == 0 {
                    self.leaves.insert((block.used, *id));
                }
            }
        }
    }

    /// Forget all that nobody holds. Whether that was all.
    pub fn reset(&mut self) -> bool {
        while !self.leaves.is_empty() {
            self.evict();
        }
        self.known.is_empty()
    }

    fn evict(&mut self) {
        let (_, id) = self
            .leaves
            .pop_first()
            .expect("what nobody holds has a leaf");
        let block = self.known.remove(&id).expect("leaves are known");
        let Some(parent_id) = block.parent else {
            return;
        };
        let parent = self
            .known
            .get_mut(&parent_id)
            .expect("parents outlive children");
        parent.children -= 1;
        if parent.children == 0 && parent.holders == 0 {
            self.leaves.insert((parent.used, parent_id));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compute and let go of a prompt with these blocks.
    fn visit(blocks: &mut Blocks, ids: &[u64]) -> usize {
        let hit = blocks.matching(ids);
        blocks.hold(&ids[..hit]);
        assert!(blocks.take((ids.len() - hit) as u64));
        for at in hit..ids.len() {
            blocks.publish(at.checked_sub(1).map(|before| ids[before]), ids[at]);
        }
        blocks.release(ids, 0);
        hit
    }

    #[test]
    fn a_prompt_finds_what_another_left() {
        let mut blocks = Blocks::new(10);
        assert_eq!(visit(&mut blocks, &[1, 2, 3]), 0);
        assert_eq!(visit(&mut blocks, &[1, 2, 4]), 2);
        assert_eq!(blocks.matching(&[1, 2, 4, 5]), 3);
        assert_eq!((blocks.cached(), blocks.in_use()), (4, 0));
    }

    #[test]
    fn the_least_recently_used_leaf_goes_first() {
        let mut blocks = Blocks::new(4);
        visit(&mut blocks, &[1, 2]);
        visit(&mut blocks, &[1, 3]);
        visit(&mut blocks, &[7]);
        // Full. 2 was used first; 1 is older than 7 but not a leaf.
        visit(&mut blocks, &[8]);
        assert_eq!(blocks.matching(&[1, 2]), 1);
        assert_eq!(blocks.matching(&[1, 3]), 2);
        // Then 3, then its parent, both before 7.
        visit(&mut blocks, &[9, 10]);
        assert_eq!(blocks.matching(&[1]), 0);
        assert_eq!(blocks.matching(&[7]), 1);
    }

    #[test]
    fn what_is_held_is_never_evicted() {
        let mut blocks = Blocks::new(3);
        visit(&mut blocks, &[1, 2]);
        blocks.hold(&[1, 2]);
        assert!(!blocks.take(2));
        assert!(blocks.take(1));
        assert_eq!(blocks.in_use(), 3);
        blocks.release(&[1, 2], 1);
        assert!(blocks.take(3));
        assert_eq!((blocks.cached(), blocks.in_use()), (0, 3));
    }

    #[test]
    fn the_same_block_computed_twice_is_kept_once() {
        let mut blocks = Blocks::new(4);
        assert!(blocks.take(2));
        blocks.publish(None, 1);
        blocks.publish(None, 1);
        assert_eq!((blocks.cached(), blocks.in_use()), (1, 1));
        blocks.release(&[1], 0);
        assert_eq!(blocks.in_use(), 1);
        blocks.release(&[1], 0);
        assert_eq!(blocks.in_use(), 0);
    }

    #[test]
    fn a_reset_forgets_what_nobody_holds() {
        let mut blocks = Blocks::new(9);
        visit(&mut blocks, &[1, 2, 3]);
        visit(&mut blocks, &[4]);
        blocks.hold(&[1]);
        assert!(!blocks.reset());
        assert_eq!((blocks.matching(&[1, 2]), blocks.matching(&[4])), (1, 0));
        blocks.release(&[1], 0);
        assert!(blocks.reset());
    }
}
