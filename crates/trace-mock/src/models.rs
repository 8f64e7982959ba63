//! The models on offer.

use std::borrow::Cow;

use bytes::Bytes;
use hyper::StatusCode;

use crate::reply::{Refusal, quoted};

/// The models on offer, as they are told to clients.
#[derive(Debug)]
pub(crate) struct Models {
    /// At least one.
    pub(crate) names: Vec<String>,
    /// The first as a JSON string.
    pub(crate) first: String,
    /// The answer of `/v1/models`.
    pub(crate) list: Bytes,
    /// Each by itself.
    pub(crate) each: Vec<Bytes>,
    strict: bool,
}

impl Models {
    /// `created` is in seconds since 1970.
    pub(crate) fn new(names: &[String], strict: bool, created: u64, length: Option<u64>) -> Models {
        let names = match names {
            [] => vec!["mock".to_owned()],
            names => names.to_vec(),
        };
        let length = length.map_or("null".to_owned(), |length| length.to_string());
        let model = |name: &String| {
            let name = quoted(name);
            format!(
                "{{\"id\":{name},\"object\":\"model\",\"created\":{created},\
                 \"owned_by\":\"trace-mock\",\"root\":{name},\"max_model_len\":{length}}}"
            )
        };
        let each: Vec<_> = names.iter().map(model).collect();
        Models {
            first: quoted(&names[0]),
            list: format!("{{\"object\":\"list\",\"data\":[{}]}}", each.join(",")).into(),
            each: each.into_iter().map(Bytes::from).collect(),
            names,
            strict,
        }
    }

    /// Which of them has this name.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }

    /// Whether the model of this name, a JSON string, may be asked.
    pub(crate) fn allow(&self, json: &str) -> Result<(), Refusal> {
        if !self.strict {
            return Ok(());
        }
        let name = serde_json::from_str::<Cow<'_, str>>(json).unwrap_or(Cow::Borrowed(json));
        match self.position(&name) {
            Some(_) => Ok(()),
            None => Err(self.unknown(&name)),
        }
    }

    /// What is said of a name that none of them has.
    pub(crate) fn unknown(&self, name: &str) -> Refusal {
        let reason = format!("The model `{name}` does not exist.");
        Refusal::new(StatusCode::NOT_FOUND, reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strict_server_knows_its_models_only() {
        let names = ["a".to_owned(), "b \"x\"".to_owned()];
        let strict = Models::new(&names, true, 0, None);
        assert!(strict.allow("\"a\"").is_ok() && strict.allow(r#""b \u0022x\"""#).is_ok());
        assert_eq!(strict.allow("\"c\"").unwrap_err().status, 404);
        assert!(Models::new(&names, false, 0, None).allow("\"c\"").is_ok());
    }

    #[test]
    fn the_list_says_how_long_their_context_is() {
        let models = Models::new(&["m".to_owned()], false, 5, Some(4_096));
        let json: serde_json::Value = serde_json::from_slice(&models.list).unwrap();
        assert_eq!(json["data"][0]["max_model_len"], 4_096);
        assert_eq!(json["data"][0]["created"], 5);
        assert_eq!(Models::new(&[], false, 0, None).first, "\"mock\"");
    }
}
