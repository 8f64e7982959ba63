//! Lengths as they occur in a file.
//!
//! Three kinds of file are told apart by their first bytes: numbers, one a
//! line; numbers with weights, `VALUE,WEIGHT`; and a trace, of which one field
//! is taken. Only the distinct lengths and their weights are held.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use anyhow::{Context, bail, ensure};
use rand::Rng;
use trace_core::{Line, Reader, Request, SessionId, Source, seed};

use crate::length::MAX_TOKENS;

/// Longest line of numbers: anything longer is some other kind of file.
const LONGEST_LINE: u64 = 256;

/// What of a trace is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// `input_length`
    Input,
    /// `output_length`
    Output,
    /// `delay`, in milliseconds
    Delay,
    /// How many lines each session has.
    Turns,
    /// What the prompt of a later turn has beyond the prompt and the response
    /// before it.
    Added,
    /// Something a trace doesn't tell, by name: only numbers will do.
    Untold(&'static str),
}

impl Field {
    fn name(self) -> &'static str {
        match self {
            Self::Input => "input_length",
            Self::Output => "output_length",
            Self::Delay => "delay",
            Self::Turns => "session_id",
            Self::Added => "later turn of a session",
            Self::Untold(name) => name,
        }
    }

    fn of(self, request: &Request) -> Option<u64> {
        match self {
            Self::Input => request.input_length,
            Self::Output => request.output_length,
            Self::Delay => {
                let delay = request.delay?;
                Some((delay.as_millis().round() as u64).min(MAX_TOKENS))
            }
            Self::Turns | Self::Added | Self::Untold(_) => None,
        }
    }
}

/// What was seen of a session.
#[derive(Clone, Copy, Default)]
struct Talk {
    turns: u64,
    /// Tokens of its last prompt and response, if both are known.
    told: Option<u64>,
}

impl Talk {
    /// Tokens that `request` adds to what was told, if that can be known.
    fn go_on(&mut self, request: &Request) -> Option<u64> {
        let (input, output) = (request.input_length, request.output_length);
        let added = input
            .zip(self.told)
            .and_then(|(input, told)| input.checked_sub(told));
        self.turns += 1;
        self.told = input
            .zip(output)
            .map(|(input, output)| input.saturating_add(output));
        added.filter(|&tokens| tokens > 0)
    }
}

/// Distinct lengths, each with a weight.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    tokens: Vec<u64>,
    /// Sum of the weights up to and including each length.
    cumulative: Vec<f64>,
}

impl Table {
    /// The table of these weights, or nothing if they add up to nothing.
    fn new(weights: &BTreeMap<u64, f64>) -> Option<Self> {
        let mut total = 0.0;
        let kept = weights.iter().filter(|&(_, &weight)| weight > 0.0);
        let (tokens, cumulative) = kept
            .map(|(&tokens, &weight)| {
                total += weight;
                (tokens, total)
            })
            .unzip();
        (total > 0.0 && total.is_finite()).then_some(Self { tokens, cumulative })
    }

    /// One of the lengths, by weight.
    pub fn draw(&self, rng: &mut impl Rng) -> u64 {
        let last = self.tokens.len() - 1;
        let target = seed::unit(rng) * self.cumulative[last];
        // The product may round up to the total itself.
        let index = self.cumulative.partition_point(|&sum| sum <= target);
        self.tokens[index.min(last)]
    }
}

/// The lengths in the file at `path`; `field` of them if it is a trace.
///
/// Fails if the file cannot be read, is neither kind of file, or gives no
/// length.
pub fn read(path: &Path, field: Field) -> anyhow::Result<Table> {
    let name = path.display();
    let file = File::open(path).with_context(|| format!("cannot open {name}"))?;
    let mut file = BufReader::new(file);
    let head = file
        .fill_buf()
        .with_context(|| format!("cannot read {name}"))?;
    let weights = if is_trace(head) {
        of_trace(Reader::over([Source::file(path)]), field)?
    } else {
        of_numbers(&name.to_string(), file)?
    };
    Table::new(&weights).with_context(|| format!("{name}: holds no {} to draw", field.name()))
}

/// Whether these first bytes begin JSON lines, plain or compressed.
fn is_trace(head: &[u8]) -> bool {
    const GZIP: &[u8] = &[0x1f, 0x8b];
    const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    head.starts_with(GZIP) || head.starts_with(ZSTD) || text.trim_ascii_start().starts_with(b"{")
}

fn of_trace(mut trace: Reader<'_>, field: Field) -> anyhow::Result<BTreeMap<u64, f64>> {
    let mut line = Line::default();
    let mut weights = BTreeMap::new();
    let mut sessions: HashMap<SessionId, Talk> = HashMap::new();
    let mut count = |value: u64| *weights.entry(value).or_insert(0.0) += 1.0;
    while trace.read(&mut line)? {
        if let Some(value) = field.of(&line.request) {
            count(value);
        }
        if let (Field::Turns | Field::Added, Some(id)) = (field, &line.request.session_id) {
            let added = sessions.entry(id.clone()).or_default().go_on(&line.request);
            if let (Field::Added, Some(tokens)) = (field, added) {
                count(tokens);
            }
        }
    }
    if field == Field::Turns {
        sessions.values().for_each(|talk| count(talk.turns));
    }
    Ok(weights)
}

