//! What an answer says, and its tokens where the server does not count them.

use super::Text;
use super::chunks::per_token;
use super::event::Event;
use crate::outcome::{Outcome, TokenSource};

/// The longest text that is kept to be counted: a million tokens.
const MOST_COUNTED: usize = 4 << 20;

/// The words of an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spoken {
    /// What the user sees.
    pub text: String,
    /// What the model reasoned before.
    pub thought: String,
    /// The calls of tools, their names and arguments.
    pub call: String,
    /// There was output that is no text, such as a vector, or more text than is
    /// counted.
    pub more: bool,
    /// All of it is wanted, however long.
    whole: bool,
}

impl Spoken {
    /// Nothing yet, if it is wanted at all.
    pub(super) fn kept_for(text: Text) -> Option<Self> {
        let kept = Self {
            whole: text == Text::History,
            ..Self::default()
        };
        (text != Text::Nothing).then_some(kept)
    }

    /// Whether what comes is to be added.
    pub(super) fn is_wanted(&self) -> bool {
        self.whole || !self.more
    }

    /// Add what `event` says. What cannot be counted, and what is too long to
    /// be, is not kept for that.
    pub(super) fn add(&mut self, event: &Event) {
        let before = self.bytes();
        self.text.push_str(&event.text);
        self.thought.push_str(&event.thought);
        self.call.push_str(&event.call);
        self.more |= event.has_output() && self.bytes() == before;
        self.more |= self.bytes() > MOST_COUNTED;
        if !self.is_wanted() {
            (self.text, self.thought, self.call) = Default::default();
        }
    }

    /// Its length in bytes.
    pub fn bytes(&self) -> usize {
        self.text.len() + self.thought.len() + self.call.len()
    }

    /// Whether the tokens of the answer with this `outcome` are to be counted:
    /// the server did not, and it is text throughout.
    pub fn is_uncounted(&self, outcome: &Outcome) -> bool {
        outcome.token_source != Some(TokenSource::Usage) && self.bytes() > 0 && !self.more
    }

    /// Let `count` count its tokens, and put them into `outcome`. Whether it
    /// could; where not, the chunks stay.
    pub fn count(&self, outcome: &mut Outcome, count: impl Fn(&str) -> Option<u64>) -> bool {
        let parts = [&self.thought, &self.text, &self.call];
        let [Some(thought), Some(text), Some(call)] = parts.map(|part| count(part)) else {
            return false;
        };
        let tokens = thought + text + call;
        outcome.output_tokens = Some(tokens);
        outcome.reasoning_tokens = Some(thought).filter(|&thought| thought > 0);
        outcome.token_source = Some(TokenSource::Tokenizer);
        let ends = (outcome.ttft_ms, outcome.last_token_ms);
        outcome.tpot_ms = per_token(ends.0, ends.1, Some(tokens));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Micros;

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

    fn words(text: &str) -> Option<u64> {
        Some(text.split_whitespace().count() as u64)
    }

    #[test]
    fn words_are_counted_where_the_server_did_not() {
        let mut outcome = chunks();
        let mut said = spoken("two", "and two");
        said.call = "f".to_owned();
        assert!(said.is_uncounted(&outcome) && said.count(&mut outcome, words));
        assert_eq!(
            (outcome.output_tokens, outcome.token_source),
            (Some(4), Some(TokenSource::Tokenizer))
        );
        assert_eq!(outcome.tpot_ms, Some(Micros::from_micros(10_000)));
        assert_eq!(outcome.reasoning_tokens, Some(2));
        let mut outcome = chunks();
        assert!(!said.count(&mut outcome, |_| None));
        assert_eq!(outcome, chunks());
    }

    #[test]
    fn what_the_server_counted_and_what_is_no_text_stays() {
        let told = Outcome {
            token_source: Some(TokenSource::Usage),
            ..chunks()
        };
        assert!(!spoken("a", "").is_uncounted(&told));
        assert!(!spoken("", "").is_uncounted(&chunks()));
        let mut vector = spoken("a", "");
        vector.add(&Event {
            content: true,
            ..Event::default()
        });
        assert!(!vector.is_uncounted(&chunks()));
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
        assert_eq!((counted.bytes(), counted.is_wanted()), (0, false));
        assert!(!counted.is_uncounted(&chunks()));
        assert_eq!(kept(Text::History).bytes(), 6 << 20);
        assert_eq!(Spoken::kept_for(Text::Nothing), None);
    }
}
