//! The models on offer, and the adapters on top of them.

use std::borrow::Cow;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use hyper::StatusCode;
use serde::Deserialize;

use crate::reply::{Refusal, quoted};
use crate::settings::Adapter;
use crate::wire::ollama::date;

/// The models on offer, as they are told to clients.
#[derive(Debug)]
pub(crate) struct Models {
    /// At least one.
    offers: RwLock<Vec<Offer>>,
    /// The first as a JSON string.
    pub(crate) first: String,
    strict: bool,
    created: u64,
    length: Option<u64>,
}

/// A model, or an adapter.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Offer {
    name: String,
    /// Where it comes from, if that is not its name.
    root: Option<String>,
    /// The model it adapts.
    parent: Option<String>,
}

/// The body of vLLM's requests to load or unload an adapter.
#[derive(Deserialize)]
struct Named {
    lora_name: String,
    lora_path: Option<String>,
}

impl Models {
    /// `created` is in seconds since 1970.
    pub(crate) fn new(names: &[String], strict: bool, created: u64, length: Option<u64>) -> Models {
        let names = match names {
            [] => vec!["mock".to_owned()],
            names => names.to_vec(),
        };
        let offer = |name| Offer {
            name,
            root: None,
            parent: None,
        };
        Models {
            first: quoted(&names[0]),
            offers: RwLock::new(names.into_iter().map(offer).collect()),
            strict,
            created,
            length,
        }
    }

    /// The same with adapters.
    pub(crate) fn with_adapters(self, adapters: &[Adapter]) -> Models {
        for adapter in adapters {
            // One of two that have a name is enough.
            let _ = self.add(&adapter.name, None, adapter.base.clone());
        }
        self
    }

    fn offers(&self) -> RwLockReadGuard<'_, Vec<Offer>> {
        self.offers.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, name: &str, root: Option<String>, base: Option<String>) -> Result<(), Refusal> {
        let mut offers = self.offers.write().unwrap_or_else(PoisonError::into_inner);
        if offers.iter().any(|offer| offer.name == name) {
            return Err(Refusal::bad(format!("{name:?} is on offer already")));
        }
        let parent = base.unwrap_or_else(|| offers[0].name.clone());
        offers.push(Offer {
            name: name.to_owned(),
            root,
            parent: Some(parent),
        });
        Ok(())
    }

    /// Offer the adapter that `body` names.
    pub(crate) fn load(&self, body: &[u8]) -> Result<String, Refusal> {
        let Named {
            lora_name,
            lora_path,
        } = named(body)?;
        if lora_name.is_empty() {
            return Err(Refusal::bad("`lora_name` is empty"));
        }
        self.add(&lora_name, lora_path, None)?;
        Ok(format!("{{\"loaded\":{}}}", quoted(&lora_name)))
    }

    /// Offer the adapter that `body` names no longer.
    pub(crate) fn unload(&self, body: &[u8]) -> Result<String, Refusal> {
        let Named { lora_name, .. } = named(body)?;
        let mut offers = self.offers.write().unwrap_or_else(PoisonError::into_inner);
        let known = |offer: &Offer| offer.parent.is_some() && offer.name == lora_name;
        match offers.iter().position(known) {
            Some(place) => offers.remove(place),
            None => {
                let reason = format!("there is no adapter {lora_name:?}");
                return Err(Refusal::new(StatusCode::NOT_FOUND, reason));
            }
        };
        Ok(format!("{{\"unloaded\":{}}}", quoted(&lora_name)))
    }

    /// The names of all.
    pub(crate) fn names(&self) -> Vec<String> {
        self.offers()
            .iter()
            .map(|offer| offer.name.clone())
            .collect()
    }

    /// The names of the adapters.
    pub(crate) fn adapters(&self) -> Vec<String> {
        let offers = self.offers();
        let adapters = offers.iter().filter(|offer| offer.parent.is_some());
        adapters.map(|offer| offer.name.clone()).collect()
    }

    /// The answer of `/v1/models`.
    pub(crate) fn list(&self) -> String {
        let each: Vec<_> = self.offers().iter().map(|offer| self.json(offer)).collect();
        format!("{{\"object\":\"list\",\"data\":[{}]}}", each.join(","))
    }

    /// One of them by itself.
    pub(crate) fn one(&self, name: &str) -> Result<String, Refusal> {
        let offers = self.offers();
        let offer = offers.iter().find(|offer| offer.name == name);
        Ok(self.json(offer.ok_or_else(|| unknown(name))?))
    }

    /// All of them as Anthropic lists them.
    pub(crate) fn anthropic_list(&self) -> String {
        let offers = self.offers();
        let each: Vec<_> = offers.iter().map(|offer| self.anthropic(offer)).collect();
        let id =
            |offer: Option<&Offer>| offer.map_or("null".to_owned(), |offer| quoted(&offer.name));
        format!(
            "{{\"data\":[{}],\"has_more\":false,\"first_id\":{},\"last_id\":{}}}",
            each.join(","),
            id(offers.first()),
            id(offers.last())
        )
    }

    /// One of them as Anthropic has it.
    pub(crate) fn anthropic_one(&self, name: &str) -> Result<String, Refusal> {
        let offers = self.offers();
        let offer = offers.iter().find(|offer| offer.name == name);
        Ok(self.anthropic(offer.ok_or_else(|| unknown(name))?))
    }

    fn anthropic(&self, offer: &Offer) -> String {
        let name = quoted(&offer.name);
        let created = date(Duration::from_secs(self.created));
        format!(
            "{{\"type\":\"model\",\"id\":{name},\"display_name\":{name},\
             \"created_at\":\"{created}\"}}"
        )
    }

    fn json(&self, offer: &Offer) -> String {
        let name = quoted(&offer.name);
        let created = self.created;
        let root = offer.root.as_deref().map_or_else(|| name.clone(), quoted);
        let parent = offer.parent.as_deref().map_or("null".to_owned(), quoted);
        let length = self
            .length
            .map_or("null".to_owned(), |length| length.to_string());
        format!(
            "{{\"id\":{name},\"object\":\"model\",\"created\":{created},\"owned_by\":\"trace-mock\",\
             \"root\":{root},\"parent\":{parent},\"max_model_len\":{length}}}"
        )
    }

    /// Whether the model of this name, a JSON string, may be asked.
    pub(crate) fn allow(&self, json: &str) -> Result<(), Refusal> {
        if !self.strict {
            return Ok(());
        }
        let name = serde_json::from_str::<Cow<'_, str>>(json).unwrap_or(Cow::Borrowed(json));
        self.one(&name).map(drop)
    }
}

