//! The header fields that every request of a run has.

use crate::secret::{Secrets, in_query, is_secret};
use crate::target::Target;
use ::http::{HeaderName, HeaderValue};

/// Fields that a run sets itself, since the answer could not be understood or
/// found again otherwise.
const OURS: [&str; 6] = [
    "content-length",
    "transfer-encoding",
    "connection",
    "x-request-id",
    "accept-encoding",
    "expect",
];

/// The fields that any request has.
pub(super) struct Fields {
    /// Names in small letters, and values; the usual ones first.
    pub(super) all: Vec<(String, String)>,
    /// How many of them are usual, and give way to those that are asked for.
    usual: usize,
    /// What in them must not be repeated.
    pub(super) secrets: Secrets,
}

impl Fields {
    /// Those that a request to `target` has unless others are asked for. `key`
    /// is sent as the endpoint wants it, `close` asks for the connection to end
    /// with the answer.
    ///
    /// # Errors
    /// A key that no header can carry.
    pub(super) fn new(target: &Target, key: Option<&str>, close: bool) -> Result<Self, String> {
        const AGENT: &str = concat!("trace-send/", env!("CARGO_PKG_VERSION"));
        const ACCEPT: &str = "text/event-stream, application/json, application/x-ndjson";
        let dialect = target.endpoint.dialect();
        let mut usual = vec![
            ("host", target.authority.clone()),
            ("user-agent", AGENT.to_owned()),
            ("accept", ACCEPT.to_owned()),
            ("content-type", "application/json".to_owned()),
        ];
        if close {
            usual.push(("connection", "close".to_owned()));
        }
        let mut secrets = Secrets::default();
        in_query(&target.path).for_each(|value| secrets.keep(value));
        if let Some(key) = key {
            HeaderValue::from_str(key)
                .map_err(|_| "the API key has characters that no header can carry".to_owned())?;
            secrets.keep(key);
            usual.push(dialect.key(key));
        }
        let theirs = dialect.fields().iter();
        usual.extend(theirs.map(|&(name, value)| (name, value.to_owned())));
        Ok(Self {
            usual: usual.len(),
            all: usual
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            secrets,
        })
    }

    /// Add the `field` that was asked for, `NAME: VALUE`, in place of a usual
    /// one.
    ///
    /// # Errors
    /// A field that is none, or that would break the run. The value is never
    /// repeated: it may be a secret.
    pub(super) fn add(&mut self, field: &str) -> Result<(), String> {
        let (name, value) = field
            .split_once(':')
            .ok_or("--header: expected 'NAME: VALUE'")?;
        let name: HeaderName = name
            .trim()
            .parse()
            .map_err(|_| format!("--header {name}: not a header name"))?;
        if OURS.contains(&name.as_str()) {
            return Err(format!("--header {name}: trace-send sets it itself"));
        }
        let value = value.trim();
        HeaderValue::from_str(value).map_err(|_| {
            format!("--header {name}: the value has characters that no header can carry")
        })?;
        if is_secret(name.as_str()) {
            self.secrets.keep(value);
        }
        let mut usual = self.all[..self.usual].iter();
        if let Some(replaced) = usual.position(|(known, _)| known == name.as_str()) {
            self.all.remove(replaced);
            self.usual -= 1;
        }
        self.all.push((name.as_str().to_owned(), value.to_owned()));
        Ok(())
    }
}
