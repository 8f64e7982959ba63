//! Any Hugging Face `tokenizer.json`, and what text can be made of its tokens.
//!
//! The embedded vocabularies have text of exact length by construction. A file
//! may hold any model behind any normaliser and splitter, so its pool of words
//! is found by trying, once, when prompts are first made:
//!
//! - words are taken first from the common ones, then from the file's own
//!   vocabulary, and kept if each occurrence of them is one token;
//! - a word is dropped if some token of the vocabulary could cross the border
//!   behind it (`of▁the`), so no merge can;
//! - then all of them, forwards and backwards, must give one token each, the
//!   token they gave alone.
//!
//! Vocabularies that have words have them with the space before; where the
//! tokenizer itself puts a space before every text, prompts begin without one.
//! Where a vocabulary has no words, as one of bytes, prompts are made of
//! characters no two of which begin a longer token.

use crate::pool::{Ids, Pool};
use crate::tokenizer::Error;
use crate::words::{WORD_BITS, WORDS, Word};
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tokenizers::Tokenizer as Model;

/// More words would not make text more different.
const WORDS_WANTED: usize = WORDS.len();

/// What byte-level and SentencePiece vocabularies write for a space.
const SPACES: [char; 3] = [' ', 'Ġ', '▁'];

/// A tokenizer read from a file.
pub(crate) struct HuggingFace {
    path: PathBuf,
    model: Model,
    pool: OnceLock<Option<Pool>>,
}

