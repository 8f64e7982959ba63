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

    /// Append the ids at `places`, blocks below each other: where one has no
    /// id, nor have those after it.
    pub fn append(&mut self, places: &mut [u64], ids: &mut Vec<u64>) {
        if places.last() == Some(&UNNAMED) {
            let named = places.partition_point(|&place| place != UNNAMED);
            for place in &mut places[named..] {
                *place = self.next;
                self.next += 1;
            }
        }
        ids.extend_from_slice(places);
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
        let (mut places, mut row) = ([UNNAMED; 4], Vec::new());
        ids.append(&mut places[..2], &mut row);
        ids.append_fresh(2, &mut row);
        ids.append(&mut places, &mut row);
        assert_eq!(row, [0, 1, 2, 3, 0, 1, 4, 5]);
        assert_eq!(ids.name(&mut places[3]), 5);
        assert_eq!(ids.name(&mut { UNNAMED }), 6);
    }
}
