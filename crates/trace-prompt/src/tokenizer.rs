//! Whose tokens are counted.

use crate::bpe::{Bpe, CL100K, O200K};
#[cfg(feature = "huggingface")]
use crate::huggingface::HuggingFace;
use crate::pool::Pool;
use foldhash::fast::FixedState;
use std::fmt;
use std::hash::BuildHasher;
use std::path::PathBuf;
use std::str::FromStr;
#[cfg(feature = "huggingface")]
use std::sync::Arc;

/// The name of a tokenizer, as in `--tokenizer`: which one, not yet loaded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Name {
    /// `o200k`, embedded: GPT-4o and later, gpt-oss.
    #[default]
    O200k,
    /// `cl100k`, embedded: GPT-4 and GPT-3.5.
    Cl100k,
    /// `words`: a token is a word between blanks. For servers that count so,
    /// and to count faster than any vocabulary.
    Words,
    /// A Hugging Face `tokenizer.json`, or the folder it lies in.
    File(PathBuf),
}

impl FromStr for Name {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Ok(match name {
            "o200k" | "o200k_base" => Self::O200k,
            "cl100k" | "cl100k_base" => Self::Cl100k,
            "words" => Self::Words,
            "" => return Err(Error::NoName),
            file => Self::File(PathBuf::from(file)),
        })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::O200k => f.write_str("o200k"),
            Self::Cl100k => f.write_str("cl100k"),
            Self::Words => f.write_str("words"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// Why there is no such tokenizer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An empty name.
    #[error("a tokenizer is o200k, cl100k, words or a tokenizer.json FILE")]
    NoName,
    /// The file cannot be read.
    #[error("cannot open {}: {cause}; a tokenizer is o200k, cl100k, words or a tokenizer.json FILE", .path.display())]
    Open {
        /// The file that was asked for.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The file is not a tokenizer.
    #[error("{}: not a tokenizer.json: {reason}", .path.display())]
    Format {
        /// The file that was asked for.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The tokenizer works, but no text with exact counts could be made for it.
    #[error("{}: no text of exact length can be made of its tokens: {reason}", .path.display())]
    NoText {
        /// The file that was asked for.
        path: PathBuf,
        /// What is in the way.
        reason: &'static str,
    },
    /// This build knows the embedded tokenizers only.
    #[error("{}: this build reads no tokenizer files; use o200k, cl100k or words", .path.display())]
    NotBuilt {
        /// The file that was asked for.
        path: PathBuf,
    },
    /// The file's tokenizer cannot encode, or decode, what it was given.
    #[error("the tokenizer file cannot do this text: {0}")]
    Encode(String),
    /// The tokenizer has no token ids.
    #[error("words have no token ids; choose another tokenizer")]
    NoIds,
    /// No token has this id.
    #[error("no token has id {0}")]
    NoToken(u32),
}

/// Counts, encodes and decodes text. Cheap to clone, shared by threads.
///
/// Text is content: no chat template and no special token is added to it. What
/// looks like a special token is text to the embedded tokenizers, and special
/// to a file that lists it, as it would be to a server that reads the file.
#[derive(Clone)]
pub struct Tokenizer(Kind);

#[derive(Clone)]
enum Kind {
    Words,
    Bpe(&'static Bpe),
    #[cfg(feature = "huggingface")]
    HuggingFace(Arc<HuggingFace>),
}

impl fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.0 {
            Kind::Words => "words",
            Kind::Bpe(bpe) if std::ptr::eq(*bpe, &raw const O200K) => "o200k",
            Kind::Bpe(_) => "cl100k",
            #[cfg(feature = "huggingface")]
            Kind::HuggingFace(_) => "tokenizer.json",
        };
        f.debug_tuple("Tokenizer").field(&kind).finish()
    }
}

impl Tokenizer {
    /// The embedded tokenizer of GPT-4o and later, the default of every tool.
    ///
    /// Its vocabulary is unpacked when the first text is encoded.
    pub fn o200k() -> Self {
        Self(Kind::Bpe(&O200K))
    }

    /// The embedded tokenizer of GPT-4 and GPT-3.5.
    pub fn cl100k() -> Self {
        Self(Kind::Bpe(&CL100K))
    }

    /// A token is a word between ASCII blanks.
    pub fn words() -> Self {
        Self(Kind::Words)
    }

    /// The tokenizer of this name. The embedded ones cost nothing yet; a file
    /// is read.
    ///
    /// # Errors
    /// The file cannot be read, or is not a tokenizer.
    pub fn load(name: &Name) -> Result<Self, Error> {
        match name {
            Name::O200k => Ok(Self::o200k()),
            Name::Cl100k => Ok(Self::cl100k()),
            Name::Words => Ok(Self::words()),
            #[cfg(feature = "huggingface")]
            Name::File(path) => Ok(Self(Kind::HuggingFace(Arc::new(HuggingFace::open(path)?)))),
            #[cfg(not(feature = "huggingface"))]
            Name::File(path) => Err(Error::NotBuilt { path: path.clone() }),
        }
    }

    /// Number of tokens in `text`.
    ///
    /// # Errors
    /// Only with a file: what it asks for cannot be done to this text.
    pub fn count(&self, text: &str) -> Result<u64, Error> {
        match &self.0 {
            Kind::Words => Ok(text.split_ascii_whitespace().count() as u64),
            Kind::Bpe(bpe) => Ok(bpe.count(text)),
            #[cfg(feature = "huggingface")]
            Kind::HuggingFace(file) => file.count(text),
        }
    }

    /// Append the token ids of `text` to `tokens`.
    ///
    /// # Errors
    /// As [`count`](Self::count), and of `words`, which have no ids.
    pub fn encode(&self, text: &str, tokens: &mut Vec<u32>) -> Result<(), Error> {
        match &self.0 {
            Kind::Words => Err(Error::NoIds),
            Kind::Bpe(bpe) => {
                bpe.encode(text, tokens);
                Ok(())
            }
            #[cfg(feature = "huggingface")]
            Kind::HuggingFace(file) => file.encode(text, tokens),
        }
    }

    /// The bytes `tokens` stand for. They need not be UTF-8: a token may end
    /// within a character.
    ///
    /// A file's own decoder is used where it has one, which need not give the
    /// text back that was encoded; the embedded tokenizers always do.
    ///
    /// # Errors
    /// There is no token of some id; `words` have none at all.
    pub fn decode(&self, tokens: &[u32]) -> Result<Vec<u8>, Error> {
        match &self.0 {
            Kind::Words => Err(Error::NoIds),
            Kind::Bpe(bpe) => bpe.decode(tokens).map_err(Error::NoToken),
            #[cfg(feature = "huggingface")]
            Kind::HuggingFace(file) => file.decode(tokens),
        }
    }

    /// The longest beginning of `text` that ends with a whole character and a
    /// token, and has at most `tokens` tokens when it stands alone.
    ///
    /// # Errors
    /// As [`count`](Self::count).
    pub fn beginning<'a>(&self, text: &'a str, tokens: u64) -> Result<&'a str, Error> {
        let limit = usize::try_from(tokens).unwrap_or(usize::MAX);
        if matches!(self.0, Kind::Words) {
            let mut words = text.split_ascii_whitespace();
            let beyond = words.nth(limit).map(|word| place(text, word));
            return Ok(text[..beyond.unwrap_or(text.len())].trim_ascii_end());
        }
        let mut all = Vec::new();
        self.encode(text, &mut all)?;
        if all.len() <= limit {
            return Ok(text);
        }
        let mut kept = limit;
        loop {
            let mut end = match self.decode(&all[..kept]) {
                Ok(bytes) if text.as_bytes().starts_with(&bytes) => bytes.len(),
                // A decoder that gives other text: in proportion.
                _ => text.len() * kept / all.len(),
            };
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            let beginning = &text[..end];
            // Cut anywhere, a word may fall into more tokens than it had.
            if kept == 0 || self.count(beginning)? <= tokens {
                return Ok(beginning);
            }
            kept -= 1;
        }
    }