impl HuggingFace {
    /// Read `path`, or the `tokenizer.json` in it.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let path = if path.is_dir() {
            path.join("tokenizer.json")
        } else {
            path.to_owned()
        };
        let json = std::fs::read(&path).map_err(|cause| Error::Open {
            path: path.clone(),
            cause,
        })?;
        let format = |reason: String| Error::Format {
            path: path.clone(),
            reason,
        };
        let mut model = Model::from_bytes(json).map_err(|error| format(error.to_string()))?;
        // Files of embedding models cut and fill every text to one length.
        model
            .with_truncation(None)
            .map_err(|error| format(error.to_string()))?;
        model.with_padding(None);
        Ok(Self {
            path,
            model,
            pool: OnceLock::new(),
        })
    }

    pub(crate) fn count(&self, text: &str) -> Result<u64, Error> {
        Ok(self.tokens(text)?.len() as u64)
    }

    pub(crate) fn encode(&self, text: &str, tokens: &mut Vec<u32>) -> Result<(), Error> {
        tokens.extend_from_slice(&self.tokens(text)?);
        Ok(())
    }

    pub(crate) fn decode(&self, tokens: &[u32]) -> Result<Vec<u8>, Error> {
        if let Some(&unknown) = tokens
            .iter()
            .find(|&&token| self.model.id_to_token(token).is_none())
        {
            return Err(Error::NoToken(unknown));
        }
        let text = self.model.decode(tokens, false);
        text.map(String::into_bytes)
            .map_err(|error| Error::Encode(error.to_string()))
    }

    /// What prompts are made of; found the first time.
    pub(crate) fn pool(&self) -> Result<Pool, Error> {
        let pool = self.pool.get_or_init(|| self.find_pool());
        pool.clone().ok_or_else(|| Error::NoText {
            path: self.path.clone(),
            reason: "it has no two words or characters that stay one token beside others",
        })
    }

    fn tokens(&self, text: &str) -> Result<Vec<u32>, Error> {
        match self.model.encode_fast(text, false) {
            Ok(encoding) => Ok(encoding.get_ids().to_vec()),
            Err(error) => Err(Error::Encode(error.to_string())),
        }
    }

    fn find_pool(&self) -> Option<Pool> {
        let mut vocabulary: Vec<(String, u32)> = self.model.get_vocab(false).into_iter().collect();
        vocabulary.sort_unstable_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
        let spaced = self.words(&vocabulary, false);
        let bits = |pool: &Option<Pool>| pool.as_ref().map_or(0, |pool| pool.bits);
        if bits(&spaced) == WORD_BITS {
            return spaced;
        }
        let joined = self.words(&vocabulary, true);
        let best = if bits(&joined) > bits(&spaced) {
            joined
        } else {
            spaced
        };
        best.or_else(|| self.characters(&vocabulary))
    }

    /// Words with a space before each, except, if `joined`, the first.
    fn words(&self, vocabulary: &[(String, u32)], joined: bool) -> Option<Pool> {
        let crossings = crossings(vocabulary);
        let common = WORDS.iter().map(|word| word.text().to_owned());
        let own = vocabulary.iter().filter_map(|(token, _)| word_of(token));
        let mut tried = HashSet::new();
        let (mut words, mut first, mut rest) = (Vec::new(), Vec::new(), Vec::new());
        let mut tokens = HashSet::new();
        for text in common.chain(own) {
            if words.len() == WORDS_WANTED {
                break;
            }
            if !tried.insert(text.clone()) || crossings.iter().any(|left| text.ends_with(left)) {
                continue;
            }
            let thrice = text.repeat(3);
            let Ok(ids) = self.tokens(&thrice[usize::from(joined)..]) else {
                continue;
            };
            let (&[at_first, one, same], Some(word)) = (&ids[..], Word::new(&text)) else {
                continue;
            };
            // Words of the same token, as all that are unknown, tell nothing.
            if one == same && tokens.insert(one) {
                words.push(word);
                first.push(at_first);
                rest.push(one);
            }
        }
        self.checked(Pool::of(words, Ids { first, rest }, joined)?)
    }

    /// Characters no two of which stand side by side in any token.
    fn characters(&self, vocabulary: &[(String, u32)]) -> Option<Pool> {
        let mut pairs = HashSet::new();
        for (token, _) in vocabulary {
            let characters: Vec<char> = token.chars().collect();
            pairs.extend(characters.windows(2).map(|pair| (pair[0], pair[1])));
        }
        let mut chosen: Vec<char> = Vec::new();
        let (mut words, mut ids) = (Vec::new(), Vec::new());
        for character in ('!'..='~').filter(|one| !pairs.contains(&(*one, *one))) {
            let alone = chosen.iter().all(|&other| {
                !pairs.contains(&(character, other)) && !pairs.contains(&(other, character))
            });
            let text = character.to_string();
            let Ok(tokens) = self.tokens(&text.repeat(3)) else {
                continue;
            };
            let (&[id, second, third], Some(word)) = (&tokens[..], Word::new(&text)) else {
                continue;
            };
            if alone && id == second && id == third && !ids.contains(&id) {
                chosen.push(character);
                words.push(word);
                ids.push(id);
            }
        }
        let ids = Ids {
            first: ids.clone(),
            rest: ids,
        };
        self.checked(Pool::of(words, ids, false)?)
    }

    /// The pool, if its words in a row are the tokens they are alone.
    fn checked(&self, pool: Pool) -> Option<Pool> {
        let ids = pool.ids.as_ref()?;
        let count = pool.words.len();
        let forwards: Vec<usize> = (0..count).collect();
        let backwards: Vec<usize> = (0..count).rev().collect();
        // Each word after itself, and after the one half the pool away.
        let across: Vec<usize> = (0..2 * count)
            .map(|at| (at / 2 + at % 2 * (count / 2)) % count)
            .collect();
        for order in [forwards, backwards, across] {
            let text: String = order.iter().map(|&word| pool.words[word].text()).collect();
            let expected = order.iter().enumerate().map(|(at, &word)| {
                let ids = if at == 0 { &ids.first } else { &ids.rest };
                ids[word]
            });
            let tokens = self.tokens(&text[usize::from(pool.joined)..]).ok()?;
            if !expected.eq(tokens) {
                return None;
            }
        }
        Some(pool)
    }
}

