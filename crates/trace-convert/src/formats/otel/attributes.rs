//! The attributes of a span, in every form that exports have.

use crate::json::Members;

/// The attributes of a span: each name with its JSON.
pub(super) struct Attributes(Vec<(String, Vec<u8>)>);

impl Attributes {
    /// An object, or OTLP's list of `{"key", "value": {"stringValue"}}`.
    ///
    /// # Errors
    /// Attributes that are neither.
    pub(super) fn of(span: &Members<'_>) -> Result<Self, String> {
        let Some(raw) = span.get("attributes").or_else(|| span.get("tags")) else {
            return Ok(Self(Vec::new()));
        };
        if raw.first() == Some(&b'{') {
            let members = crate::json::members(raw).into_iter();
            let owned = members.map(|(key, raw)| (key.into_owned(), raw.to_vec()));
            return Ok(Self(owned.collect()));
        }
        let list: Vec<Members<'_>> = serde_json::from_slice(raw)
            .map_err(|_| "attributes: expected an object or a list of key and value")?;
        let mut all = Vec::new();
        for pair in &list {
            let key = pair.get("key").and_then(text);
            let key = key.ok_or("attributes: an element without a key")?;
            if let Some(raw) = pair.get("value") {
                all.extend(value(&key, raw)?.map(|raw| (key, raw)));
            }
        }
        Ok(Self(all))
    }

    /// Every name with its JSON.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0
            .iter()
            .map(|(key, raw)| (key.as_str(), raw.as_slice()))
    }

    /// The first of `names` that there is, and its JSON.
    pub(super) fn get<'a>(&self, names: &[&'a str]) -> Option<(&'a str, &[u8])> {
        names.iter().find_map(|name| {
            let found = self
                .iter()
                .find(|(key, raw)| key == name && *raw != b"null");
            found.map(|(_, raw)| (*name, raw))
        })
    }

    /// The text of the first of `names` that there is.
    ///
    /// # Errors
    /// A list or an object.
    pub(super) fn text(&self, names: &[&str]) -> Result<Option<String>, String> {
        let found = self.get(names);
        let read = |(name, raw)| text(raw).ok_or_else(|| format!("{name}: expected a string"));
        found.map(read).transpose()
    }

    /// The whole number in the first of `names` that there is, be it as text.
    ///
    /// # Errors
    /// What is no whole number, 0 or more.
    pub(super) fn whole(&self, names: &[&str]) -> Result<Option<u64>, String> {
        let found = self.get(names);
        let read = |(name, raw)| {
            let number = text(raw).and_then(|text| text.parse::<f64>().ok());
            let number = number.filter(|n| n.fract() == 0.0 && (0.0..9e15).contains(n));
            let whole = number.map(|number| number as u64);
            whole.ok_or_else(|| format!("{name}: expected a whole number, 0 or more"))
        };
        found.map(read).transpose()
    }

    /// The text of the first attribute whose name ends so.
    pub(super) fn ending(&self, end: &str) -> Option<String> {
        let found = self.iter().find(|(key, _)| key.ends_with(end));
        text(found?.1)
    }
}

/// How deep lists and maps may lie in one another.
const DEPTH: usize = 64;

/// The JSON of the attribute `key`, out of what names its type; none where
/// that is empty.
fn value(key: &str, raw: &[u8]) -> Result<Option<Vec<u8>>, String> {
    typed(raw, DEPTH).map_err(|expected| format!("{key}: expected {expected}"))
}

/// The JSON that `raw` names the type of, with up to `depth` more inside.
fn typed(raw: &[u8], depth: usize) -> Result<Option<Vec<u8>>, &'static str> {
    if raw.first() != Some(&b'{') {
        // Jaeger's tags hold the value itself.
        return Ok(Some(raw.to_vec()));
    }
    let depth = depth.checked_sub(1).ok_or("less deep a value")?;
    let typed = crate::json::members(raw);
    let Some((kind, raw)) = typed.first() else {
        return Ok(None);
    };
    match kind.as_ref() {
        // OTLP writes 64-bit integers as strings.
        "intValue" | "int_value" => {
            let digits = text(raw).filter(|text| crate::json::is_number(text.as_bytes()));
            Ok(Some(digits.ok_or("an integer")?.into_bytes()))
        }
        "arrayValue" | "array_value" => list(raw, depth).map(Some),
        "kvlistValue" | "kvlist_value" => map(raw, depth).map(Some),
        _ => Ok(Some(raw.to_vec())),
    }
}

/// The `values` of an `arrayValue` or `kvlistValue`.
fn values(raw: &[u8]) -> Result<Vec<Members<'_>>, &'static str> {
    let all = crate::json::members(raw).into_iter();
    let values = all.filter(|(name, _)| name == "values").map(|(_, raw)| raw);
    let all = values.map(serde_json::from_slice::<Vec<Members<'_>>>);
    let all: Result<Vec<_>, _> = all.collect();
    Ok(all
        .map_err(|_| "a list of values")?
        .into_iter()
        .flatten()
        .collect())
}

fn list(raw: &[u8], depth: usize) -> Result<Vec<u8>, &'static str> {
    let mut json = vec![b'['];
    for member in values(raw)? {
        if json.len() > 1 {
            json.push(b',');
        }
        let raw = crate::json::object(member.0.iter().map(|(name, raw)| (&**name, *raw)));
        json.extend(typed(&raw, depth)?.unwrap_or_else(|| b"null".to_vec()));
    }
    json.push(b']');
    Ok(json)
}

fn map(raw: &[u8], depth: usize) -> Result<Vec<u8>, &'static str> {
    let mut members = Vec::new();
    for pair in values(raw)? {
        let key = pair.get("key").and_then(text).ok_or("a key")?;
        let value = pair.get("value").map(|raw| typed(raw, depth)).transpose()?;
        members.extend(value.flatten().map(|value| (key, value)));
    }
    let members = members.iter().map(|(name, raw)| (&**name, &**raw));
    Ok(crate::json::object(members))
}

/// A string's content, or a number as it is written.
pub(super) fn text(raw: &[u8]) -> Option<String> {
    match raw.first()? {
        b'"' => serde_json::from_slice(raw).ok(),
        b'n' | b'{' | b'[' => None,
        _ => String::from_utf8(raw.to_vec()).ok(),
    }
}
