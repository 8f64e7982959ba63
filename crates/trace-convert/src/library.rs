//! The prompts of `--prompts`, and which of them a request gets.
//!
//! AIBrix's rule: a prompt and a completion near the trace's lengths, from
//! within a tenth of them, then ever farther, at last the nearest; any prompt
//! for a request without lengths. Of those as near, one that was given least
//! often, so that no prompt comes twice while another would do. Of sessions,
//! the next turn of one of the first few that are not over.

use crate::args::Args;
use crate::counter::{Counter, content};
use crate::format;
use crate::input::Input;
use crate::record::Record;
use crate::report::Report;
use anyhow::{Context, bail};
use serde_json::value::RawValue;
use std::collections::HashMap;
use trace_core::cli::InputArgs;
use trace_core::seed::{Random, Streams, below};
use trace_core::{Error, SessionId};

/// A prompt that can be given to a request.
#[derive(Debug, Clone)]
pub(crate) struct Prompt {
    pub(crate) text: String,
    tokens: u64,
    /// Tokens of its answer, where that is known.
    pub(crate) completion: Option<u64>,
    session: Option<SessionId>,
}

/// All prompts of a file, held in memory.
pub(crate) enum Library {
    /// Each on its own.
    Plain(Plain),
    /// Turns of sessions.
    Sessions(Sessions),
}

impl Library {
    /// Read what `--prompts` names: any format that has texts.
    ///
    /// # Errors
    /// A file that cannot be read, or has no text.
    pub(crate) fn read(path: &str, args: &Args, counter: &Counter) -> anyhow::Result<Self> {
        let files = InputArgs {
            files: vec![path.to_owned()],
            skip_invalid: args.input.skip_invalid,
        };
        let mut prompts = Vec::new();
        let mut report = Report::default();
        for input in Input::from_arguments(&files)? {
            let opened = input.open()?;
            let format = format::detect(&opened.name, &opened.head)?;
            let mut decoder = (format.decoder)(args)?;
            decoder.open(opened, &mut report)?;
            let mut record = Record::default();
            loop {
                match decoder.read(&mut record, &mut report) {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(Error::Line(_)) if args.input.skip_invalid => continue,
                    Err(error) => return Err(error.into()),
                }
                let text = text(&record).map_err(|why| record.error(why))?;
                let text = text.with_context(|| {
                    record
                        .error("no text to take as a prompt, which --prompts needs")
                        .to_string()
                })?;
                let tokens = counter.count(&text).map_err(|why| record.error(why))?;
                prompts.push(Prompt {
                    text,
                    tokens,
                    completion: record.request().output_length,
                    session: record.request().session_id.clone(),
                });
            }
        }
        if prompts.is_empty() {
            bail!("{path}: no prompts in it");
        }
        let random = Streams::new(args.seed.seed).stream("prompts");
        Ok(Self::of(prompts, args.max_concurrent_sessions, random))
    }

    fn of(prompts: Vec<Prompt>, most: usize, random: Random) -> Self {
        let mut places: HashMap<SessionId, usize> = HashMap::new();
        let mut all: Vec<Vec<Prompt>> = Vec::new();
        for prompt in prompts {
            let place = prompt
                .session
                .clone()
                .map(|session| *places.entry(session).or_insert(all.len()));
            match place {
                Some(place) if place < all.len() => all[place].push(prompt),
                _ => all.push(vec![prompt]),
            }
        }
        if all.iter().all(|turns| turns.len() == 1) {
            return Self::Plain(Plain::new(all.into_iter().flatten().collect(), random));
        }
        Self::Sessions(Sessions {
            all,
            begun: 0,
            open: Vec::new(),
            most,
            of_trace: HashMap::new(),
            random,
        })
    }
}

/// What a record asks: its text, or its last message.
fn text(record: &Record) -> Result<Option<String>, String> {
    #[derive(serde::Deserialize)]
    struct Message<'a> {
        #[serde(borrow)]
        content: Option<&'a RawValue>,
    }
    let request = record.request();
    if let Some(text) = &request.text_input {
        return Ok(Some(text.clone()));
    }
    let Some(messages) = &request.messages else {
        return Ok(None);
    };
    let messages: Vec<Message<'_>> =
        serde_json::from_str(messages.get()).map_err(|_| "messages: expected objects")?;
    let last = messages.last().and_then(|message| message.content);
    last.map(|json| content(json.get().as_bytes(), &mut Report::default()))
        .transpose()
}

