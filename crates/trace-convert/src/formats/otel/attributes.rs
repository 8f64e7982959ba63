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

/// The JSON of the attribute `key`, out of what names its type; none where
/// that is empty.
fn value(key: &str, raw: &[u8]) -> Result<Option<Vec<u8>>, String> {
    if raw.first() != Some(&b'{') {
        // Jaeger's tags hold the value itself.
        return Ok(Some(raw.to_vec()));
    }
    let typed = crate::json::members(raw);
    let Some((kind, raw)) = typed.first() else {
        return Ok(None);
    };
    // OTLP writes 64-bit integers as strings.
    if !matches!(kind.as_ref(), "intValue" | "int_value") {
        return Ok(Some(raw.to_vec()));
    }
    let digits = text(raw).filter(|text| crate::json::is_number(text.as_bytes()));
    let digits = digits.ok_or_else(|| format!("{key}: expected an integer"))?;
    Ok(Some(digits.into_bytes()))
}

/// A string's content, or a number as it is written.
pub(super) fn text(raw: &[u8]) -> Option<String> {
    match raw.first()? {
        b'"' => serde_json::from_slice(raw).ok(),
        b'n' | b'{' | b'[' => None,
        _ => String::from_utf8(raw.to_vec()).ok(),
    }
}
