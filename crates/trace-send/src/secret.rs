//! Keys that must not be repeated, least of all by servers that quote them.

/// The shortest value that is looked for: a shorter one would blot out words.
const LEAST: usize = 4;

/// What must not be repeated.
#[derive(Debug, Clone, Default)]
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    /// Keep `value` secret, and the last word of it by itself: `Bearer KEY`
    /// is quoted without the first.
    pub(crate) fn keep(&mut self, value: &str) {
        let last = value.rsplit(' ').next().unwrap_or_default();
        for secret in [value, last] {
            if secret.len() >= LEAST && !self.0.iter().any(|known| known == secret) {
                self.0.push(secret.to_owned());
            }
        }
        // The whole before its parts.
        self.0.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    }

    /// `text` with `***` in place of every secret, and of the beginning of one
    /// where the text was cut.
    pub(crate) fn redact(&self, text: String) -> String {
        let secrets = self.0.iter();
        let text = secrets.fold(text, |text, secret| match text.contains(secret) {
            true => text.replace(secret, "***"),
            false => text,
        });
        let Some(whole) = text.strip_suffix(CUT) else {
            return text;
        };
        let cut = self.0.iter().filter_map(|secret| beginning(secret, whole));
        match cut.min() {
            Some(end) => format!("{}***{CUT}", &whole[..end]),
            None => text,
        }
    }
}

/// What a text that was cut ends in.
const CUT: char = '…';

/// Where in `text` the beginning of `secret` stands that it ends in.
fn beginning(secret: &str, text: &str) -> Option<usize> {
    let lengths = LEAST..secret.len().min(text.len() + 1);
    let mut ends = lengths
        .rev()
        .filter(|&length| secret.is_char_boundary(length));
    let length = ends.find(|&length| text.ends_with(&secret[..length]))?;
    Some(text.len() - length)
}

/// Whether a header field of that name holds a secret.
pub(crate) fn is_secret(name: &str) -> bool {
    const WORDS: [&str; 5] = ["auth", "key", "token", "secret", "cookie"];
    WORDS.iter().any(|word| name.contains(word))
}

/// The values in the query of `url` that are secrets by their names.
pub(crate) fn in_query(url: &str) -> impl Iterator<Item = &str> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let pairs = query
        .split(['&', '#'])
        .filter_map(|pair| pair.split_once('='));
    pairs.filter_map(|(name, value)| is_secret(&name.to_ascii_lowercase()).then_some(value))
}

/// `url` as it may be shown: without credentials, and with `***` for the
/// secrets in its query.
pub(crate) fn shown(url: &str) -> String {
    let mut secrets = Secrets::default();
    in_query(url).for_each(|value| secrets.keep(value));
    let rest = url.find("://").map_or(0, |at| at + 3);
    let end = url[rest..]
        .find(['/', '?', '#'])
        .map_or(url.len(), |at| rest + at);
    let host = url[rest..end].rfind('@').map_or(rest, |at| rest + at);
    let who = if host > rest { "***" } else { "" };
    secrets.redact(format!("{}{who}{}", &url[..rest], &url[host..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_blotted_out_wherever_it_stands() {
        let mut secrets = Secrets::default();
        secrets.keep("Bearer sk-123");
        secrets.keep("a");
        let redact = |text: &str| secrets.redact(text.to_owned());
        assert_eq!(redact("Bearer sk-123, that is sk-123"), "***, that is ***");
        assert_eq!(redact("a bad key"), "a bad key");
        assert_eq!(redact("you sent Bearer sk-1…"), "you sent ***…");
        assert_eq!(redact("it was sk-12…"), "it was ***…");
        assert_eq!(redact("no sk…"), "no sk…");
    }

    #[test]
    fn header_fields_with_keys_are_known() {
        assert!(is_secret("x-api-key") && is_secret("proxy-authorization"));
        assert!(!is_secret("accept"));
    }

    #[test]
    fn a_url_is_shown_without_what_is_secret() {
        assert_eq!(shown("http://u:pw@h/p@x"), "http://***@h/p@x");
        assert_eq!(
            shown("https://h/p?api-key=sk-123&v=1"),
            "https://h/p?api-key=***&v=1"
        );
        for plain in ["http://h:1/p?v=1", "mock:?ttft=5ms", "h", ""] {
            assert_eq!(shown(plain), plain);
        }
    }
}
