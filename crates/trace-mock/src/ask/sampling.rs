//! Numbers that steer sampling. They change nothing of an answer here, but senseless ones are refused
//! in vLLM's words, as they would be by a server that heeds them.

use serde_json::value::RawValue;

/// A parameter that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) param: &'static str,
    pub(crate) reason: String,
}

impl Wrong {
    /// What is wrong with `param`, which is `value`.
    pub(super) fn new(param: &'static str, is: &str, value: impl std::fmt::Display) -> Wrong {
        Wrong {
            param,
            reason: format!("{param} {is}, got {value}. (parameter={param}, value={value})"),
        }
    }
}

/// What a body says of them, as it stands there: who only counts prompts need not understand it.
#[derive(Clone, Copy, Default)]
pub(super) struct Sampling<'a> {
    pub(super) temperature: Option<&'a RawValue>,
    pub(super) top_p: Option<&'a RawValue>,
    pub(super) top_k: Option<&'a RawValue>,
    pub(super) min_p: Option<&'a RawValue>,
    pub(super) presence_penalty: Option<&'a RawValue>,
    pub(super) frequency_penalty: Option<&'a RawValue>,
    pub(super) repetition_penalty: Option<&'a RawValue>,
}

impl Sampling<'_> {
    /// The first that is senseless.
    pub(super) fn wrong(&self) -> Option<Wrong> {
        type Allowed = fn(f64) -> bool;
        let all: [(&'static str, Option<&RawValue>, Allowed, &str); 7] = [
            (
                "temperature",
                self.temperature,
                |x| x >= 0.0,
                "must be non-negative",
            ),
            (
                "top_p",
                self.top_p,
                |x| 0.0 < x && x <= 1.0,
                "must be in (0, 1]",
            ),
            (
                "top_k",
                self.top_k,
                |x| x >= -1.0 && x == libm::floor(x),
                "must be 0 (disable), or at least 1",
            ),
            (
                "min_p",
                self.min_p,
                |x| (0.0..=1.0).contains(&x),
                "must be in [0, 1]",
            ),
            (
                "presence_penalty",
                self.presence_penalty,
                |x| (-2.0..=2.0).contains(&x),
                "must be in [-2, 2]",
            ),
            (
                "frequency_penalty",
                self.frequency_penalty,
                |x| (-2.0..=2.0).contains(&x),
                "must be in [-2, 2]",
            ),
            (
                "repetition_penalty",
                self.repetition_penalty,
                |x| x > 0.0,
                "must be greater than zero",
            ),
        ];
        let given = all.into_iter().filter_map(|(param, json, allowed, is)| {
            Some((
                param,
                json.filter(|json| json.get() != "null")?,
                allowed,
                is,
            ))
        });
        given.into_iter().find_map(|(param, json, allowed, is)| {
            // A number in quotes is one, too, as to the servers that this is like.
            match json.get().trim_matches('"').parse::<f64>() {
                Ok(value) if allowed(value) => None,
                Ok(value) => Some(Wrong::new(param, is, value)),
                Err(_) => Some(Wrong::new(param, "must be a number", json.get())),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn wrong(json: &str) -> Option<String> {
        let all: HashMap<String, &RawValue> = serde_json::from_str(json).unwrap();
        let sampling = Sampling {
            temperature: all.get("temperature").copied(),
            top_p: all.get("top_p").copied(),
            top_k: all.get("top_k").copied(),
            min_p: all.get("min_p").copied(),
            presence_penalty: all.get("presence_penalty").copied(),
            frequency_penalty: all.get("frequency_penalty").copied(),
            repetition_penalty: all.get("repetition_penalty").copied(),
        };
        sampling.wrong().map(|wrong| wrong.reason)
    }

    #[test]
    fn what_can_be_sampled_by_is_taken() {
        for json in [
            "{}",
            r#"{"temperature":0,"top_p":1,"top_k":-1,"min_p":0.1,"presence_penalty":-2}"#,
            r#"{"temperature":"0.5","top_p":null,"repetition_penalty":1.1}"#,
        ] {
            assert_eq!(wrong(json), None, "{json}");
        }
    }

    #[test]
    fn what_cannot_is_refused_in_words_that_name_it() {
        assert_eq!(
            wrong(r#"{"temperature":-1.5}"#).unwrap(),
            "temperature must be non-negative, got -1.5. (parameter=temperature, value=-1.5)"
        );
        for json in [
            r#"{"top_p":0}"#,
            r#"{"top_p":1.5}"#,
            r#"{"top_k":-2}"#,
            r#"{"top_k":1.5}"#,
            r#"{"min_p":2}"#,
            r#"{"presence_penalty":3}"#,
            r#"{"frequency_penalty":-9}"#,
            r#"{"repetition_penalty":0}"#,
            r#"{"temperature":"warm"}"#,
            r#"{"temperature":[]}"#,
        ] {
            assert!(wrong(json).is_some(), "{json}");
        }
    }
}