/// `VALUE` or `VALUE,WEIGHT` on each line, perhaps after a heading.
fn of_numbers(name: &str, mut input: impl BufRead) -> anyhow::Result<BTreeMap<u64, f64>> {
    let mut weights = BTreeMap::new();
    let mut bytes = Vec::new();
    for number in 1u64.. {
        bytes.clear();
        let mut limited = (&mut input).take(LONGEST_LINE + 1);
        let read = limited
            .read_until(b'\n', &mut bytes)
            .with_context(|| format!("cannot read {name}"))?;
        if read == 0 {
            break;
        }
        ensure!(
            bytes.len() as u64 <= LONGEST_LINE,
            "{name}:{number}:1: the line is too long for a number"
        );
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let Ok(text) = std::str::from_utf8(bytes) else {
            bail!(
                "{name}:{number}:1: this is not text; expected a number, VALUE,WEIGHT or a trace"
            );
        };
        let text = text.trim();
        let heading = number == 1
            && text.starts_with(|first: char| first.is_alphabetic() || first == '"')
            && text.parse::<f64>().is_err();
        if text.is_empty() || heading {
            continue;
        }
        let (tokens, weight) =
            parse_line(text).map_err(|reason| anyhow::anyhow!("{name}:{number}:1: {reason}"))?;
        *weights.entry(tokens).or_insert(0.0) += weight;
    }
    Ok(weights)
}

/// A length rounded to whole tokens, and its weight, 1 if there is none.
fn parse_line(text: &str) -> Result<(u64, f64), String> {
    let (value, weight) = match text.split_once(',') {
        Some((value, weight)) => (value.trim(), weight.trim()),
        None => (text, "1"),
    };
    let tokens = match value.parse::<f64>() {
        Ok(tokens) if (0.0..=MAX_TOKENS as f64).contains(&tokens) => tokens.round() as u64,
        _ => {
            return Err(format!(
                "{value:?} is not a number of tokens from 0 to {MAX_TOKENS}"
            ));
        }
    };
    match weight.parse::<f64>() {
        Ok(weight) if weight >= 0.0 && weight.is_finite() => Ok((tokens, weight)),
        _ => Err(format!(
            "{weight:?} is not a weight: a number of at least 0"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::ChaCha8Rng};

    fn numbers(text: &[u8]) -> Result<BTreeMap<u64, f64>, String> {
        of_numbers("lengths.csv", text).map_err(|err| format!("{err:#}"))
    }

    #[test]
    fn equal_numbers_add_up() {
        let weights = numbers(b"5\r\n7\n\n5\n6.6").unwrap();
        assert_eq!(weights, BTreeMap::from([(5, 2.0), (7, 2.0)]));
    }

    #[test]
    fn weights_and_a_heading_are_read() {
        let weights = numbers(b"tokens,share\n10, 0.25\n20,0.75\n").unwrap();
        assert_eq!(weights, BTreeMap::from([(10, 0.25), (20, 0.75)]));
    }

    #[test]
    fn a_bad_line_is_named() {
        let place = "lengths.csv:2:1: ";
        for (text, reason) in [
            (
                &b"5\n-1\n"[..],
                "\"-1\" is not a number of tokens from 0 to 1000000000",
            ),
            (
                b"5\nnan\n",
                "\"nan\" is not a number of tokens from 0 to 1000000000",
            ),
            (
                b"5\n6,-2\n",
                "\"-2\" is not a weight: a number of at least 0",
            ),
            (
                b"5\n6,inf\n",
                "\"inf\" is not a weight: a number of at least 0",
            ),
            (
                b"5\n\xff\xfe\n",
                "this is not text; expected a number, VALUE,WEIGHT or a trace",
            ),
        ] {
            assert_eq!(numbers(text).unwrap_err(), format!("{place}{reason}"));
        }
        let long = numbers(&[b'1'; 10_000]).unwrap_err();
        assert_eq!(long, "lengths.csv:1:1: the line is too long for a number");
    }

    #[test]
    fn sessions_of_a_trace_tell_their_turns_and_what_each_adds() {
        let trace = br#"{"input_length":100,"output_length":10,"session_id":"a"}
{"input_length":7,"output_length":1}
{"input_length":150,"output_length":10,"session_id":"a","delay":2.6}
{"input_length":90,"output_length":10,"session_id":1}
{"input_length":120,"output_length":10,"session_id":"a"}
{"input_length":170,"output_length":10,"session_id":"a"}
"#;
        let of = |field| of_trace(Reader::new("t", &trace[..]), field).unwrap();
        assert_eq!(of(Field::Turns), BTreeMap::from([(1, 1.0), (4, 1.0)]));
        // A prompt shorter than what was told is no turn that adds.
        assert_eq!(of(Field::Added), BTreeMap::from([(40, 2.0)]));
        assert_eq!(of(Field::Delay), BTreeMap::from([(3, 1.0)]));
        assert!(of(Field::Untold("tools")).is_empty());
    }

    #[test]
    fn lengths_come_up_by_weight_and_never_without() {
        let table = Table::new(&BTreeMap::from([(1, 1.0), (2, 0.0), (3, 3.0)])).unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let drawn: Vec<u64> = (0..10_000).map(|_| table.draw(&mut rng)).collect();
        let threes = drawn.iter().filter(|&&tokens| tokens == 3).count();
        // 7500 expected, standard deviation 43.
        assert!((7_300..7_700).contains(&threes), "{threes}");
        assert!(!drawn.contains(&2));
        assert_eq!(Table::new(&BTreeMap::from([(1, 0.0)])), None);
    }
}