/// The lower-case word a token stands for, with a space before it.
fn word_of(token: &str) -> Option<String> {
    let word = token.strip_prefix(SPACES).unwrap_or(token);
    let plain = (2..Word::LONGEST).contains(&word.len())
        && word.bytes().all(|byte| byte.is_ascii_lowercase());
    plain.then(|| format!(" {word}"))
}

/// The letters before a space within some token: a word that ends in them
/// might be merged with the next one.
fn crossings(vocabulary: &[(String, u32)]) -> HashSet<&str> {
    let mut crossings = HashSet::new();
    for (token, _) in vocabulary {
        for (at, _) in token.match_indices(SPACES) {
            let before = &token[..at];
            let letters = before.trim_end_matches(|letter: char| letter.is_ascii_lowercase());
            let left = &before[letters.len()..];
            // Behind other characters than a word's: no word ends so.
            let reachable = letters.is_empty() || letters.ends_with(SPACES);
            if !left.is_empty() && reachable {
                crossings.insert(left);
            }
        }
    }
    crossings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(name: &str) -> HuggingFace {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
        HuggingFace::open(&Path::new(folder).join(name)).unwrap()
    }

    #[test]
    fn words_begin_with_a_space_unless_the_tokenizer_puts_one_there() {
        for (name, bits, joined) in [
            ("wordpiece.json", 8, false),
            ("byte-level.json", 9, false),
            ("metaspace.json", 9, true),
            ("unigram.json", 8, false),
        ] {
            let pool = fixture(name).pool().unwrap();
            assert_eq!((pool.bits, pool.joined), (bits, joined), "{name}");
            assert_eq!(pool.words.len(), 1 << bits);
            assert!(pool.words.iter().all(|word| word.text().starts_with(' ')));
        }
    }

    #[test]
    fn without_words_prompts_are_characters_that_never_pair_up() {
        let pool = fixture("bytes.json").pool().unwrap();
        let characters: String = pool.words.iter().map(Word::text).collect();
        assert_eq!(characters.len(), 64);
        assert!(
            !characters.contains(['#', '=']),
            "those pair with themselves"
        );
        assert!(!(characters.contains('t') && characters.contains('h')));
    }

    #[test]
    fn a_word_whose_end_may_merge_over_the_space_is_left_out() {
        let pool = fixture("metaspace.json").pool().unwrap();
        assert!(pool.words.iter().any(|word| word.text() == " air"));
        assert!(pool.words.iter().all(|word| !word.text().ends_with("age")));
    }

    #[test]
    fn a_limit_on_length_is_for_other_uses_and_not_kept() {
        let model = fixture("wordpiece.json");
        assert_eq!(model.count(&" above".repeat(40)).unwrap(), 40);
        assert_eq!(
            model.count("above").unwrap(),
            1,
            "nor are there special tokens"
        );
    }

    #[test]
    fn what_is_no_tokenizer_says_which_file_and_why() {
        let error = |path: &str| {
            HuggingFace::open(Path::new(path))
                .err()
                .unwrap()
                .to_string()
        };
        assert!(error("/nowhere.json").starts_with("cannot open /nowhere.json: No such file"));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokenizer.json");
        std::fs::write(&file, "\u{89}PNG\r\n").unwrap();
        let message = error(folder.path().to_str().unwrap());
        assert!(
            message.starts_with(&format!("{}: not a tokenizer.json: ", file.display())),
            "{message}"
        );
    }

    #[test]
    fn tokens_are_decoded_by_the_file() {
        let model = fixture("byte-level.json");
        let mut tokens = Vec::new();
        model.encode("Hello, wörld\n", &mut tokens).unwrap();
        assert_eq!(model.decode(&tokens).unwrap(), "Hello, wörld\n".as_bytes());
        assert!(matches!(
            model.decode(&[9_999_999]),
            Err(Error::NoToken(9_999_999))
        ));
    }
}
