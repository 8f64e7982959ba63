//! The key that requests show, and to whom.

use crate::args::ServerArgs;
use crate::target::Target;
use anyhow::{Context, anyhow, bail};

/// Where a key is looked for that nobody named.
pub(crate) const USUAL: &str = "OPENAI_API_KEY";

/// The key that `args` name, if they do.
///
/// # Errors
/// A key among the flags, where anybody can read it; a file or a variable
/// that is not there or has nothing in it.
pub(crate) fn named(args: &ServerArgs) -> anyhow::Result<Option<String>> {
    if args.api_key.is_some() {
        bail!(
            "--api-key: what is typed can be read by anybody on this machine; set OPENAI_API_KEY, or name a variable with --api-key-env or a file with --api-key-file"
        );
    }
    let there = |key: String, what: String| match key.trim() {
        "" => Err(anyhow!("{what}: there is no key in it")),
        key => Ok(Some(key.to_owned())),
    };
    if let Some(path) = &args.api_key_file {
        let what = format!("--api-key-file {}", path.display());
        let text = std::fs::read_to_string(path).with_context(|| what.clone())?;
        return there(text, what);
    }
    let Some(name) = &args.api_key_env else {
        return Ok(None);
    };
    let what = format!("--api-key-env {name}");
    // The error of the variable repeats what is in it.
    let key = std::env::var(name).map_err(|_| anyhow!("{what}: it is not set, or no text"))?;
    there(key, what)
}

/// The key in the `usual` variable, as far as nobody is surprised by where it
/// goes: to this machine, and over https, which is said. It was put there for
/// some server, and without https everybody on the way to `target` reads it.
///
/// Second is what there is to say.
pub(crate) fn usual(
    usual: Option<String>,
    target: &Target,
    local: bool,
) -> (Option<String>, Option<String>) {
    let key = usual.map(|key| key.trim().to_owned());
    let Some(key) = key.filter(|key| !key.is_empty()) else {
        return (None, None);
    };
    let host = &target.authority;
    if local || target.is_loopback() {
        (Some(key), None)
    } else if target.tls {
        let said = format!("the key in {USUAL} goes to {host}; set {USUAL}= to send none");
        (Some(key), Some(said))
    } else {
        let said = format!(
            "the key in {USUAL} is not sent to {host}: without https anybody on the way can read it; --api-key-env {USUAL} sends it all the same"
        );
        (None, Some(said))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(url: &str, key: &str) -> (Option<String>, String) {
        let target = Target::parse(url, None).unwrap();
        let (key, said) = usual(Some(key.to_owned()), &target, false);
        (key, said.unwrap_or_default())
    }

    #[test]
    fn a_key_that_nobody_named_stays_here_or_goes_by_https() {
        let sent = Some("sk-1".to_owned());
        for url in [
            "http://localhost:8000",
            "http://127.1.2.3",
            "http://[::1]:8000",
            "http://0.0.0.0:8000",
        ] {
            assert_eq!(asked(url, "sk-1"), (sent.clone(), String::new()), "{url}");
        }
        let (key, said) = asked("https://api.example.com/v1", " sk-1\n");
        assert_eq!(key, sent);
        assert!(said.contains("goes to api.example.com;"), "{said}");
        let (key, said) = asked("http://10.0.0.7:8000", "sk-1");
        assert_eq!(key, None);
        assert!(said.contains("not sent to 10.0.0.7:8000:"), "{said}");
        assert!(said.contains("--api-key-env OPENAI_API_KEY"), "{said}");
        assert!(!said.contains("sk-1"), "{said}");
        assert_eq!(asked("https://h", " "), (None, String::new()));
    }

    #[test]
    fn a_unix_socket_is_here_whatever_the_url_says() {
        let target = Target::parse("http://h", None).unwrap();
        let key = Some("sk-1".to_owned());
        assert_eq!(usual(key.clone(), &target, true), (key, None));
    }
}
