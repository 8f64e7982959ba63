//! What a server may do wrong, on demand.

use std::fmt;
use std::str::FromStr;

/// One way to fail. Each is the same every time, so that a client can be tested against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Answer with this HTTP status, 400 to 599, and an error body; 429 says `retry-after: 1`.
    Status(u16),
    /// Answer 200 with a page of HTML, as a proxy in front of a dead server does.
    Html,
    /// Accept the request and never answer.
    Stall,
    /// Send half of the tokens, then nothing more, and leave the connection open.
    StallMid,
    /// Send half of the tokens, then reset the connection.
    Cut,
    /// Answer 200 with an empty text.
    Empty,
    /// Send half of the tokens, then bytes that are neither JSON nor UTF-8, then the rest.
    Garbage,
    /// Leave the usage out, even if asked for.
    NoUsage,
    /// Send a few bytes per write, so that lines and characters arrive in pieces.
    Bytes,
}

impl Fault {
    /// The kinds by name, as `--help` and errors list them.
    pub const NAMES: &'static str =
        "400 to 599, html, stall, stall-mid, cut, empty, garbage, no-usage or bytes";

    /// Whether the answer is other than usual halfway through its tokens.
    pub(crate) fn is_midway(self) -> bool {
        matches!(self, Fault::StallMid | Fault::Cut | Fault::Garbage)
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(name: &str) -> Result<Fault, String> {
        Ok(match name {
            "html" => Fault::Html,
            "stall" => Fault::Stall,
            "stall-mid" => Fault::StallMid,
            "cut" => Fault::Cut,
            "empty" => Fault::Empty,
            "garbage" => Fault::Garbage,
            "no-usage" => Fault::NoUsage,
            "bytes" => Fault::Bytes,
            _ => match name.parse() {
                Ok(status @ 400..=599) => Fault::Status(status),
                _ => return Err(format!("unknown fault {name:?}; one of {}", Fault::NAMES)),
            },
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::Status(status) => return status.fmt(f),
            Fault::Html => "html",
            Fault::Stall => "stall",
            Fault::StallMid => "stall-mid",
            Fault::Cut => "cut",
            Fault::Empty => "empty",
            Fault::Garbage => "garbage",
            Fault::NoUsage => "no-usage",
            Fault::Bytes => "bytes",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_read_by_the_name_it_prints() {
        for name in
            "400 429 500 599 html stall stall-mid cut empty garbage no-usage bytes".split(' ')
        {
            assert_eq!(name.parse::<Fault>().unwrap().to_string(), name);
        }
    }

    #[test]
    fn a_status_that_is_no_error_is_refused() {
        for name in ["200", "399", "600", "-1", "", "Html"] {
            let err = name.parse::<Fault>().unwrap_err();
            assert!(err.contains("one of 400 to 599, html"), "{err}");
        }
    }
}
