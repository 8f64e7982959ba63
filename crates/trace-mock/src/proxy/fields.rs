//! Fields of a head that are about the message and its connection.

use super::framing::Body;

/// The value of the first field of this name.
pub(super) fn value<'a>(fields: &[httparse::Header<'a>], name: &str) -> Option<&'a [u8]> {
    let mut fields = fields.iter();
    let field = fields.find(|field| field.name.eq_ignore_ascii_case(name))?;
    Some(field.value)
}

/// What fields say of the message and its connection.
#[derive(Default)]
pub(super) struct Framing<'a> {
    pub(super) body: Option<Body>,
    pub(super) expects: bool,
    close: bool,
    keep: bool,
    /// What `connection` said, if there is more in it than that.
    named: Option<&'a [u8]>,
}

impl<'a> Framing<'a> {
    /// # Errors
    /// They contradict each other, or are not understood.
    pub(super) fn of(fields: &[httparse::Header<'a>]) -> Result<Framing<'a>, String> {
        let mut framing = Framing::default();
        let mut length = None;
        for field in fields {
            let is = |name: &str| field.name.eq_ignore_ascii_case(name);
            if is("content-length") {
                let said = decimal(field.value)?;
                if length.is_some_and(|length| length != said) {
                    return Err("there are two content-lengths".into());
                }
                length = Some(said);
            } else if is("transfer-encoding") {
                if !field.value.trim_ascii().eq_ignore_ascii_case(b"chunked") {
                    let coding = text(field.value);
                    return Err(format!(
                        "the transfer-encoding {coding:?} is not \"chunked\""
                    ));
                }
                framing.body = Some(Body::CHUNKED);
            } else if is("connection") {
                framing.connection(field.value);
            } else if is("expect") {
                framing.expects |= field.value.eq_ignore_ascii_case(b"100-continue");
            }
        }
        framing.body = framing.body.or(length.map(Body::Length));
        Ok(framing)
    }

    fn connection(&mut self, value: &'a [u8]) {
        for word in words(value) {
            if word.eq_ignore_ascii_case(b"close") {
                self.close = true;
            } else if word.eq_ignore_ascii_case(b"keep-alive") {
                self.keep = true;
            } else {
                self.named = Some(value);
            }
        }
    }

    /// Whether the connection ends with the message, of an old version or not.
    pub(super) fn closes(&self, old: bool) -> bool {
        self.close || old && !self.keep
    }

    /// Whether `connection` names this field.
    pub(super) fn names(&self, name: &str) -> bool {
        self.named.is_some_and(|value| {
            words(value).any(|word| word.eq_ignore_ascii_case(name.as_bytes()))
        })
    }
}

/// The words of a list.
fn words(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

fn decimal(value: &[u8]) -> Result<u64, String> {
    let length = text(value).trim();
    let digits = length.bytes().all(|byte| byte.is_ascii_digit());
    let number = length.parse().ok().filter(|_| digits);
    number.ok_or_else(|| format!("{length:?} is no content-length"))
}

/// A value as text; nothing, if it is none.
pub(super) fn text(value: &[u8]) -> &str {
    std::str::from_utf8(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framing(fields: &[(&'static str, &'static str)]) -> Result<Framing<'static>, String> {
        let field = |(name, value): &(&'static str, &'static str)| httparse::Header {
            name,
            value: value.as_bytes(),
        };
        Framing::of(&fields.iter().map(field).collect::<Vec<_>>())
    }

    #[test]
    fn chunks_win_over_a_length() {
        let both = framing(&[("Content-Length", "7"), ("Transfer-Encoding", "Chunked")]);
        assert_eq!(both.unwrap().body, Some(Body::CHUNKED));
        let twice = framing(&[("content-length", "7"), ("content-length", " 7")]);
        assert_eq!(twice.unwrap().body, Some(Body::Length(7)));
        assert_eq!(framing(&[]).unwrap().body, None);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for fields in [
            [("content-length", "7"), ("content-length", "8")],
            [("content-length", "+7"), ("x", "y")],
            [("content-length", ""), ("x", "y")],
            [("transfer-encoding", "gzip"), ("x", "y")],
        ] {
            assert!(framing(&fields).is_err(), "{fields:?}");
        }
    }

    #[test]
    fn a_connection_ends_as_its_version_and_its_words_say() {
        let of = |value| framing(&[("connection", value)]).unwrap();
        assert!(of("Close").closes(false) && !of("x").closes(false));
        assert!(of("x").closes(true) && !of("x, keep-alive").closes(true));
        assert!(of("keep-alive, X-Mine").names("x-mine") && !of("close").names("close"));
    }
}
