//! What is wrong with a trace: counted, with the places of the first few.
//!
//! A flawed line still counts. Whoever relies on the figures should know how
//! many there are and where to look; a tool that dies at the first one shows
//! neither.

use serde::Serialize;

/// How many places are named for each kind of flaw.
pub const NAMED: usize = 5;

/// Lines with one kind of flaw.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Flaw {
    /// How many lines have it.
    pub count: u64,
    /// The first few of them, as `file:line`.
    pub first: Vec<String>,
}

impl Flaw {
    /// Count a line with the flaw, at `place`.
    pub fn add(&mut self, place: impl FnOnce() -> String) {
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push(place());
        }
    }

    /// `3 lines (a.jsonl:1, a.jsonl:7, …)`
    pub fn in_words(&self) -> String {
        let plural = if self.count == 1 { "" } else { "s" };
        let more = if self.count > self.first.len() as u64 {
            ", …"
        } else {
            ""
        };
        format!(
            "{} line{plural} ({}{more})",
            self.count,
            self.first.join(", ")
        )
    }
}

/// Where each of a growing number of rows stands in its file.
///
/// Rows mostly come one line after the other, so only the breaks are kept: 16
/// bytes each.
#[derive(Debug, Default)]
pub struct Places {
    names: Vec<String>,
    breaks: Vec<Break>,
    rows: u32,
}

/// From `row` on, lines count up from `line`.
#[derive(Debug)]
struct Break {
    row: u32,
    name: u32,
    line: u64,
}

impl Places {
    /// Note the place of the next row.
    pub fn push(&mut self, name: &str, line: u64) {
        let last = self.breaks.last();
        let follows = last.is_some_and(|last| {
            line == last.line + u64::from(self.rows - last.row)
                && self.names[last.name as usize] == name
        });
        if !follows {
            let known = self.names.iter().position(|known| known == name);
            let index = known.unwrap_or_else(|| {
                self.names.push(name.to_owned());
                self.names.len() - 1
            });
            self.breaks.push(Break {
                row: self.rows,
                name: index as u32,
                line,
            });
        }
        self.rows += 1;
    }

    /// The place of a row that was pushed, as `file:line`.
    pub fn place(&self, row: u32) -> String {
        let index = self.breaks.partition_point(|b| b.row <= row) - 1;
        let start = &self.breaks[index];
        let line = start.line + u64::from(row - start.row);
        format!("{}:{line}", self.names[start.name as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_survive_gaps_and_new_files() {
        let mut places = Places::default();
        let rows = [("a", 1), ("a", 2), ("a", 5), ("a", 6), ("b", 7), ("b", 8)];
        for (name, line) in rows {
            places.push(name, line);
        }
        assert_eq!(places.breaks.len(), 3);
        for (row, (name, line)) in (0..).zip(rows) {
            assert_eq!(places.place(row), format!("{name}:{line}"));
        }
    }

    #[test]
    fn only_the_first_few_are_named() {
        let mut flaw = Flaw::default();
        for line in 1..=7 {
            flaw.add(|| format!("t:{line}"));
        }
        assert_eq!(flaw.in_words(), "7 lines (t:1, t:2, t:3, t:4, t:5, …)");
    }
}
