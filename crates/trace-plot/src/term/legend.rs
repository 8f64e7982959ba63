//! What tells series apart in a terminal: colours, or letters.

use unicode_width::UnicodeWidthStr as _;

use super::Look;
use crate::{
    figure::{Entry, Figure, Layer, Mark},
    font,
    theme::Ink,
};

/// The signs of series where there is no colour, in the order of the legend.
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyz";

/// The sign of the layer's series, where several must be told apart without
/// colour.
pub(super) fn letter(figure: &Figure, layer: &Layer, look: &Look) -> Option<char> {
    if look.theme.is_some() {
        return None;
    }
    let place = series(figure).position(|entry| entry.ink == layer.ink)?;
    Some(LETTERS.chars().nth(place).unwrap_or('z'))
}

/// The entries of the legend that stand for a colour.
fn series(figure: &Figure) -> impl Iterator<Item = &Entry> {
    let entries = figure.legend.iter();
    entries.filter(|entry| !matches!(entry.mark, Mark::Dashed) && entry.ink != Ink::Star)
}

/// The legend in lines no wider than the terminal.
pub(super) fn legend(figure: &Figure, look: &Look) -> Vec<String> {
    let mut lines: Vec<(String, usize)> = Vec::new();
    for entry in &figure.legend {
        let label = font::printable(&entry.label);
        let place = series(figure).position(|other| other == entry);
        let sign = match (look.theme, place, entry.mark) {
            (None, Some(place), _) => LETTERS.chars().nth(place).unwrap_or('z'),
            (_, _, Mark::Dashed) => '╌',
            (_, _, Mark::Star) => '★',
            (_, _, Mark::Line) => '━',
            (_, _, Mark::Pale) => '▒',
            (_, _, Mark::Block) => '█',
            (_, _, Mark::Dot) => '•',
        };
        let words = format!("{} {label}", look.colored(&sign.to_string(), entry.ink));
        let width = 2 + label.width();
        match lines.last_mut() {
            Some((line, used)) if *used + 3 + width <= look.columns => {
                line.push_str("   ");
                line.push_str(&words);
                *used += 3 + width;
            }
            _ => lines.push((words, width)),
        }
    }
    lines.into_iter().map(|(line, _)| line).collect()
}