/// Prompts that have nothing to do with each other.
pub(crate) struct Plain {
    /// By their length.
    prompts: Vec<Prompt>,
    /// How often each was given.
    given: Vec<u32>,
    /// Those still to come in this pass for requests without lengths.
    shuffled: Vec<usize>,
    random: Random,
}

impl Plain {
    fn new(mut prompts: Vec<Prompt>, random: Random) -> Self {
        prompts.sort_by_key(|prompt| prompt.tokens);
        Self {
            given: vec![0; prompts.len()],
            prompts,
            shuffled: Vec::new(),
            random,
        }
    }

    /// A prompt for a request of these lengths, and whether it was given
    /// before.
    pub(crate) fn choose(&mut self, input: Option<u64>, output: Option<u64>) -> (&Prompt, bool) {
        let at = match input {
            Some(input) => self.near(input, output),
            None => self.any(),
        };
        self.given[at] = self.given[at].saturating_add(1);
        (&self.prompts[at], self.given[at] > 1)
    }

    fn near(&mut self, input: u64, output: Option<u64>) -> usize {
        let bounds = |length: u64, twentieths: u32| {
            let (length, e) = (length as f64, f64::from(twentieths) / 20.0);
            ((length * (1.0 - e)) as u64, (length * (1.0 + e)) as u64)
        };
        for e in 2..20 {
            let (low, high) = bounds(input, e);
            let begin = self.prompts.partition_point(|p| p.tokens < low);
            let end = self.prompts.partition_point(|p| p.tokens <= high);
            let fits = |at: &usize| match (output, self.prompts[*at].completion) {
                (Some(wanted), Some(has)) => {
                    let (low, high) = bounds(wanted, e);
                    (low..=high).contains(&has)
                }
                _ => true,
            };
            if let Some(at) = least_given(&self.given, begin..end, fits, &mut self.random) {
                return at;
            }
        }
        let distance = |prompt: &Prompt| {
            let output = output.zip(prompt.completion);
            let output = output.map_or(0.0, |(a, b)| a.abs_diff(b) as f64);
            let input = prompt.tokens.abs_diff(input) as f64;
            input * input + output * output
        };
        let nearest = (0..self.prompts.len()).min_by(|a, b| {
            let (a, b) = (&self.prompts[*a], &self.prompts[*b]);
            distance(a).total_cmp(&distance(b))
        });
        nearest.expect("a library has a prompt")
    }

    fn any(&mut self) -> usize {
        if self.shuffled.is_empty() {
            self.shuffled.extend(0..self.prompts.len());
            for last in (1..self.shuffled.len()).rev() {
                let other = below(&mut self.random, last as u64 + 1) as usize;
                self.shuffled.swap(last, other);
            }
        }
        self.shuffled.pop().expect("it was just filled")
    }
}

/// One of those that fit and were given least often, each as likely.
fn least_given(
    given: &[u32],
    range: std::ops::Range<usize>,
    fits: impl Fn(&usize) -> bool,
    random: &mut Random,
) -> Option<usize> {
    let (mut least, mut number) = (u32::MAX, 0);
    for at in range.clone().filter(&fits) {
        if given[at] < least {
            (least, number) = (given[at], 0);
        }
        number += u64::from(given[at] == least);
    }
    if number == 0 {
        return None;
    }
    let chosen = below(random, number) as usize;
    range
        .filter(fits)
        .filter(|at| given[*at] == least)
        .nth(chosen)
}

/// Prompts that follow on one another.
pub(crate) struct Sessions {
    all: Vec<Vec<Prompt>>,
    /// How many were begun, those that came again included.
    begun: usize,
    /// Those that are under way: which, the pass it belongs to, its next turn.
    open: Vec<Place>,
    /// How many may be under way.
    most: usize,
    /// Where each session of the trace is.
    of_trace: HashMap<SessionId, Place>,
    random: Random,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    session: usize,
    pass: usize,
    turn: usize,
}

