//! Where requests go: a URL, or the mock inside.

use crate::endpoint::Endpoint;
use crate::secret;
use ::http::Uri;
use std::net::IpAddr;
use trace_core::time::parse_duration;
use trace_mock::Settings;

/// A place to send requests to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// Whether TLS is spoken.
    pub tls: bool,
    /// Name or address, without brackets.
    pub host: String,
    /// Port, the scheme's own if the URL has none.
    pub port: u16,
    /// Host and port as the `host` header has them.
    pub authority: String,
    /// Path and query of the endpoint.
    pub path: String,
    /// What is asked for there.
    pub endpoint: Endpoint,
}

impl Target {
    /// The target that `url` names. `endpoint` wins over what the path says;
    /// a URL without a path, or with `/v1` alone, gets the endpoint's own.
    ///
    /// # Errors
    /// What is wrong with the URL.
    pub(crate) fn parse(url: &str, endpoint: Option<Endpoint>) -> Result<Self, String> {
        let wrong = |why: &str| format!("--url {}: {why}", secret::shown(url));
        const EXAMPLE: &str = "expected a URL such as http://localhost:8000/v1/completions";
        let uri: Uri = url
            .parse()
            .map_err(|error| wrong(&format!("{error}; {EXAMPLE}")))?;
        let tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(wrong("expected http://, https:// or mock:")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("it has no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong(
                "credentials do not belong in a URL; use --header @FILE or --api-key-file",
            ));
        }
        let bracketed = authority.host();
        let host = bracketed
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(bracketed);
        if host.is_empty() {
            return Err(wrong("it has no host"));
        }
        let port = match authority.as_str()[bracketed.len()..].strip_prefix(':') {
            None if tls => 443,
            None => 80,
            // The Uri type takes any text for a port.
            Some(text) => match text.parse() {
                Ok(port @ 1..) => port,
                _ => return Err(wrong(&format!("{text:?} is no port; expected 1 to 65535"))),
            },
        };
        let path = uri.path().trim_end_matches('/');
        let endpoint = endpoint
            .or_else(|| Endpoint::of(path))
            .unwrap_or(Endpoint::Completions);
        let usual = endpoint.dialect().path();
        // A base such as /v1 or /api is the beginning of the endpoint's path.
        let is_base = usual
            .strip_prefix(path)
            .is_some_and(|rest| rest.starts_with('/'));
        let mut path = match path {
            "" => usual.to_owned(),
            _ if is_base => usual.to_owned(),
            _ => uri.path().to_owned(),
        };
        if let Some(query) = uri.query() {
            path = format!("{path}?{query}");
        }
        Ok(Self {
            tls,
            host: host.to_owned(),
            port,
            authority: authority.to_string(),
            path,
            endpoint,
        })
    }

    /// The same where whole answers come from.
    pub(crate) fn whole(mut self) -> Self {
        let dialect = self.endpoint.dialect();
        let end = self.path.find('?').unwrap_or(self.path.len());
        if let Some(base) = self.path[..end].strip_suffix(dialect.path()) {
            self.path = format!("{base}{}{}", dialect.whole_path(), &self.path[end..]);
        }
        self
    }

    /// Whether it is this machine. So is 0.0.0.0, which servers print as where
    /// they listen.
    pub(crate) fn is_loopback(&self) -> bool {
        match self.host.parse::<IpAddr>() {
            Ok(address) => {
                let address = address.to_canonical();
                address.is_loopback() || address.is_unspecified()
            }
            Err(_) => self.host.eq_ignore_ascii_case("localhost"),
        }
    }

    /// The path of the list of models beside this endpoint.
    pub(crate) fn models_path(&self) -> String {
        let path = self.path.split('?').next().unwrap_or_default();
        let dialect = self.endpoint.dialect();
        let base = path.strip_suffix(dialect.path());
        let base = base.or_else(|| path.strip_suffix(dialect.whole_path()));
        let base = base.unwrap_or_default();
        format!("{base}{}", dialect.models())
    }
}

