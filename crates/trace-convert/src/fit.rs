//! Real text of exactly as many tokens as a trace says.

use crate::args::Args;
use trace_prompt::{Error, Prompts, Tokenizer};

/// Cuts prompts, or fills them up with words.
pub(crate) struct Fit {
    tokenizer: Tokenizer,
    words: Prompts,
}

/// How many tokens are taken off the end of a text that words do not fit to.
const TRIES: u64 = 16;

impl Fit {
    /// Texts counted by `--tokenizer`.
    ///
    /// # Errors
    /// A tokenizer that cannot be read, or has no words.
    pub(crate) fn new(args: &Args) -> anyhow::Result<Self> {
        let tokenizer = args.tokenizer.load()?;
        let words = Prompts::with(&tokenizer, args.seed.seed)?;
        Ok(Self { tokenizer, words })
    }

    /// `prompt`, cut or filled up to `tokens` tokens; what fills it up, only
    /// the request with number `own` has.
    ///
    /// # Errors
    /// A text that the tokenizer cannot do.
    pub(crate) fn text(&self, prompt: &str, tokens: u64, own: u64) -> Result<String, Error> {
        // Words behind a text may merge with its last token, so that what was
        // put together is counted, and the text taken shorter if need be.
        for fewer in 0..TRIES.min(tokens) {
            let beginning = self.tokenizer.beginning(prompt, tokens - fewer)?;
            let mut text = beginning.to_owned();
            let missing = tokens.saturating_sub(self.tokenizer.count(&text)?);
            if missing == 0 {
                return Ok(text);
            }
            let mut words = String::new();
            self.words.render(&[], missing, own, &mut words);
            if !text.is_empty() && !words.starts_with(' ') {
                text.push(' ');
            }
            text.push_str(&words);
            if self.tokenizer.count(&text)? == tokens {
                return Ok(text);
            }
        }
        let mut words = String::new();
        self.words.render(&[], tokens, own, &mut words);
        Ok(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use proptest::prelude::*;

    fn fit(tokenizer: &str) -> Fit {
        Fit::new(&Args::parse_from([
            "trace-convert",
            "--tokenizer",
            tokenizer,
        ]))
        .unwrap()
    }

    #[test]
    fn what_fits_stays() {
        let text = "Tell me about the sea.";
        assert_eq!(fit("words").text(text, 5, 0).unwrap(), text);
        assert_eq!(fit("words").text(text, 3, 0).unwrap(), "Tell me about");
        assert!(fit("o200k").text(text, 20, 0).unwrap().starts_with(text));
    }

    proptest! {
        #[test]
        fn every_text_gets_every_length(text in "\\PC{0,40}", tokens in 0..60_u64) {
            for name in ["words", "o200k", "cl100k"] {
                let fit = fit(name);
                let made = fit.text(&text, tokens, 3).unwrap();
                prop_assert_eq!(fit.tokenizer.count(&made).unwrap(), tokens, "{}: {:?}", name, made);
            }
        }
    }
}
