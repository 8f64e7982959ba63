//! Halves of characters. A server that cuts its text where JavaScript counts
//! may send `\ud83d` in one chunk and `\ude00` in the next, which is no text,
//! but output.

/// `json` with the character that stands for an unknown one in place of each
/// half without its other; nothing if there is none.
pub(super) fn mended(json: &[u8]) -> Option<Vec<u8>> {
    let mut mended = Vec::new();
    let mut from = 0;
    let mut at = 0;
    while let Some(slash) = memchr::memchr(b'\\', &json[at..]) {
        let here = at + slash;
        at = match unit(&json[here..]) {
            Some(0xd800..0xdc00) if matches!(unit(&json[here + 6..]), Some(0xdc00..0xe000)) => {
                here + 12
            }
            Some(0xd800..0xe000) => {
                mended.extend_from_slice(&json[from..here]);
                mended.extend_from_slice(b"\\ufffd");
                from = here + 6;
                from
            }
            // Whatever it is, what follows it is no beginning.
            _ => (here + 2).min(json.len()),
        };
    }
    (from > 0).then(|| [&mended, &json[from..]].concat())
}

/// The number in the escape that `json` begins with.
fn unit(json: &[u8]) -> Option<u16> {
    let digits = json.strip_prefix(b"\\u")?.get(..4)?;
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_without_the_other_are_replaced_and_whole_ones_are_not() {
        for (text, expected) in [
            (r#"{"a":"x\ud83dy"}"#, Some(r#"{"a":"x\ufffdy"}"#)),
            (r#"{"a":"\ude00"}"#, Some(r#"{"a":"\ufffd"}"#)),
            (
                r#"{"a":"\ud83d\ud83d\ude00"}"#,
                Some(r#"{"a":"\ufffd\ud83d\ude00"}"#),
            ),
            (r#"{"a":"\ud83d\n"}"#, Some(r#"{"a":"\ufffd\n"}"#)),
            (r#"{"a":"\ud83d\ude00 \u00e4"}"#, None),
            (r#"{"a":"\\ud83d"}"#, None),
            (r#"{"a":"\ud8"#, None),
            (r#"\"#, None),
        ] {
            let found = mended(text.as_bytes());
            let found = found.map(|bytes| String::from_utf8(bytes).unwrap());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }
}
