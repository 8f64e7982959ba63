//! What the page asks to be sent, as trace-send's flags.

use crate::reply::Refusal;
use clap::Parser;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// What is to be sent, where to and how. No member names a file.
#[derive(Deserialize)]
pub(crate) struct Wish<'a> {
    /// The design.
    #[serde(borrow)]
    pub design: &'a RawValue,
    /// Where to; `mock:` is a server inside.
    pub url: String,
    model: Option<String>,
    speed: Option<f64>,
    max_concurrency: Option<u64>,
    headers: Option<Headers>,
    endpoint_type: Option<String>,
    api_key_env: Option<String>,
    #[serde(default)]
    ignore_eos: bool,
    #[serde(default)]
    no_stream: bool,
}

/// Header fields, in either spelling.
#[derive(Deserialize)]
#[serde(untagged)]
enum Headers {
    /// `["Name: value"]`
    Lines(Vec<String>),
    /// `{"Name": "value"}`
    Fields(BTreeMap<String, String>),
}

impl Wish<'_> {
    /// What timestamps are divided by.
    pub(crate) fn speed(&self) -> f64 {
        self.speed.unwrap_or(1.0)
    }

    /// What every request is sent as, instead of the drawn model.
    pub(crate) fn model(&self) -> Option<&str> {
        self.model.as_deref().filter(|name| !name.is_empty())
    }

    /// As if it was typed. Only with `secrets` the keys that our environment
    /// holds go along: where the page is open to other machines, whoever draws
    /// there could have them sent anywhere.
    ///
    /// # Errors
    /// 400 for what trace-send does not take, 403 for a key without `secrets`.
    pub(crate) fn args(&self, secrets: bool) -> Result<trace_send::Args, Refusal> {
        let mut typed = vec![
            "trace-send".to_owned(),
            format!("--url={}", self.url),
            // Whoever stops it waits for this.
            "--drain=5s".to_owned(),
        ];
        let mut flag = |name: &str, value: Option<String>| {
            typed.extend(value.map(|value| format!("--{name}={value}")));
        };
        let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        flag("model", filled(&self.model));
        flag("speed", self.speed.map(|speed| speed.to_string()));
        flag(
            "max-concurrency",
            self.max_concurrency.map(|most| most.to_string()),
        );
        flag("endpoint-type", filled(&self.endpoint_type));
        flag("api-key-env", self.key(secrets)?);
        match &self.headers {
            Some(Headers::Lines(lines)) => {
                lines
                    .iter()
                    .for_each(|line| flag("header", Some(line.clone())));
            }
            Some(Headers::Fields(fields)) => {
                let line = |(name, value)| format!("{name}: {value}");
                fields
                    .iter()
                    .for_each(|field| flag("header", Some(line(field))));
            }
            None => {}
        }
        if !secrets {
            // None at all, instead of what TRACE_SEND_HEADER holds.
            flag("header", Some(String::new()));
        }
        // trace-send would read it; what the page asks for opens no files.
        if typed.iter().any(|typed| typed.starts_with("--header=@")) {
            return Err(Refusal::bad("a header is NAME: VALUE"));
        }
        typed.extend(self.ignore_eos.then(|| "--ignore-eos".to_owned()));
        typed.extend(self.no_stream.then(|| "--no-stream".to_owned()));
        trace_send::Args::try_parse_from(typed).map_err(|error| {
            let said = error.to_string();
            let line = said.lines().next().unwrap_or_default();
            Refusal::bad(line.trim_start_matches("error: "))
        })
    }

    /// The variable that holds the key; the empty one for no key at all.
    fn key(&self, secrets: bool) -> Result<Option<String>, Refusal> {
        let name = self.api_key_env.as_deref().filter(|name| !name.is_empty());
        let refusal = match name {
            None => return Ok((!secrets).then(String::new)),
            Some(_) if !secrets => Refusal::forbidden(
                "keys of the environment are not sent for a page that other machines can reach",
            ),
            Some(name) if std::env::var_os(name.replace(['=', '\0'], "")).is_none() => {
                Refusal::bad(format_args!(
                    "{name} is not set where trace-design was started"
                ))
            }
            Some(name) => return Ok(Some(name.to_owned())),
        };
        Err(refusal.about("api_key_env"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(json: &str) -> Result<trace_send::Args, Refusal> {
        let text = format!("{{\"design\":{{}},{json}}}");
        serde_json::from_str::<Wish<'_>>(&text).unwrap().args(true)
    }

    #[test]
    fn a_wish_is_what_could_be_typed() {
        let asked = args(
            r#""url":"http://h:1/v1","model":"m","speed":2.5,"max_concurrency":7,"headers":{"A":"b: c"},"ignore_eos":true"#,
        );
        let asked = asked.unwrap();
        assert_eq!(asked.server.url.as_deref(), Some("http://h:1/v1"));
        assert_eq!(
            (asked.server.model.as_deref(), asked.load.speed),
            (Some("m"), 2.5)
        );
        assert_eq!(asked.load.max_concurrency, Some(7));
        assert_eq!(asked.server.header, ["A: b: c"]);
        assert!(asked.body.ignore_eos && !asked.body.no_stream);
        assert_eq!(
            args(r#""url":"mock:","headers":["X: y"]"#)
                .unwrap()
                .server
                .header,
            ["X: y"]
        );
    }

    #[test]
    fn what_cannot_be_typed_is_said_in_one_line() {
        for bad in [
            r#""url":"mock:","speed":0"#,
            r#""url":"mock:","endpoint_type":"soap""#,
        ] {
            let refusal = args(bad).unwrap_err();
            let said = refusal.body["error"].as_str().unwrap();
            assert!(
                said.starts_with("invalid value ") && said.lines().count() == 1,
                "{said}"
            );
        }
    }

    #[test]
    fn a_key_is_named_and_never_leaves_an_open_page() {
        // Any variable that is there for sure.
        let named = r#""url":"mock:","api_key_env":"PATH""#;
        let asked = args(named).unwrap();
        assert_eq!(asked.server.api_key_env.as_deref(), Some("PATH"));
        assert_eq!(args(r#""url":"mock:""#).unwrap().server.api_key_env, None);
        for (bad, reason) in [
            ("NO_SUCH_VARIABLE", "is not set"),
            ("A=B", "is not set"),
            ("A\\u0000", "is not set"),
        ] {
            let refusal = args(&format!(r#""url":"mock:","api_key_env":"{bad}""#)).unwrap_err();
            assert!(refusal.reason().contains(reason), "{bad}");
            assert_eq!(refusal.body["field"], "api_key_env");
        }
        let open = |json: &str| {
            let text = format!("{{\"design\":{{}},{json}}}");
            serde_json::from_str::<Wish<'_>>(&text).unwrap().args(false)
        };
        assert_eq!(open(named).unwrap_err().status, 403);
        let none = open(r#""url":"mock:","headers":["A: b"]"#).unwrap();
        assert_eq!(none.server.api_key_env.as_deref(), Some(""));
        assert_eq!(none.server.header, ["A: b", ""]);
    }

    #[test]
    fn no_header_is_read_from_a_file() {
        for bad in [r#"["@/etc/passwd"]"#, r#"{"@/etc/passwd":"x"}"#] {
            let refusal = args(&format!("\"url\":\"mock:\",\"headers\":{bad}")).unwrap_err();
            assert_eq!(refusal.reason(), "a header is NAME: VALUE");
        }
    }

    #[test]
    fn nothing_in_a_wish_becomes_another_flag() {
        let asked = args(
            r#""url":"--api-key-file=/etc/passwd","model":"--resume=/x","headers":["--ca-cert=/y"]"#,
        );
        let asked = asked.unwrap();
        assert_eq!(
            asked.server.url.as_deref(),
            Some("--api-key-file=/etc/passwd")
        );
        assert!(
            asked.server.api_key_file.is_none()
                && asked.runs.resume.is_none()
                && asked.server.ca_cert.is_none()
        );
    }
}
