//! What an answer says, and its tokens where the server does not count them.

use crate::answer::Text;
use crate::event::Event;
use trace_core::{Line, Micros, Outcome, TokenSource};
use trace_prompt::Tokenizer;

/// The longest text that is kept to be counted: a million tokens.
const MOST_COUNTED: usize = 4 << 20;

/// The words of an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spoken {
    /// What the user sees.
    pub text: String,
    /// What the model reasoned before.
    pub thought: String,
    /// There was output that is no text, such as the call of a tool, or more text
    /// than is counted.
    pub more: bool,
    /// All of it is wanted, however long.
    whole: bool,
}

impl Spoken {
    /// Nothing yet, if it is wanted at all.
    pub(crate) fn kept_for(text: Text) -> Option<Self> {
        let kept = Self {
            whole: text == Text::History,
            ..Self::default()
        };
        (text != Text::Nothing).then_some(kept)
    }

    /// Whether what comes is to be added.
    pub(crate) fn is_wanted(&self) -> bool {
        self.whole || !self.more
    }

    /// Add what `event` says. What cannot be counted, and what is too long to
    /// be, is not kept for that.
    pub(crate) fn add(&mut self, event: &Event) {
        self.text.push_str(&event.text);
        self.thought.push_str(&event.thought);
        self.more |= event.has_output() && event.text.is_empty() && event.thought.is_empty();
        self.more |= self.len() > MOST_COUNTED;
        if !self.is_wanted() {
            (self.text, self.thought) = Default::default();
        }
    }

    /// Its length in bytes.
    pub(crate) fn len(&self) -> usize {
        self.text.len() + self.thought.len()
    }
}

/// An answer whose tokens the server did not count.
#[derive(Debug)]
pub(crate) struct Uncounted {
    spoken: Spoken,
    /// The prompt is what the line says, nothing before it.
    alone: bool,
}

impl Uncounted {
    /// The answer of `outcome` that `spoken` this, if nobody counted it and it is
    /// text throughout.
    pub(crate) fn of(outcome: &Outcome, spoken: Spoken, alone: bool) -> Option<Self> {
        let is_counted = outcome.token_source == Some(TokenSource::Usage);
        let is_text = spoken.len() > 0 && !spoken.more;
        (!is_counted && is_text).then_some(Self { spoken, alone })
    }

    /// Bytes it takes while it waits.
    pub(crate) fn cost(&self) -> usize {
        size_of::<Self>() + self.spoken.len()
    }

    /// Let `tokenizer` count the answer and the prompt of the request `line`,
    /// and put that into `outcome`. Where it cannot, the chunks stay.
    pub(crate) fn count(&self, tokenizer: &Tokenizer, line: &[u8], outcome: &mut Outcome) {
        let count = |text: &str| tokenizer.count(text).ok();
        let tokens = count(&self.spoken.thought).zip(count(&self.spoken.text));
        let Some((thought, text)) = tokens else {
            return;
        };
        let tokens = thought + text;
        outcome.output_tokens = Some(tokens);
        outcome.reasoning_tokens = Some(thought).filter(|&thought| thought > 0);
        outcome.token_source = Some(TokenSource::Tokenizer);
        let ends = (outcome.ttft_ms, outcome.last_token_ms);
        outcome.tpot_ms = per_token(ends.0, ends.1, Some(tokens));
        if self.alone && outcome.input_tokens.is_none() {
            outcome.input_tokens = prompt(tokenizer, line);
        }
    }
}

/// Tokens of the prompt of the request `line`: those of its text, or as many as
/// were made for it. A literal chat or payload is the server's to count.
fn prompt(tokenizer: &Tokenizer, line: &[u8]) -> Option<u64> {
    let line = Line::parse("a request", std::str::from_utf8(line).ok()?).ok()?;
    let request = &line.request;
    if request.payload.is_some() || request.messages.is_some() {
        return None;
    }
    match &request.text_input {
        Some(text) => tokenizer.count(text).ok(),
        None => request.input_length,
    }
}

/// The mean time of a token after the first of `tokens`.
pub(crate) fn per_token(
    first: Option<Micros>,
    last: Option<Micros>,
    tokens: Option<u64>,
) -> Option<Micros> {
    let gaps = tokens?.checked_sub(1).filter(|&gaps| gaps > 0)?;
    let span = last?.saturating_sub(first?).as_micros();
    Some(Micros::from_micros((span + gaps / 2) / gaps))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks() -> Outcome {
        Outcome {
            ttft_ms: Some(Micros::from_micros(10_000)),
            last_token_ms: Some(Micros::from_micros(40_000)),
            output_tokens: Some(2),
            token_source: Some(TokenSource::Chunks),
            ..Outcome::default()
        }
    }

    fn spoken(text: &str, thought: &str) -> Spoken {
        Spoken {
            text: text.to_owned(),
            thought: thought.to_owned(),
            ..Spoken::default()
        }
    }

    fn counted(line: &str, alone: bool) -> Outcome {
        let mut outcome = chunks();
        let uncounted = Uncounted::of(&outcome, spoken("two words", "and two"), alone);
        uncounted
            .unwrap()
            .count(&Tokenizer::words(), line.as_bytes(), &mut outcome);
        outcome
    }

    #[test]
    fn words_are_counted_where_the_server_did_not() {
        let outcome = counted("{\"text_input\":\"one two three\"}", true);
        assert_eq!(
            (outcome.output_tokens, outcome.token_source),
            (Some(4), Some(TokenSource::Tokenizer))
        );
        assert_eq!(outcome.tpot_ms, Some(Micros::from_micros(10_000)));
        assert_eq!(outcome.input_tokens, Some(3));
        assert_eq!(outcome.reasoning_tokens, Some(2));
        assert_eq!(counted("{\"input_length\":7}", true).input_tokens, Some(7));
        assert_eq!(counted("{\"input_length\":7}", false).input_tokens, None);
        assert_eq!(counted("{\"messages\":[]}", true).input_tokens, None);
    }

    #[test]
    fn what_the_server_counted_and_what_is_no_text_stays() {
        let told = Outcome {
            token_source: Some(TokenSource::Usage),
            ..chunks()
        };
        assert!(Uncounted::of(&told, spoken("a", ""), true).is_none());
        assert!(Uncounted::of(&chunks(), spoken("", ""), true).is_none());
        let mut call = spoken("a", "");
        call.more = true;
        assert!(Uncounted::of(&chunks(), call, true).is_none());
    }

    #[test]
    fn text_without_end_is_kept_for_the_next_turn_alone() {
        let event = Event {
            content: true,
            text: "a".repeat(1 << 20),
            ..Event::default()
        };
        let kept = |text| {
            let mut spoken = Spoken::kept_for(text).unwrap();
            (0..6).for_each(|_| spoken.add(&event));
            spoken
        };
        let counted = kept(Text::Counting);
        assert_eq!((counted.len(), counted.is_wanted()), (0, false));
        assert!(Uncounted::of(&chunks(), counted, true).is_none());
        assert_eq!(kept(Text::History).len(), 6 << 20);
        assert_eq!(Spoken::kept_for(Text::Nothing), None);
    }
}
