//! Ids for blocks: consecutive, in the order in which they are first written.

/// Gives out ids.
#[derive(Clone, Debug, Default)]
pub struct Ids {
    next: u64,
}

/// A place that has no id yet.
pub const UNNAMED: u64 = u64::MAX;

impl Ids {
    /// The id at `place`, given now if it has none.
    pub fn name(&mut self, place: &mut u64) -> u64 {
        if *place == UNNAMED {
            *place = self.next;
            self.next += 1;
        }
        *place
    }

    /// Append ids of `count` blocks that nobody else has.
    pub fn append_fresh(&mut self, count: u64, ids: &mut Vec<u64>) {
        ids.extend(self.next..self.next + count);
        self.next += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_consecutive_in_first_seen_order() {
        let mut ids = Ids::default();
        let (mut a, mut b) = (UNNAMED, UNNAMED);
        let mut row = vec![ids.name(&mut a)];
        ids.append_fresh(2, &mut row);
        row.extend([ids.name(&mut b), ids.name(&mut a)]);
        assert_eq!(row, [0, 1, 2, 3, 0]);
    }
}