impl Sessions {
    /// The next turn of some session, the name of that session, and whether
    /// it was given before.
    pub(crate) fn any(&mut self) -> (SessionId, &Prompt, bool) {
        while self.open.len() < self.most {
            let place = self.begin();
            self.open.push(place);
        }
        let chosen = below(&mut self.random, self.open.len() as u64) as usize;
        let place = self.open[chosen];
        let turns = &self.all[place.session];
        if place.turn + 1 < turns.len() {
            self.open[chosen].turn += 1;
        } else {
            self.open.remove(chosen);
        }
        let prompt = &turns[place.turn];
        let mut id = prompt
            .session
            .clone()
            .unwrap_or_else(|| SessionId::Text(format!("prompt_{}", place.session + 1)));
        if place.pass > 0 {
            id = SessionId::Text(format!("{id}_{}", place.pass + 1));
        }
        (id, prompt, place.pass > 0)
    }

    /// The next turn for a session of the trace, and whether it was given
    /// before. A session that goes on longer than its prompts goes on with
    /// those of another.
    pub(crate) fn next_of(&mut self, session: &SessionId) -> (&Prompt, bool) {
        let place = match self.of_trace.get(session) {
            Some(place) if place.turn < self.all[place.session].len() => *place,
            _ => self.begin(),
        };
        let next = Place {
            turn: place.turn + 1,
            ..place
        };
        self.of_trace.insert(session.clone(), next);
        (&self.all[place.session][place.turn], place.pass > 0)
    }

    fn begin(&mut self) -> Place {
        let place = Place {
            session: self.begun % self.all.len(),
            pass: self.begun / self.all.len(),
            turn: 0,
        };
        self.begun += 1;
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(tokens: u64, completion: Option<u64>, session: Option<i64>) -> Prompt {
        Prompt {
            text: tokens.to_string(),
            tokens,
            completion,
            session: session.map(SessionId::Number),
        }
    }

    fn random() -> Random {
        Streams::new(0).stream("prompts")
    }

    #[test]
    fn the_nearest_by_both_lengths_are_taken_and_none_twice() {
        let all = vec![
            prompt(100, Some(10), None),
            prompt(102, Some(99), None),
            prompt(109, None, None),
            prompt(1_000, Some(10), None),
        ];
        let mut plain = Plain::new(all, random());
        let mut taken: Vec<(u64, bool)> = (0..3)
            .map(|_| {
                let (prompt, again) = plain.choose(Some(100), Some(10));
                (prompt.tokens, again)
            })
            .collect();
        taken[..2].sort_unstable();
        assert_eq!(taken[..2], [(100, false), (109, false)]);
        assert!(taken[2].1 && taken[2].0 != 102, "{taken:?}");
        assert_eq!(plain.choose(Some(9_999), None).0.tokens, 1_000);
        assert_eq!(plain.choose(Some(1), None).0.tokens, 100);
    }

    #[test]
    fn without_a_length_every_prompt_comes_once_a_pass() {
        let mut plain = Plain::new((1..=5).map(|n| prompt(n, None, None)).collect(), random());
        for again in [false, true] {
            let mut pass: Vec<u64> = (0..5)
                .map(|_| {
                    let (prompt, given) = plain.choose(None, None);
                    assert_eq!(given, again);
                    prompt.tokens
                })
                .collect();
            pass.sort_unstable();
            assert_eq!(pass, [1, 2, 3, 4, 5]);
        }
    }

    #[test]
    fn turns_of_a_session_come_in_order_and_few_at_a_time() {
        let all = vec![
            prompt(1, None, Some(7)),
            prompt(10, None, Some(8)),
            prompt(2, None, Some(7)),
            prompt(11, None, Some(8)),
            prompt(20, None, None),
        ];
        let Library::Sessions(mut sessions) = Library::of(all, 1, random()) else {
            panic!("they are sessions");
        };
        let names: Vec<String> = (0..6)
            .map(|_| {
                let (id, prompt, _) = sessions.any();
                format!("{id}:{}", prompt.tokens)
            })
            .collect();
        assert_eq!(
            names,
            ["7:1", "7:2", "8:10", "8:11", "prompt_3:20", "7_2:1"]
        );
    }
}
