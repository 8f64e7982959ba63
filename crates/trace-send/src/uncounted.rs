//! The tokens of an answer where the server does not count them.

use trace_core::answer::Spoken;
use trace_core::{Line, Outcome};
use trace_prompt::Tokenizer;

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
        let uncounted = spoken.is_uncounted(outcome);
        uncounted.then_some(Self { spoken, alone })
    }

    /// Bytes it takes while it waits.
    pub(crate) fn cost(&self) -> usize {
        size_of::<Self>() + self.spoken.bytes()
    }

    /// Let `tokenizer` count the answer and the prompt of the request `line`,
    /// and put that into `outcome`. Where it cannot, the chunks stay.
    pub(crate) fn count(&self, tokenizer: &Tokenizer, line: &[u8], outcome: &mut Outcome) {
        let counted = self
            .spoken
            .count(outcome, |text| tokenizer.count(text).ok());
        if counted && self.alone && outcome.input_tokens.is_none() {
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

#[cfg(test)]
mod tests {
    use super::*;
    use trace_core::TokenSource;

    fn counted(line: &str, alone: bool) -> Outcome {
        let mut outcome = Outcome {
            output_tokens: Some(2),
            token_source: Some(TokenSource::Chunks),
            ..Outcome::default()
        };
        let mut spoken = Spoken::default();
        spoken.text = "two words".to_owned();
        let uncounted = Uncounted::of(&outcome, spoken, alone).unwrap();
        uncounted.count(&Tokenizer::words(), line.as_bytes(), &mut outcome);
        assert_eq!(outcome.token_source, Some(TokenSource::Tokenizer));
        outcome
    }

    #[test]
    fn the_prompt_is_counted_with_the_answer_where_the_line_is_all_of_it() {
        let outcome = counted("{\"text_input\":\"one two three\"}", true);
        assert_eq!(
            (outcome.input_tokens, outcome.output_tokens),
            (Some(3), Some(2))
        );
        assert_eq!(counted("{\"input_length\":7}", true).input_tokens, Some(7));
        assert_eq!(counted("{\"input_length\":7}", false).input_tokens, None);
        assert_eq!(counted("{\"messages\":[]}", true).input_tokens, None);
    }
}
