//! A text that is not the usual words, cut into tokens.

use std::ops::Range;

use trace_core::push_string;
use trace_prompt::Tokenizer;

use crate::words;

/// A text, and where each of its tokens ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Script {
    text: String,
    /// Never within a character: a token that ends there ends behind it.
    ends: Vec<usize>,
}

impl Script {
    /// The tokens of `text`; its words, where the tokenizer cannot tell.
    pub(crate) fn of(tokenizer: &Tokenizer, text: &str) -> Script {
        let mut script = Script::default();
        script.add(tokenizer, text);
        script
    }

    /// The text of `tokens`.
    ///
    /// # Errors
    /// The tokenizer cannot tell.
    pub(crate) fn of_tokens(tokenizer: &Tokenizer, tokens: &[u32]) -> Result<Script, String> {
        let bytes = tokenizer.decode(tokens).map_err(|err| err.to_string())?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let lengths = lengths(tokenizer, tokens).ok_or("a token has no text")?;
        let mut script = Script::default();
        script.append(&text, &lengths);
        Ok(script)
    }

    /// `before` and `after` with so many of the usual words between them.
    pub(crate) fn filled(tokenizer: &Tokenizer, before: &str, words: u64, after: &str) -> Script {
        let mut script = Script::of(tokenizer, before);
        for index in 0..words {
            script.text.push_str(words::word(index));
            script.ends.push(script.text.len());
        }
        script.add(tokenizer, after);
        script
    }

    /// Append the tokens of `text`.
    pub(crate) fn add(&mut self, tokenizer: &Tokenizer, text: &str) {
        let mut tokens = Vec::new();
        let known = tokenizer.identify(text, &mut tokens).is_ok();
        let known = known.then(|| lengths(tokenizer, &tokens)).flatten();
        let all = |lengths: &Vec<usize>| lengths.iter().sum::<usize>() == text.len();
        match known.filter(all) {
            Some(lengths) => self.append(text, &lengths),
            None => {
                let words = text.split_inclusive(char::is_whitespace);
                let lengths: Vec<_> = words.map(str::len).collect();
                self.append(text, &lengths);
            }
        }
    }

    fn append(&mut self, text: &str, lengths: &[usize]) {
        let start = self.text.len();
        self.text.push_str(text);
        let mut end = start;
        for length in lengths {
            end = (end + length).min(self.text.len());
            let within = (end..self.text.len()).find(|at| self.text.is_char_boundary(*at));
            self.ends.push(within.unwrap_or(self.text.len()));
        }
    }

    /// How many tokens it has.
    pub(crate) fn len(&self) -> u64 {
        self.ends.len() as u64
    }

    /// The text of `tokens`, as far as there are any.
    pub(crate) fn text(&self, tokens: Range<u64>) -> &str {
        let end = |token: u64| match usize::try_from(token).ok().and_then(|at| at.checked_sub(1)) {
            None => 0,
            Some(at) => self.ends.get(at).copied().unwrap_or(self.text.len()),
        };
        &self.text[end(tokens.start)..end(tokens.end)]
    }

    /// Append the text of `tokens` as it stands within a JSON string.
    pub(crate) fn push(&self, tokens: Range<u64>, out: &mut Vec<u8>) {
        push_escaped(self.text(tokens), out);
    }
}

/// Append `text` as it stands within a JSON string.
pub(crate) fn push_escaped(text: &str, out: &mut Vec<u8>) {
    let start = out.len();
    push_string(out, text);
    out.pop();
    out.remove(start);
}

/// Bytes of each token.
fn lengths(tokenizer: &Tokenizer, tokens: &[u32]) -> Option<Vec<usize>> {
    let length = |token: &u32| Some(tokenizer.decode(&[*token]).ok()?.len());
    tokens.iter().map(length).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_tokens_are_those_of_the_vocabulary() {
        let tokenizer = Tokenizer::o200k();
        let script = Script::of(&tokenizer, "{\"a\":\"hello world\"}");
        let tokens: Vec<_> = (0..script.len())
            .map(|at| script.text(at..at + 1))
            .collect();
        assert_eq!(tokens.concat(), "{\"a\":\"hello world\"}");
        assert!(tokens.contains(&" world"), "{tokens:?}");
        let mut out = Vec::new();
        script.push(0..script.len(), &mut out);
        assert_eq!(out, b"{\\\"a\\\":\\\"hello world\\\"}");
        assert_eq!(script.text(100..200), "");
    }

    #[test]
    fn a_character_is_never_cut() {
        // Some of these characters are several tokens.
        let text = "🦀🜁 é";
        let script = Script::of(&Tokenizer::o200k(), text);
        assert!(script.len() > 3);
        let joined: String = (0..script.len())
            .map(|at| script.text(at..at + 1))
            .collect();
        assert_eq!(joined, text);
    }

    #[test]
    fn without_a_vocabulary_it_is_cut_at_blanks() {
        let script = Script::of(&Tokenizer::words(), "a b\nc");
        assert_eq!((script.len(), script.text(1..2)), (3, "b\n"));
        assert!(Script::of_tokens(&Tokenizer::words(), &[1]).is_err());
    }

    #[test]
    fn words_fill_it_up() {
        let script = Script::filled(&Tokenizer::o200k(), "{\"a\":\"", 3, "\"}");
        assert_eq!(script.text(0..script.len()), "{\"a\":\" the time of\"}");
        assert_eq!(
            Script::of_tokens(&Tokenizer::o200k(), &[24912, 2375])
                .unwrap()
                .text(0..2),
            "hello world"
        );
    }
}
