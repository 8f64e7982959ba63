//! Colours, light and dark.
//!
//! Series take the palette of Okabe and Ito (2008), which stays apart in all
//! common forms of colour blindness. Its yellow is too pale for a line on
//! white, so that one is darker there, and its black is kept for the whole, so
//! a wine red (a pale pink on dark), far from the others in lightness, stands
//! in.

use plotters::style::RGBColor;

/// How many series have a colour of their own; further ones share one grey.
pub const SERIES: usize = 8;

/// Which colour something is drawn in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    /// The colour of the series of this rank, below [`SERIES`].
    Series(usize),
    /// What has no colour of its own.
    Other,
    /// The whole, next to its parts.
    All,
    /// What nobody reached.
    Star,
}

/// The colours of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    /// Behind everything.
    pub background: RGBColor,
    /// Title, legend, the zero line.
    pub text: RGBColor,
    /// Labels, facts and notes.
    pub faint: RGBColor,
    /// Grid lines at labels.
    pub grid: RGBColor,
    /// Grid lines between them.
    pub minor: RGBColor,
    series: [RGBColor; SERIES],
    other: RGBColor,
    star: RGBColor,
}

impl Theme {
    /// Dark on white, for paper and most pages.
    pub const LIGHT: Self = Self {
        background: RGBColor(255, 255, 255),
        text: RGBColor(0x1f, 0x23, 0x28),
        faint: RGBColor(0x59, 0x61, 0x6b),
        grid: RGBColor(0xdd, 0xe1, 0xe6),
        minor: RGBColor(0xf0, 0xf2, 0xf4),
        series: [
            RGBColor(0x00, 0x72, 0xb2),
            RGBColor(0xe6, 0x9f, 0x00),
            RGBColor(0x00, 0x9e, 0x73),
            RGBColor(0xcc, 0x79, 0xa7),
            RGBColor(0xd5, 0x5e, 0x00),
            RGBColor(0x56, 0xb4, 0xe9),
            RGBColor(0x88, 0x22, 0x55),
            RGBColor(0x9a, 0x8a, 0x00),
        ],
        other: RGBColor(0x9a, 0xa1, 0xa9),
        star: RGBColor(0xd8, 0x9b, 0x00),
    };

    /// Light on dark.
    pub const DARK: Self = Self {
        background: RGBColor(0x16, 0x1a, 0x20),
        text: RGBColor(0xe8, 0xea, 0xed),
        faint: RGBColor(0xa3, 0xab, 0xb5),
        grid: RGBColor(0x34, 0x3b, 0x44),
        minor: RGBColor(0x22, 0x27, 0x2e),
        series: [
            RGBColor(0x56, 0xb4, 0xe9),
            RGBColor(0xe6, 0x9f, 0x00),
            RGBColor(0x00, 0xb8, 0x86),
            RGBColor(0xcc, 0x79, 0xa7),
            RGBColor(0xf0, 0x74, 0x1a),
            RGBColor(0x2f, 0x8f, 0xd0),
            RGBColor(0xff, 0xb3, 0xc6),
            RGBColor(0xf0, 0xe4, 0x42),
        ],
        other: RGBColor(0x7d, 0x86, 0x91),
        star: RGBColor(0xff, 0xd3, 0x4d),
    };

    /// The colour of `ink`.
    pub fn color(&self, ink: Ink) -> RGBColor {
        match ink {
            Ink::Series(rank) => self.series.get(rank).copied().unwrap_or(self.other),
            Ink::Other => self.other,
            Ink::All => self.text,
            Ink::Star => self.star,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_without_a_colour_of_its_own_is_grey() {
        assert_eq!(
            Theme::LIGHT.color(Ink::Series(SERIES)),
            Theme::LIGHT.color(Ink::Other)
        );
    }

    #[test]
    fn no_two_series_share_a_colour() {
        for theme in [Theme::LIGHT, Theme::DARK] {
            for first in 0..SERIES {
                for second in 0..first {
                    assert_ne!(theme.series[first], theme.series[second]);
                }
                assert_ne!(theme.series[first], theme.background);
            }
        }
    }
}
