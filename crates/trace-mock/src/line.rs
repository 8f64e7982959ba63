//! The line that a request becomes, as far as it is known on arrival.

use std::time::Instant;

use trace_core::{Micros, push_integers};

/// What the client said that goes into the record. The strings are JSON, quotes included.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Said<'a> {
    pub(crate) input_length: u64,
    pub(crate) output_length: Option<u64>,
    /// Not on the line where there are none.
    pub(crate) hash_ids: &'a [u64],
    pub(crate) session_id: Option<&'a [u8]>,
    pub(crate) model: Option<&'a str>,
    pub(crate) request_id: Option<&'a [u8]>,
    /// Members that keep the prompt, each with a comma in front.
    pub(crate) text: &'a [u8],
}

/// The beginning of a line behind its `timestamp`: all that is known on arrival.
pub(crate) fn head(said: &Said<'_>, unix: Micros) -> Vec<u8> {
    let mut line = Vec::with_capacity(256);
    push_number(&mut line, ",\"input_length\":", said.input_length);
    if let Some(tokens) = said.output_length {
        push_number(&mut line, ",\"output_length\":", tokens);
    }
    if !said.hash_ids.is_empty() {
        line.extend_from_slice(b",\"hash_ids\":");
        push_integers(&mut line, said.hash_ids);
    }
    let strings = [
        (",\"session_id\":", said.session_id),
        (",\"model\":", said.model.map(str::as_bytes)),
        (",\"request_id\":", said.request_id),
    ];
    for (name, json) in strings {
        if let Some(json) = json {
            line.extend_from_slice(name.as_bytes());
            line.extend_from_slice(json);
        }
    }
    line.extend_from_slice(said.text);
    line.extend_from_slice(b",\"arrival_unix_ms\":");
    unix.push_millis(&mut line);
    line
}

/// Append `number` behind `name`.
pub(crate) fn push_number(line: &mut Vec<u8>, name: &str, number: u64) {
    line.extend_from_slice(name.as_bytes());
    line.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// From one moment to another.
pub(crate) fn since(earlier: Instant, later: Instant) -> Micros {
    later.saturating_duration_since(earlier).into()
}
