//! Members of a JSON object that are passed on and not understood.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// Members of a JSON object, each with its value as it is spelled.
#[derive(Debug, Default)]
pub(crate) struct Members(pub(crate) Vec<(String, Box<RawValue>)>);

impl Members {
    /// The members of the object `json`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(json: &str) -> Result<Self, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    /// The members that `KEY=VALUE` flags name. A value that is no JSON is a
    /// string.
    ///
    /// # Errors
    /// A flag without `=`.
    pub(crate) fn from_flags(flags: &[String]) -> Result<Self, String> {
        let mut members = Self::default();
        for flag in flags {
            let (key, value) = flag
                .split_once('=')
                .ok_or_else(|| format!("--extra {flag}: expected KEY=VALUE"))?;
            let raw = RawValue::from_string(value.to_owned());
            let raw = raw
                .or_else(|_| serde_json::value::to_raw_value(value))
                .map_err(|error| error.to_string())?;
            members.set(key.to_owned(), raw);
        }
        Ok(members)
    }

    /// The value of `key`, as it is spelled.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == key)
            .map(|(_, value)| value.get())
    }

    /// The last of equal keys wins.
    fn set(&mut self, key: String, value: Box<RawValue>) {
        self.0.retain(|(known, _)| *known != key);
        self.0.push((key, value));
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Members::default();
                while let Some((key, value)) = map.next_entry()? {
                    members.set(key, value);
                }
                Ok(members)
            }
        }
        from.deserialize_map(Object)
    }
}
