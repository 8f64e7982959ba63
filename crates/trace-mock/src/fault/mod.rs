//! What a server may do wrong, on demand.

mod plan;

use std::fmt;
use std::str::FromStr;

use trace_core::{Micros, parse_duration};

pub use plan::Faults;
pub(crate) use plan::{parse_plan, parse_rate};

/// How many bytes a piece has that is cut off: less than any word of an event.
pub(crate) const PIECE_BYTES: u32 = 7;

/// The most that is added to an answer.
const MOST_BIG_BYTES: u32 = 1 << 30;

/// One way to fail. Each is the same every time, so that a client can be tested against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Answer with this HTTP status, 400 to 599, and an error body.
    Status {
        /// The status.
        code: u16,
        /// Seconds that a `retry-after` header asks for; a 429 has one in any case.
        retry_after: Option<u32>,
    },
    /// Answer 200 with a page of HTML, as a proxy in front of a dead server does.
    Html,
    /// Reset the connection instead of answering.
    Reset,
    /// Send the head of an answer, then reset the connection.
    ResetHead,
    /// Accept the request and never answer.
    Stall,
    /// Send half of the tokens, then nothing more, and leave the connection open.
    StallMid,
    /// Send half of the tokens, then reset the connection.
    Cut,
    /// Send half of the tokens, then end the body as if it were whole.
    Truncate,
    /// Answer 200 with an empty text.
    Empty,
    /// Send half of the tokens, then bytes that are neither JSON nor UTF-8, then the rest.
    Garbage,
    /// Leave the usage out, even if asked for.
    NoUsage,
    /// Send so many bytes per write, so that lines and characters arrive in pieces.
    Bytes(u32),
    /// Send no more than this many bytes per second.
    Slow(u32),
    /// Put this many tokens into each chunk.
    Chunks(u32),
    /// Put lines into a stream that say nothing: comments, `event:`, `id:` and `retry:`.
    Comments,
    /// Put so many bytes more into the answer that say nothing: a comment, or blanks.
    Big(u32),
    /// Close the connection after the answer, and say so.
    Close,
    /// Begin this much later.
    Delay(Micros),
}

impl Fault {
    /// The kinds by name, as `--help` and errors list them.
    pub const NAMES: &'static str = "400 to 599 or STATUS:RETRY-AFTER, html, reset, reset-head, \
        stall, stall-mid, cut, truncate, empty, garbage, no-usage, bytes, bytes:BYTES, \
        slow:BYTES-PER-SECOND, chunks:TOKENS, comments, big:BYTES, close or delay:DURATION";

    /// Whether the answer is other than usual halfway through its tokens.
    pub(crate) fn is_midway(self) -> bool {
        use Fault::{Cut, Garbage, StallMid, Truncate};
        matches!(self, StallMid | Cut | Truncate | Garbage)
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Fault, String> {
        let wrong = || format!("unknown fault {text:?}; one of {}", Fault::NAMES);
        let (name, value) = match text.split_once(':') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        let number = || {
            let number = value.and_then(|value| value.parse().ok());
            number.filter(|number| *number > 0).ok_or_else(wrong)
        };
        match name {
            "slow" => return Ok(Fault::Slow(number()?)),
            "bytes" if value.is_some() => return Ok(Fault::Bytes(number()?)),
            "big" => {
                let bytes = number()?;
                return if bytes <= MOST_BIG_BYTES {
                    Ok(Fault::Big(bytes))
                } else {
                    Err(format!("big:{bytes} is more than {MOST_BIG_BYTES}"))
                };
            }
            "chunks" => return Ok(Fault::Chunks(number()?)),
            "delay" => return parse_duration(value.ok_or_else(wrong)?).map(Fault::Delay),
            _ => {}
        }
        if let Ok(code @ 400..=599) = name.parse() {
            let retry_after = match value {
                Some(value) => Some(value.parse().map_err(|_| wrong())?),
                None => (code == 429).then_some(1),
            };
            return Ok(Fault::Status { code, retry_after });
        }
        if value.is_some() {
            return Err(wrong());
        }
        Ok(match name {
            "html" => Fault::Html,
            "reset" => Fault::Reset,
            "stall" => Fault::Stall,
            "stall-mid" => Fault::StallMid,
            "cut" => Fault::Cut,
            "truncate" => Fault::Truncate,
            "empty" => Fault::Empty,
            "garbage" => Fault::Garbage,
            "no-usage" => Fault::NoUsage,
            "bytes" => Fault::Bytes(PIECE_BYTES),
            "reset-head" => Fault::ResetHead,
            "comments" => Fault::Comments,
            "close" => Fault::Close,
            _ => return Err(wrong()),
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Fault::Status {
                code: 429,
                retry_after: None | Some(1),
            } => "429",
            Fault::Status { code, retry_after } => {
                return match retry_after {
                    Some(seconds) => write!(f, "{code}:{seconds}"),
                    None => code.fmt(f),
                };
            }
            Fault::Slow(rate) => return write!(f, "slow:{rate}"),
            Fault::Chunks(tokens) => return write!(f, "chunks:{tokens}"),
            Fault::Delay(time) => return write!(f, "delay:{time}ms"),
            Fault::Html => "html",
            Fault::Reset => "reset",
            Fault::Stall => "stall",
            Fault::StallMid => "stall-mid",
            Fault::Cut => "cut",
            Fault::Truncate => "truncate",
            Fault::Empty => "empty",
            Fault::Garbage => "garbage",
            Fault::NoUsage => "no-usage",
            Fault::Bytes(PIECE_BYTES) => "bytes",
            Fault::Bytes(bytes) => return write!(f, "bytes:{bytes}"),
            Fault::Big(bytes) => return write!(f, "big:{bytes}"),
            Fault::ResetHead => "reset-head",
            Fault::Comments => "comments",
            Fault::Close => "close",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_read_by_the_name_it_prints() {
        let names = "400 429 429:7 503:30 599 html reset stall stall-mid cut truncate empty garbage \
            no-usage bytes bytes:1 slow:1000 chunks:4 delay:250ms reset-head comments big:100 close";
        for name in names.split_whitespace() {
            assert_eq!(name.parse::<Fault>().unwrap().to_string(), name);
        }
    }

    #[test]
    fn a_429_says_when_to_come_again() {
        let fault = Fault::Status {
            code: 429,
            retry_after: Some(1),
        };
        assert_eq!("429".parse(), Ok(fault));
    }

    #[test]
    fn what_is_no_fault_is_refused() {
        for name in [
            "200", "399", "600", "-1", "", "Html", "html:1", "slow", "slow:0", "chunks:x", "429:x",
            "bytes:0", "big", "close:1",
        ] {
            let err = name.parse::<Fault>().unwrap_err();
            assert!(err.contains("one of 400 to 599"), "{err}");
        }
        assert!("delay:soon".parse::<Fault>().is_err());
    }
}
