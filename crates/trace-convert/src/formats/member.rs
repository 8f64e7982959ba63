//! Members of an object, each read as what it should be.
//!
//! One that is absent or `null` is none; one of another type is an error that
//! names it, never taken for absent.

use crate::json::Members;
use serde::de::DeserializeOwned;
use trace_core::{Micros, SessionId};

/// The member `name` as `read` reads it.
fn read_as<'a, T>(
    object: &Members<'a>,
    name: &str,
    expected: &str,
    read: impl FnOnce(&'a [u8]) -> Option<T>,
) -> Result<Option<T>, String> {
    let raw = object.get(name);
    raw.map(|raw| read(raw).ok_or_else(|| format!("{name}: expected {expected}")))
        .transpose()
}

/// The text of the member `name`.
///
/// # Errors
/// A member that is no string.
pub(crate) fn text_of(object: &Members<'_>, name: &str) -> Result<Option<String>, String> {
    read_as(object, name, "a string", text)
}

/// The number of tokens in the member `name`.
///
/// # Errors
/// A member that is no whole number, 0 or more.
pub(crate) fn tokens(object: &Members<'_>, name: &str) -> Result<Option<u64>, String> {
    let whole = |raw: &[u8]| {
        let whole = number(raw).filter(|n| *n >= 0.0 && n.fract() == 0.0 && *n < 9e15);
        whole.map(|n| n as u64)
    };
    read_as(object, name, "a whole number, 0 or more", whole)
}

/// The number in the member `name`.
///
/// # Errors
/// A member that is no number.
pub(crate) fn number_of(object: &Members<'_>, name: &str) -> Result<Option<f64>, String> {
    read_as(object, name, "a number", number)
}

/// The seconds in the member `name`.
///
/// # Errors
/// A member that is no number, 0 or more.
pub(crate) fn seconds_of(object: &Members<'_>, name: &str) -> Result<Option<Micros>, String> {
    let seconds = |raw: &[u8]| number(raw).and_then(Micros::from_secs);
    read_as(object, name, "seconds, 0 or more", seconds)
}

/// The milliseconds in the member `name`.
///
/// # Errors
/// A member that is no number, 0 or more.
pub(crate) fn millis_of(object: &Members<'_>, name: &str) -> Result<Option<Micros>, String> {
    let millis = |raw: &[u8]| number(raw).and_then(Micros::from_millis);
    read_as(object, name, "milliseconds, 0 or more", millis)
}

/// The status of HTTP in the member `name`.
///
/// # Errors
/// A member that is no number from 100 to 599.
pub(crate) fn status_of(object: &Members<'_>, name: &str) -> Result<Option<u16>, String> {
    let status = |raw: &[u8]| number(raw).filter(|code| (100.0..600.0).contains(code));
    let status = read_as(object, name, "a status of HTTP, 100 to 599", status)?;
    Ok(status.map(|code| code as u16))
}

/// The object in the member `name`; empty where there is none.
///
/// # Errors
/// A member that is no object.
pub(crate) fn object_of<'a>(object: &Members<'a>, name: &str) -> Result<Members<'a>, String> {
    let members = |raw| serde_json::from_slice(raw).ok();
    let found = read_as(object, name, "an object", members)?;
    Ok(found.unwrap_or(Members(Vec::new())))
}

/// The list in the member `name`; empty where there is none.
///
/// # Errors
/// A member that is no array, and an element of another kind.
pub(crate) fn list_of<T: DeserializeOwned>(
    object: &Members<'_>,
    name: &str,
) -> Result<Vec<T>, String> {
    object.get(name).map_or(Ok(Vec::new()), |raw| {
        serde_json::from_slice(raw).map_err(|error| {
            // A place inside the member tells nobody anything.
            let text = error.to_string();
            let reason = text.split(" at line ").next().unwrap_or(&text);
            format!("{name}: {reason}")
        })
    })
}

/// The text of a JSON string.
pub(crate) fn text(raw: &[u8]) -> Option<String> {
    serde_json::from_slice(raw).ok()
}

/// A JSON number.
pub(crate) fn number(raw: &[u8]) -> Option<f64> {
    serde_json::from_slice(raw).ok()
}

/// The session that `raw` names: a number or a string as it is, else its JSON
/// as a string.
pub(crate) fn session(raw: &[u8]) -> SessionId {
    if let Ok(number) = serde_json::from_slice(raw) {
        return SessionId::Number(number);
    }
    SessionId::Text(text(raw).unwrap_or_else(|| String::from_utf8_lossy(raw).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_is_none_and_what_is_something_else_an_error() {
        let json = br#"{"a":null,"b":-1.5,"c":{},"d":"x"}"#;
        let object: Members<'_> = serde_json::from_slice(json).unwrap();
        assert_eq!(seconds_of(&object, "a"), Ok(None));
        assert_eq!(number_of(&object, "b"), Ok(Some(-1.5)));
        assert_eq!(text_of(&object, "d"), Ok(Some("x".into())));
        assert_eq!(object_of(&object, "z").map(|inner| inner.0.len()), Ok(0));
        let errors = [
            seconds_of(&object, "b").unwrap_err(),
            tokens(&object, "b").unwrap_err(),
            status_of(&object, "b").unwrap_err(),
            text_of(&object, "b").unwrap_err(),
            number_of(&object, "d").unwrap_err(),
            object_of(&object, "d").map(|_| ()).unwrap_err(),
        ];
        let expected = [
            "b: expected seconds, 0 or more",
            "b: expected a whole number, 0 or more",
            "b: expected a status of HTTP, 100 to 599",
            "b: expected a string",
            "d: expected a number",
            "d: expected an object",
        ];
        assert_eq!(errors, expected);
    }

    #[test]
    fn sessions_keep_their_type() {
        assert_eq!(session(b"7"), SessionId::Number(7));
        assert_eq!(session(b"\"7\""), SessionId::Text("7".into()));
        assert_eq!(session(b"[1]"), SessionId::Text("[1]".into()));
    }
}
