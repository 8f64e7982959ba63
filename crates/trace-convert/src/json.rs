//! Small questions about JSON text.

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// Whether `text` is a JSON number as it stands.
pub(crate) fn is_number(text: &[u8]) -> bool {
    let digits = |rest: &[u8]| rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let mut rest = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest[0] == b'0') {
        return false;
    }
    rest = &rest[whole..];
    if let [b'.', tail @ ..] = rest {
        let decimals = digits(tail);
        if decimals == 0 {
            return false;
        }
        rest = &tail[decimals..];
    }
    if let [b'e' | b'E', tail @ ..] = rest {
        let tail = match tail {
            [b'+' | b'-', tail @ ..] => tail,
            tail => tail,
        };
        let exponent = digits(tail);
        if exponent == 0 {
            return false;
        }
        rest = &tail[exponent..];
    }
    rest.is_empty()
}

/// Append `text` as a JSON string; most texts need no escape.
pub(crate) fn push_text(out: &mut Vec<u8>, text: &str) {
    let plain = |b: u8| b >= b' ' && b != b'"' && b != b'\\';
    if text.bytes().all(plain) {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        trace_core::push_string(out, text);
    }
}

/// The object of these members, each a name and its JSON.
pub(crate) fn object<'a>(members: impl Iterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut json = vec![b'{'];
    for (name, raw) in members {
        if json.len() > 1 {
            json.push(b',');
        }
        push_text(&mut json, name);
        json.push(b':');
        json.extend_from_slice(raw);
    }
    json.push(b'}');
    json
}

/// Take white space out of `text`, but for that in strings: a value that was
/// printed over several lines must not break ours.
pub(crate) fn compact(text: &mut Vec<u8>) {
    let (mut inside, mut escaped) = (false, false);
    text.retain(|&byte| {
        if inside {
            inside = escaped || byte != b'"';
            escaped = byte == b'\\' && !escaped;
            return true;
        }
        inside = byte == b'"';
        !byte.is_ascii_whitespace()
    });
}

/// The members of a JSON object in their order, each value as its bytes;
/// nothing for text that is no object.
pub(crate) fn members(text: &[u8]) -> Vec<(Cow<'_, str>, &[u8])> {
    serde_json::from_slice(text).map_or_else(|_| Vec::new(), |Members(members)| members)
}

/// The members of an object, by name, values unread.
pub(crate) struct Members<'a>(pub(crate) Vec<(Cow<'a, str>, &'a [u8])>);

impl<'a> Members<'a> {
    /// The JSON of the member `name`; `null` is as good as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&'a [u8]> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, raw)| *raw).filter(|raw| *raw != b"null")
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(Key(key)) = map.next_key()? {
                    let value: &RawValue = map.next_value()?;
                    members.push((key, value.get().as_bytes()));
                }
                Ok(Members(members))
            }
        }
        json.deserialize_map(Pairs)
    }
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_json() {
        for good in ["0", "-1", "1.5", "10e-3", "0.0E+2"] {
            assert!(is_number(good.as_bytes()), "{good}");
        }
        for bad in [
            "", "-", "01", "1.", ".5", "1e", "NaN", "inf", "1 ", "+1", "0x1",
        ] {
            assert!(!is_number(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn white_space_goes_but_in_strings() {
        let mut text = b"{ \"a\\\" b\" : [ 1,\n 2 ], \"\\\\\": \" \" }".to_vec();
        compact(&mut text);
        assert_eq!(text, b"{\"a\\\" b\":[1,2],\"\\\\\":\" \"}");
    }

    #[test]
    fn members_keep_their_order_and_bytes() {
        let found = members(br#" {"b": 1e5 ,"a":[ 1]}"#);
        assert_eq!(found, [("b".into(), &b"1e5"[..]), ("a".into(), b"[ 1]")]);
        assert!(members(b"[1]").is_empty());
        let again = object(found.iter().map(|(name, raw)| (&**name, *raw)));
        assert_eq!(again, br#"{"b":1e5,"a":[ 1]}"#);
    }
}
