//! Names and values in an address.

/// The part of an address behind the question mark.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// The pairs of `text`; what cannot be decoded is left out.
    pub(crate) fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter_map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decode(name)?, decode(&value.replace('+', " "))?))
        });
        Self(pairs.collect())
    }

    /// The value of the first pair called `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let pair = self.0.iter().find(|(known, _)| known == name)?;
        Some(&pair.1)
    }
}

/// `text` with `%41` as `A`; nothing if that is no UTF-8.
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'%' {
            let digits = after.get(..2)?;
            let value = |digit: u8| char::from(digit).to_digit(16);
            bytes.push((value(digits[0])? * 16 + value(digits[1])?) as u8);
            rest = &after[2..];
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_decoded() {
        let query = Query::parse("name=day%201%2Ejsonl&bins=400&empty&x=a+b%2B");
        assert_eq!(query.get("name"), Some("day 1.jsonl"));
        assert_eq!(query.get("bins"), Some("400"));
        assert_eq!(query.get("empty"), Some(""));
        assert_eq!(query.get("x"), Some("a b+"));
        assert_eq!(query.get("other"), None);
    }

    #[test]
    fn what_is_no_text_is_left_out() {
        for bad in ["%", "%4", "%zz", "%ff", "%é1"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
        assert_eq!(Query::parse("name=%ff").get("name"), None);
    }
}
