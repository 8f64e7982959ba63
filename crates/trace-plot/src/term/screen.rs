//! Cells of a terminal, eight dots each.
//!
//! A character of the Braille block (U+2800 to U+28FF) shows any of two by four
//! dots, so a plot of 80 by 20 characters has 160 by 80 dots.

use crate::theme::Ink;

/// Dots across in a cell.
pub(super) const ACROSS: usize = 2;
/// Dots down in a cell.
pub(super) const DOWN: usize = 4;

/// The bit of each dot, row by row.
const BITS: [[u8; ACROSS]; DOWN] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

/// What a cell shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    dots: u8,
    /// A character that covers the dots.
    sign: Option<char>,
    /// The colour of what was drawn last.
    pub(super) ink: Ink,
}

/// A rectangle of cells.
#[derive(Clone, Debug)]
pub(super) struct Screen {
    columns: usize,
    cells: Vec<Cell>,
}

impl Cell {
    const EMPTY: Self = Self {
        dots: 0,
        sign: None,
        ink: Ink::Other,
    };

    /// The character.
    pub(super) fn sign(self) -> char {
        let dots = || match self.dots {
            0 => ' ',
            dots => char::from_u32(0x2800 + u32::from(dots)).unwrap_or(' '),
        };
        self.sign.unwrap_or_else(dots)
    }
}

impl Screen {
    /// An empty one.
    pub(super) fn new(columns: usize, rows: usize) -> Self {
        Self {
            columns,
            cells: vec![Cell::EMPTY; columns * rows],
        }
    }

    /// The rows, from above.
    pub(super) fn rows(&self) -> impl Iterator<Item = &[Cell]> {
        self.cells.chunks(self.columns.max(1))
    }

    /// Dots across and down.
    pub(super) fn size(&self) -> (usize, usize) {
        let rows = self.cells.len() / self.columns.max(1);
        (self.columns * ACROSS, rows * DOWN)
    }

    /// Draw the dot at `x` from the left and `y` from above; with `letter`,
    /// that in place of its cell.
    pub(super) fn dot(&mut self, (x, y): (usize, usize), ink: Ink, letter: Option<char>) {
        let (width, height) = self.size();
        if x >= width || y >= height {
            return;
        }
        let cell = &mut self.cells[y / DOWN * self.columns + x / ACROSS];
        cell.dots |= BITS[y % DOWN][x % ACROSS];
        cell.ink = ink;
        if letter.is_some() {
            cell.sign = letter;
        }
    }

    /// A straight line of dots between two; with `gaps`, half of them.
    pub(super) fn line(
        &mut self,
        from: (usize, usize),
        to: (usize, usize),
        ink: Ink,
        (letter, gaps): (Option<char>, bool),
    ) {
        let (dx, dy) = (from.0.abs_diff(to.0), from.1.abs_diff(to.1));
        let steps = dx.max(dy);
        let between = |a: usize, b: usize, step: usize| {
            let moved = (a.abs_diff(b) * step + steps / 2).checked_div(steps);
            let moved = moved.unwrap_or(0);
            if b > a { a + moved } else { a - moved }
        };
        for step in 0..=steps {
            let at = (between(from.0, to.0, step), between(from.1, to.1, step));
            if !gaps || (at.0 + at.1) % 4 < 2 {
                self.dot(at, ink, letter);
            }
        }
    }

    /// `text` over what is drawn, beginning in the cell of the dot at `at`, if
    /// it has room there.
    pub(super) fn words(&mut self, (x, y): (usize, usize), text: &str, ink: Ink) {
        let (column, row) = (x / ACROSS, y / DOWN);
        let length = text.chars().count();
        let start = row * self.columns + column;
        if column + length > self.columns || start + length > self.cells.len() {
            return;
        }
        let place = &mut self.cells[start..start + length];
        if place.iter().any(|cell| cell.sign.is_some()) {
            return;
        }
        for (cell, sign) in place.iter_mut().zip(text.chars()) {
            (cell.sign, cell.ink) = (Some(sign), ink);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(screen: &Screen) -> Vec<String> {
        let rows = screen.rows();
        rows.map(|row| row.iter().map(|cell| cell.sign()).collect())
            .collect()
    }

    #[test]
    fn a_cell_has_eight_dots() {
        let mut screen = Screen::new(2, 1);
        assert_eq!(
            (screen.size(), text(&screen)),
            ((4, 4), vec!["  ".to_owned()])
        );
        for y in 0..4 {
            for x in 0..2 {
                screen.dot((x, y), Ink::All, None);
            }
        }
        screen.dot((3, 3), Ink::All, None);
        assert_eq!(text(&screen), ["⣿⢀"]);
    }

    #[test]
    fn a_line_joins_its_ends_in_any_direction() {
        for (from, to) in [
            ((0, 0), (7, 7)),
            ((7, 7), (0, 0)),
            ((7, 0), (0, 7)),
            ((3, 3), (3, 3)),
        ] {
            let mut screen = Screen::new(4, 2);
            screen.line(from, to, Ink::All, (None, false));
            let dots: u32 = screen.cells.iter().map(|cell| cell.dots.count_ones()).sum();
            assert_eq!(dots as usize, from.0.abs_diff(to.0) + 1);
            let mut ends = Screen::new(4, 2);
            for end in [from, to] {
                ends.dot(end, Ink::All, None);
            }
            for (line, end) in screen.cells.iter().zip(&ends.cells) {
                assert_eq!(line.dots & end.dots, end.dots);
            }
        }
    }

    #[test]
    fn nothing_is_drawn_outside() {
        let mut screen = Screen::new(2, 1);
        screen.dot((4, 0), Ink::All, Some('x'));
        screen.dot((0, 4), Ink::All, Some('x'));
        screen.words((2, 0), "ab", Ink::All);
        assert_eq!(text(&screen), ["  "]);
        screen.words((0, 0), "ab", Ink::All);
        screen.words((2, 0), "c", Ink::All);
        assert_eq!(text(&screen), ["ab"]);
    }
}
