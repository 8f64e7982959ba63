//! Designs as files: the curve file, and the Traffic Designer's pickle.

use crate::outlet;
use crate::pickle;
use crate::reply::{self, Refusal, Reply};
use crate::seed;
use hyper::header::{HeaderName, HeaderValue};
use serde_json::{Value, json};
use std::fmt::Write as _;
use trace_synth::curve_file::Curve;
use trace_synth::drawn;
use trace_synth::pickle::Pickle;

/// A format of design files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// The curve file.
    Json,
    /// The Traffic Designer's.
    Pickle,
}

impl Format {
    /// The format called `name`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "json" => Some(Self::Json),
            "pickle" | "pkl" => Some(Self::Pickle),
            _ => None,
        }
    }

    /// `curve` in this format, and what it cannot hold, in words.
    pub(crate) fn write(self, curve: &Curve) -> (Vec<u8>, Vec<String>) {
        match self {
            Self::Json => (outlet::text(curve), Vec::new()),
            Self::Pickle => pickle::write(curve),
        }
    }
}

/// The design in the file `bytes`, which is called `name`, with what was left
/// out of it.
///
/// # Errors
/// 400 for what is neither a curve file nor a pickle of plain data.
pub(crate) fn import(name: &str, bytes: &[u8]) -> Result<Reply, Refusal> {
    let (mut curve, notes) = drawn::parse(name, bytes)?;
    // The page's scale; a curve file that has one keeps it by itself.
    if let Ok(pickle) = Pickle::parse(bytes)
        && let Some(rate) = pickle
            .get(pickle.root(), "max_rate")
            .and_then(trace_synth::pickle::Value::number)
    {
        curve.other.insert("max_rate".to_owned(), Value::from(rate));
    }
    seed::for_page(&mut curve.other);
    Ok(reply::json(&json!({ "design": curve, "notes": notes })))
}

/// `curve` as a file to be saved, with a header that tells what is lost.
pub(crate) fn export(curve: &Curve, format: Format) -> Reply {
    let (bytes, notes) = format.write(curve);
    let (kind, name) = match format {
        Format::Json => ("application/json", "curve.json"),
        Format::Pickle => ("application/octet-stream", "traffic_config.pkl"),
    };
    let mut reply = reply::download(reply::bytes(kind, bytes), name);
    // ASCII without control characters is a header.
    if let Ok(notes) = HeaderValue::from_str(&ascii(&json!(notes).to_string())) {
        let name = HeaderName::from_static("x-trace-design-notes");
        reply.headers_mut().insert(name, notes);
    }
    reply
}

/// `json` with all beyond ASCII as `\u`.
fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}").expect("writing to a string");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_of_any_name_fit_into_a_header() {
        let text = json!(["a\n☃😀\"\u{7f}"]).to_string();
        let ascii = ascii(&text);
        assert!(ascii.bytes().all(|byte| byte < 0x80));
        assert_eq!(
            serde_json::from_str::<Value>(&ascii).unwrap(),
            json!(["a\n☃😀\"\u{7f}"])
        );
    }
}
