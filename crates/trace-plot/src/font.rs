//! The one font, how wide a text is in it, and what becomes of what it lacks.
//!
//! DejaVu Sans travels inside the program, so that a picture looks the same on
//! a laptop, in a container without any fonts, and in CI. It covers Latin,
//! Greek, Cyrillic, Arabic and Hebrew. A text with anything else in it, such as
//! Chinese or most emoji, is left to the fonts of whoever looks at it where a
//! file can hold text, and has numbers such as `<U+1F680>` where it can't
//! ([`Letters`]): other names stay other, and nobody takes a row of boxes for a
//! name. A font of all of them would be larger than the program.

use std::sync::{LazyLock, Once};

use ab_glyph::{Font as _, FontRef};
use plotters::style::{FontDesc, FontFamily, FontStyle, register_font};
use unicode_width::UnicodeWidthStr;

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
///
/// What the font lacks is taken for half as wide as high for each column that a
/// terminal gives it: exact for Chinese, Japanese and Korean, near for others.
pub fn width(text: &str, size: f64) -> f64 {
    register();
    let (known, lacking): (String, String) = text.chars().partition(|&c| has(c) && !only_shapes(c));
    let font = FontDesc::new(FontFamily::Name(FAMILY), THOUSAND_PER_EM, FontStyle::Normal);
    let ((left, _), (right, _)) = font.layout_box(&known).expect("the font was registered");
    f64::from(right - left) * size / 1_000.0 + lacking.width() as f64 * size / 2.0
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

/// Whose letters a text may be of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Letters {
    /// The font's; what it lacks is written as its number.
    Ours,
    /// Those of whoever looks at it, too.
    Readers,
}

impl Letters {
    /// `text` as it is written with them: [`printable`], and of nothing else.
    pub fn write(self, text: &str) -> String {
        let text = printable(text);
        if self == Self::Readers && !is_ours(&text) {
            return text;
        }
        let mut written = String::with_capacity(text.len());
        for c in text.chars().filter(|&c| !only_shapes(c)) {
            if has(c) {
                written.push(c);
            } else {
                written.push_str(&format!("<U+{:04X}>", u32::from(c)));
            }
        }
        written
    }
}

/// Whether the font has all of `text`.
pub fn is_ours(text: &str) -> bool {
    text.chars().all(|c| has(c) || only_shapes(c))
}

fn has(c: char) -> bool {
    static FONT: LazyLock<FontRef<'static>> = LazyLock::new(|| {
        FontRef::try_from_slice(bytes()).expect("the font inside the program is valid")
    });
    FONT.glyph_id(c).0 != 0
}

/// Whether `c` joins or varies the character before it, and is nothing itself.
fn only_shapes(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}')
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
        let legible = |text| Letters::Ours.write(text);
        assert_eq!(legible("qwen Ж é ع"), "qwen Ж é ع");
        assert_eq!(legible("a😀🚀"), "a😀<U+1F680>");
        assert_eq!(legible("模型"), "<U+6A21><U+578B>");
        assert_eq!(legible("👩\u{200d}💻"), "<U+1F469><U+1F4BB>");
        assert_eq!(legible(&legible("模")), legible("模"));
    }

    #[test]
    fn the_readers_fonts_may_have_what_ours_lacks() {
        let written = |text| Letters::Readers.write(text);
        assert_eq!(written("通义\n千问-7B"), "通义 千问-7B");
        assert_eq!(written("👩\u{200d}💻"), "👩\u{200d}💻");
        // what needs none of them is outlines, which take no joiners
        assert_eq!(written("a😀\u{fe0f}"), "a😀");
        assert!(is_ours("qwen Ж é ع") && !is_ours("qwen 模"));
    }

    #[test]
    fn what_the_font_lacks_is_as_wide_as_it_mostly_is() {
        assert_eq!(width("模型", 10.0), 20.0);
        assert_eq!(width("模7B型", 10.0), 20.0 + width("7B", 10.0));
        // one picture
        assert_eq!(width("👩\u{200d}💻", 10.0), 10.0);
    }

    #[test]
    fn what_xml_cannot_hold_is_replaced() {
        assert_eq!(printable("a\u{1}b\nc\u{202e}d"), "a\u{fffd}b c\u{fffd}d");
    }
}
