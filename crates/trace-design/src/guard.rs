//! Who may ask: this page, at this address, and nobody else's.
//!
//! A page on the web can make a browser ask a server on this machine. Three
//! things keep it out. *Host*: a name that a stranger's DNS leads here
//! (rebinding) is none of ours. *Origin*: another page's requests carry its
//! own. *Token*: a random word that only our page has, as other pages may ask
//! for it but not read it. No CORS header is ever sent.

use crate::reply::Refusal;
use hyper::header::{HOST, HeaderMap, HeaderName, ORIGIN};
use std::net::IpAddr;

/// The header that carries the token.
const TOKEN: HeaderName = HeaderName::from_static("x-trace-design");

/// What a request must show.
pub(crate) struct Guard {
    token: String,
    /// Only names of this machine are good.
    loopback: bool,
}

impl Guard {
    /// A guard with a fresh token, for a server that listens at `address`.
    ///
    /// # Errors
    /// A system without randomness.
    pub(crate) fn new(address: IpAddr) -> std::io::Result<Self> {
        use rustix::rand::{GetRandomFlags, getrandom};
        let mut secret = [0_u8; 16];
        // Sixteen bytes are given at once, or not at all.
        getrandom(&mut secret, GetRandomFlags::empty())?;
        Ok(Self {
            token: secret.iter().map(|byte| format!("{byte:02x}")).collect(),
            loopback: address.is_loopback(),
        })
    }

    /// The token.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// Whether the page itself is shown only with the token in its address:
    /// where others can reach us, the page is not given to them with the token
    /// in it.
    pub(crate) fn guards_page(&self) -> bool {
        !self.loopback
    }

    /// See that it was us who were asked, and not by another page.
    ///
    /// # Errors
    /// 403.
    pub(crate) fn check_names(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let host = only(headers, &HOST)?.unwrap_or_default();
        if !self.is_ours(host) {
            return Err(Refusal::forbidden(format_args!(
                "{host:?} is not the name of this server; use the address that it said"
            )));
        }
        match only(headers, &ORIGIN)? {
            Some(origin) if origin.strip_prefix("http://") != Some(host) => {
                Err(Refusal::forbidden(format_args!(
                    "the page of {origin:?} may not ask this server"
                )))
            }
            _ => Ok(()),
        }
    }

    /// See that `headers` have the token.
    ///
    /// # Errors
    /// 403.
    pub(crate) fn check_header(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        self.check_token(only(headers, &TOKEN)?)
    }

    /// See that `shown` is the token.
    ///
    /// # Errors
    /// 403.
    pub(crate) fn check_token(&self, shown: Option<&str>) -> Result<(), Refusal> {
        // All bytes are looked at, so that the time tells nothing.
        let same = |shown: &str| {
            let pairs = shown.bytes().zip(self.token.bytes());
            shown.len() == self.token.len() && pairs.fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
        };
        if shown.is_some_and(same) {
            return Ok(());
        }
        Err(Refusal::forbidden(
            "the token is missing or of an earlier run; reload the page",
        ))
    }

    /// Whether `host` can only be this server. A name other than localhost may
    /// be led anywhere by its owner; a number cannot. The port may be another
    /// one, as through an SSH tunnel.
    fn is_ours(&self, host: &str) -> bool {
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => (name, port),
            _ => (host, "80"),
        };
        if port.parse::<u16>().is_err() {
            return false;
        }
        let number = match name
            .strip_prefix('[')
            .and_then(|name| name.strip_suffix(']'))
        {
            Some(inside) => inside.parse().ok().map(IpAddr::V6),
            None => name.parse().ok().map(IpAddr::V4),
        };
        match number {
            Some(number) => number.is_loopback() || !self.loopback,
            None => name.eq_ignore_ascii_case("localhost"),
        }
    }
}

/// The value of the header `name`, of which there is one at most.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => match value.to_str() {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(Refusal::forbidden(format_args!(
                "the header {name} is not ASCII"
            ))),
        },
        _ => Err(Refusal::forbidden(format_args!(
            "the header {name} is there twice"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;
    use std::net::Ipv4Addr;

    fn guard(address: [u8; 4]) -> Guard {
        Guard::new(Ipv4Addr::from(address).into()).unwrap()
    }

    #[test]
    fn only_names_of_this_machine_are_ours() {
        let here = guard([127, 0, 0, 1]);
        for good in [
            "127.0.0.1:5000",
            "localhost",
            "LOCALHOST:1",
            "[::1]:80",
            "[::1]",
        ] {
            assert!(here.is_ours(good), "{good}");
        }
        for bad in [
            "",
            ":5000",
            "evil.example",
            "localhost.evil.example:5000",
            "127.0.0.1.evil.example",
            "10.0.0.1:5000",
            "[::1",
            "::1",
            "127.0.0.1:",
            "127.0.0.1:x",
            "user@127.0.0.1",
            "127.1",
        ] {
            assert!(!here.is_ours(bad), "{bad}");
        }
        let lan = guard([0, 0, 0, 0]);
        assert!(lan.is_ours("10.0.0.1:5000") && !lan.is_ours("evil.example:5000"));
    }

    #[test]
    fn another_page_is_told_by_its_origin() {
        let here = guard([127, 0, 0, 1]);
        let headers = |origin: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static("localhost:5000"));
            headers.insert(ORIGIN, HeaderValue::from_static(origin));
            headers
        };
        assert!(here.check_names(&headers("http://localhost:5000")).is_ok());
        for bad in [
            "null",
            "http://localhost:3000",
            "https://localhost:5000",
            "http://evil.example",
        ] {
            assert!(here.check_names(&headers(bad)).is_err(), "{bad}");
        }
        let mut twice = headers("http://localhost:5000");
        twice.append(HOST, HeaderValue::from_static("evil.example"));
        assert!(here.check_names(&twice).is_err());
    }

    #[test]
    fn the_token_is_compared_whole() {
        let guard = guard([127, 0, 0, 1]);
        let token = guard.token().to_owned();
        assert_eq!(token.len(), 32);
        assert!(guard.check_token(Some(&token)).is_ok());
        for bad in [
            None,
            Some(""),
            Some(&token[1..]),
            Some("0".repeat(32).as_str()),
        ] {
            assert!(guard.check_token(bad).is_err(), "{bad:?}");
        }
    }
}