fn named(body: &[u8]) -> Result<Named, Refusal> {
    let words = |err| Refusal::bad(format!("cannot read the body: {err}"));
    serde_json::from_slice(body).map_err(words)
}

/// What is said of a name that none of them has.
fn unknown(name: &str) -> Refusal {
    let reason = format!("The model `{name}` does not exist.");
    Refusal::new(StatusCode::NOT_FOUND, reason).about("model")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

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
        let json: Value = serde_json::from_str(&models.list()).unwrap();
        assert_eq!(json["data"][0]["max_model_len"], 4_096);
        assert_eq!(json["data"][0]["created"], 5);
        assert_eq!(Models::new(&[], false, 0, None).first, "\"mock\"");
    }

    #[test]
    fn adapters_come_and_go() {
        let adapter = Adapter {
            name: "sql".into(),
            base: None,
        };
        let models = Models::new(&["m".to_owned()], true, 0, None).with_adapters(&[adapter]);
        let load = br#"{"lora_name":"poems","lora_path":"/p"}"#;
        models.load(load).unwrap();
        assert_eq!(models.load(load).unwrap_err().status, 400);
        assert_eq!(models.adapters(), ["sql", "poems"]);
        let json: Value = serde_json::from_str(&models.one("poems").unwrap()).unwrap();
        assert_eq!(
            (&json["parent"], &json["root"]),
            (&"m".into(), &"/p".into())
        );
        assert!(models.allow("\"poems\"").is_ok());
        models.unload(load).unwrap();
        assert_eq!(models.allow("\"poems\"").unwrap_err().status, 404);
        // A model is no adapter.
        let model = models.unload(br#"{"lora_name":"m"}"#);
        assert_eq!(model.unwrap_err().status, 404);
        assert_eq!(models.load(b"{}").unwrap_err().status, 400);
    }
}