/// The settings of the mock inside, if `url` asks for it: `mock:` or
/// `mock:?ttft=50ms&itl=10ms&tokens=64`.
///
/// # Errors
/// A parameter that is not one of these.
pub(crate) fn mock(url: &str) -> Result<Option<Settings>, String> {
    let Some(rest) = url.strip_prefix("mock:") else {
        return Ok(None);
    };
    let wrong = |why: String| format!("--url {url}: {why}");
    let query = match rest.strip_prefix('?') {
        Some(query) => query,
        None if rest.is_empty() => "",
        None => {
            return Err(wrong(
                "expected mock: or mock:?ttft=50ms&itl=10ms&tokens=64".to_owned(),
            ));
        }
    };
    let mut settings = Settings::default();
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        match parameter.split_once('=') {
            Some(("ttft", value)) => settings.ttft = parse_duration(value).map_err(wrong)?,
            Some(("itl", value)) => settings.itl = parse_duration(value).map_err(wrong)?,
            Some(("tokens", value)) => {
                settings.output_tokens = value
                    .parse()
                    .map_err(|_| wrong(format!("tokens={value} is no number")))?;
            }
            _ => {
                return Err(wrong(format!(
                    "{parameter:?} is none of ttft=, itl=, tokens="
                )));
            }
        }
    }
    Ok(Some(settings))
}

#[cfg(test)]
mod tests {
    use super::*;
    use trace_core::time::Micros;

    fn target(url: &str) -> Target {
        Target::parse(url, None).unwrap()
    }

    #[test]
    fn a_port_that_cannot_be_is_refused() {
        for url in [
            "http://h:99999/",
            "http://h:0/",
            "http://h:x/",
            "http://[::1]:70000/",
        ] {
            let error = Target::parse(url, None).unwrap_err();
            assert!(
                error.contains("port") || error.contains("expected"),
                "{url}: {error}"
            );
        }
        assert_eq!(
            (
                target("http://h:8000").port,
                target("http://[::1]:8000").port
            ),
            (8000, 8000)
        );
    }

    #[test]
    fn what_is_no_url_gets_an_example() {
        for url in ["", "http://", "::"] {
            let error = Target::parse(url, None).unwrap_err();
            assert!(error.contains("http://localhost:8000"), "{url:?}: {error}");
        }
    }

    #[test]
    fn the_path_tells_the_endpoint() {
        let chat = target("https://api.example.com/v1/chat/completions?x=1");
        assert_eq!(chat.endpoint, Endpoint::Chat);
        assert_eq!(
            (chat.tls, chat.port, chat.path.as_str()),
            (true, 443, "/v1/chat/completions?x=1")
        );
        assert_eq!(chat.models_path(), "/v1/models");
        let other = target("http://h:81/openai/v1/completions");
        assert_eq!(
            (other.endpoint, other.models_path().as_str()),
            (Endpoint::Completions, "/openai/v1/models")
        );
        assert_eq!(
            Target::parse("http://h/generate", Some(Endpoint::Chat))
                .unwrap()
                .path,
            "/generate"
        );
    }

    #[test]
    fn a_url_without_a_path_gets_the_default() {
        assert_eq!(target("http://h").path, "/v1/completions");
        assert_eq!(target("http://h:8000/").path, "/v1/completions");
        let chat = Target::parse("http://h/v1/", Some(Endpoint::Chat)).unwrap();
        assert_eq!(chat.path, "/v1/chat/completions");
    }

    #[test]
    fn ipv6_hosts_lose_their_brackets_but_in_the_header() {
        let target = target("http://[::1]:8000/v1");
        assert_eq!(
            (target.host.as_str(), target.authority.as_str()),
            ("::1", "[::1]:8000")
        );
    }

    #[test]
    fn wrong_urls_say_why() {
        let error = |url: &str| Target::parse(url, None).unwrap_err();
        assert!(
            error("localhost:8000").contains("http://"),
            "{}",
            error("localhost:8000")
        );
        assert!(error("ftp://h/x").contains("http://"));
        let credentials = error("http://user:pass@h/");
        assert!(
            credentials.contains("--api-key") && !credentials.contains("pass"),
            "{credentials}"
        );
        assert!(error("/v1/completions").contains("http://"));
        assert!(error("http://a b/").starts_with("--url "));
    }

    #[test]
    fn the_mock_takes_its_times_from_the_url() {
        assert_eq!(mock("http://h").unwrap(), None);
        assert_eq!(mock("mock:").unwrap(), Some(Settings::default()));
        let settings = mock("mock:?ttft=50ms&itl=250us&tokens=3").unwrap().unwrap();
        assert_eq!(settings.ttft, Micros::from_micros(50_000));
        assert_eq!(
            (settings.itl, settings.output_tokens),
            (Micros::from_micros(250), 3)
        );
        assert!(mock("mock:?oops").unwrap_err().contains("ttft="));
        assert!(mock("mock:8000").is_err());
    }
}
