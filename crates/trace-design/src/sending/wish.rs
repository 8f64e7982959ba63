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

    /// As if it was typed.
    ///
    /// # Errors
    /// 400 for what trace-send does not take.
    pub(crate) fn args(&self) -> Result<trace_send::Args, Refusal> {
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(json: &str) -> Result<trace_send::Args, Refusal> {
        let text = format!("{{\"design\":{{}},{json}}}");
        serde_json::from_str::<Wish<'_>>(&text).unwrap().args()
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