    /// Append a number for each token that is equal where tokens are: the id,
    /// or, of a word, a hash. What [`Recover::tokens`](crate::Recover::tokens)
    /// needs of a prompt that is put together from several texts.
    ///
    /// # Errors
    /// As [`count`](Self::count).
    pub fn identify(&self, text: &str, tokens: &mut Vec<u32>) -> Result<(), Error> {
        if !matches!(self.0, Kind::Words) {
            return self.encode(text, tokens);
        }
        let hasher = FixedState::default();
        let words = text.split_ascii_whitespace();
        tokens.extend(words.map(|word| hasher.hash_one(word) as u32));
        Ok(())
    }

    /// What prompts are made of.
    pub(crate) fn pool(&self) -> Result<Pool, Error> {
        match &self.0 {
            Kind::Words | Kind::Bpe(_) => Ok(Pool::common()),
            #[cfg(feature = "huggingface")]
            Kind::HuggingFace(file) => file.pool(),
        }
    }
}

/// Where `part` of `text` begins.
fn place(text: &str, part: &str) -> usize {
    part.as_ptr() as usize - text.as_ptr() as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_beginning_ends_with_a_token() {
        let o200k = Tokenizer::o200k();
        let text = "Hello world, hello";
        assert_eq!(o200k.beginning(text, 0).unwrap(), "");
        assert_eq!(o200k.beginning(text, 2).unwrap(), "Hello world");
        assert_eq!(o200k.beginning(text, 99).unwrap(), text);
        let words = Tokenizer::words();
        assert_eq!(words.beginning(" a  b\tc ", 2).unwrap(), " a  b");
        assert_eq!(words.beginning("a", 0).unwrap(), "");
    }

    proptest! {
        #[test]
        fn a_beginning_has_no_more_tokens_than_asked_for(text in "\\PC{0,60}", tokens in 0..40_u64) {
            for tokenizer in [Tokenizer::o200k(), Tokenizer::cl100k(), Tokenizer::words()] {
                let beginning = tokenizer.beginning(&text, tokens).unwrap();
                prop_assert!(text.starts_with(beginning));
                prop_assert!(tokenizer.count(beginning).unwrap() <= tokens);
            }
        }
    }
}
