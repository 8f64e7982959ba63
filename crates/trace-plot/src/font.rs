//! The one font, and how wide a text is in it.
//!
//! DejaVu Sans travels inside the program, so that a picture looks the same on
//! a laptop, in a container without any fonts, and in CI. It covers Latin,
//! Greek, Cyrillic, Arabic and Hebrew; what it lacks, such as most emoji and Chinese,
//! is written as its number, `<U+1F680>`: other names stay other, and nobody
//! takes a row of boxes for a name.

use std::sync::{LazyLock, Once};

use ab_glyph::{Font as _, FontRef};
use plotters::style::{FontDesc, FontFamily, FontStyle, register_font};

/// The family name inside the font file.
pub const FAMILY: &str = "DejaVu Sans";

/// The font file.
pub fn bytes() -> &'static [u8] {
    dejavu::sans::regular()
}

// plotters scales a font by its ascent and descent, 1901 and 483 of 2048 units
// in DejaVu Sans, so this size gives widths in thousandths of an em.
const THOUSAND_PER_EM: f64 = 1_000.0 * (1901.0 + 483.0) / 2048.0;

/// The width of `text` in pixels when the font size is `size` pixels.
pub fn width(text: &str, size: f64) -> f64 {
    register();
    let font = FontDesc::new(FontFamily::Name(FAMILY), THOUSAND_PER_EM, FontStyle::Normal);
    let ((left, _), (right, _)) = font.layout_box(text).expect("the font was registered");
    f64::from(right - left) * size / 1_000.0
}

/// Make the font known to plotters, once.
pub fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let known = register_font(FAMILY, FontStyle::Normal, bytes());
        assert!(known.is_ok(), "the font inside the program is valid");
    });
}

/// `text` cut into lines no wider than `room` pixels, at spaces.
///
/// A single word wider than that gets a line of its own, shortened.
pub fn wrap(text: &str, size: f64, room: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        if let Some(line) = lines.last_mut() {
            let longer = format!("{line} {word}");
            if width(&longer, size) <= room {
                *line = longer;
                continue;
            }
        }
        lines.push(shorten(word, size, room));
    }
    lines
}

/// `text`, with its middle left out if it is wider than `room` pixels.
///
/// The middle, because model names share their beginnings and differ at the
/// end as often as at the start.
pub fn shorten(text: &str, size: f64, room: f64) -> String {
    if width(text, size) <= room {
        return text.to_owned();
    }
    let chars: Vec<char> = text.chars().collect();
    let shortened = |kept: usize| -> String {
        let head = kept.div_ceil(2);
        let tail = &chars[chars.len() - (kept - head)..];
        chars[..head].iter().chain(&['…']).chain(tail).collect()
    };
    // Wider with each character kept, so the longest that fits is found by halving.
    let (mut low, mut high) = (0, chars.len().min(1_000));
    while low < high {
        let middle = (low + high).div_ceil(2);
        if width(&shortened(middle), size) <= room {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    shortened(low)
}

/// `text` with what XML and a single line of text cannot hold replaced.
pub fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\r' | '\t' => ' ',
            // control characters, and those that only steer the direction of text
            c if c.is_control() => '\u{fffd}',
            '\u{fffe}' | '\u{ffff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                '\u{fffd}'
            }
            c => c,
        })
        .collect()
}

/// `text` as it can be drawn: [`printable`], and what the font has no glyph for
/// by its number.
pub fn legible(text: &str) -> String {
    static FONT: LazyLock<FontRef<'static>> = LazyLock::new(|| {
        FontRef::try_from_slice(bytes()).expect("the font inside the program is valid")
    });
    let mut legible = String::with_capacity(text.len());
    for c in printable(text).chars() {
        // these join and vary the character before them, and are nothing themselves
        let shapes = matches!(c, '\u{200b}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}');
        if shapes {
            continue;
        }
        if FONT.glyph_id(c).0 == 0 {
            legible.push_str(&format!("<U+{:04X}>", u32::from(c)));
        } else {
            legible.push(c);
        }
    }
    legible
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn width_grows_with_the_text_and_the_size() {
        assert!(width("mm", 13.0) > width("m", 13.0));
        assert_eq!(width("", 13.0), 0.0);
        // a digit of DejaVu Sans is 1303 of 2048 units wide
        assert!(
            (width("0", 100.0) - 63.6).abs() < 0.2,
            "{}",
            width("0", 100.0)
        );
    }

    #[test]
    fn a_long_name_loses_its_middle() {
        let name = "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B-Instruct-AWQ";
        let short = shorten(name, 13.0, 150.0);
        assert!(
            short.starts_with("deepseek") && short.ends_with("AWQ"),
            "{short}"
        );
        assert!(width(&short, 13.0) <= 150.0);
        assert_eq!(shorten("gpt", 13.0, 150.0), "gpt");
        assert_eq!(shorten(&"x".repeat(100_000), 13.0, 1.0), "…");
    }

    #[test]
    fn lines_are_cut_at_spaces() {
        let lines = wrap("one two three four five six", 13.0, 70.0);
        assert!(lines.len() > 1);
        assert!(lines.iter().all(|line| width(line, 13.0) <= 70.0));
        assert_eq!(lines.join(" "), "one two three four five six");
    }

    #[test]
    fn what_has_no_glyph_is_written_as_its_number() {
        assert_eq!(legible("qwen Ж é ع"), "qwen Ж é ع");
        assert_eq!(legible("a😀🚀"), "a😀<U+1F680>");
        assert_eq!(legible("模型"), "<U+6A21><U+578B>");
        assert_eq!(legible("👩\u{200d}💻"), "<U+1F469><U+1F4BB>");
        assert_eq!(legible(&legible("模")), legible("模"));
    }

    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        assert_eq!(printable("a\u{1}b\nc\u{202e}d"), "a\u{fffd}b c\u{fffd}d");
    }
}
