//! Text and colours as documents of SVG and HTML have them.

use plotters::style::RGBColor;

use crate::font;

/// `text` in a document of SVG or HTML.
pub(crate) fn escaped(text: &str) -> String {
    font::printable(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// `#rrggbb`.
pub(crate) fn hex(RGBColor(red, green, blue): RGBColor) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}
