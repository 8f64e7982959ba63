//! Ids of blocks that everybody shares.

use std::collections::HashMap;

use super::ids::UNNAMED;

/// Places for the ids of public blocks: a table for each root, and of what is
/// new in each pass one for each pass and root.
#[derive(Debug, Default)]
pub struct Names {
    lasting: Vec<Vec<u64>>,
    passing: HashMap<(u64, u32), Vec<u64>>,
    /// Places in a table of each kind.
    sizes: (usize, usize),
}

impl Names {
    /// Tables of so many lasting and passing places, for so many roots.
    pub fn new(lasting: usize, passing: usize, roots: u32) -> Self {
        Self {
            lasting: vec![Vec::new(); roots as usize],
            passing: HashMap::new(),
            sizes: (lasting, passing),
        }
    }

    /// The places of a root that stay for ever.
    pub fn lasting(&mut self, root: u32) -> &mut [u64] {
        let table = &mut self.lasting[root as usize];
        if table.is_empty() {
            table.resize(self.sizes.0, UNNAMED);
        }
        table
    }

    /// The places of a pass and root.
    pub fn passing(&mut self, pass: u64, root: u32) -> &mut [u64] {
        let size = self.sizes.1;
        self.passing
            .entry((pass, root))
            .or_insert_with(|| vec![UNNAMED; size])
    }

    /// Forget passes before `pass`.
    pub fn forget_before(&mut self, pass: u64) {
        self.passing.retain(|&(of, _), _| of >= pass);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lasts_is_kept_when_a_pass_is_forgotten() {
        let mut names = Names::new(1, 1, 2);
        names.lasting(1)[0] = 5;
        names.passing(3, 1)[0] = 6;
        names.passing(4, 1)[0] = 7;
        names.forget_before(4);
        assert_eq!(names.lasting(1), [5]);
        assert_eq!(names.passing(3, 1), [UNNAMED]);
        assert_eq!(names.passing(4, 1), [7]);
    }
}
