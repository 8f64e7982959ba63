//! Tokenizers, text of exact token counts for block ids, and the way back.
//!
//! A trace does not hold prompts. It holds how long each was, and one id per
//! block of it, so that requests whose ids are equal from the start shared a
//! prefix. To replay it, something must make text of those lengths that
//! shares exactly those prefixes, and nothing else; to record one, something
//! must find the ids that prompts share: this crate.
//!
//! ```
//! use trace_prompt::{Prompts, Recover, Tokenizer};
//!
//! let tokenizer = Tokenizer::o200k();
//! let prompts = Prompts::with(&tokenizer, 0)?;
//! let (mut first, mut second) = (String::new(), String::new());
//! // Two requests of 600 tokens that share their first block of 512.
//! prompts.render(&[46, 47], 600, 0, &mut first);
//! prompts.render(&[46, 99], 600, 1, &mut second);
//! assert_eq!(tokenizer.count(&first)?, 600);
//!
//! let mut recover = Recover::new(512);
//! let mut ids = Vec::new();
//! assert_eq!(recover.text(&tokenizer, &first, &mut ids)?, 600);
//! assert_eq!(ids, [0, 1]);
//! recover.text(&tokenizer, &second, &mut ids)?;
//! assert_eq!(ids, [0, 2]);
//! # Ok::<(), trace_prompt::Error>(())
//! ```
//!
//! - [`Tokenizer`]: `count`, `encode`, `decode`. `o200k` and `cl100k` are in
//!   the binary and unpacked when first used; [`Tokenizer::load`] takes a
//!   [`Name`], which may be a Hugging Face `tokenizer.json` (feature
//!   `huggingface`). Counts are of content, without chat template.
//! - [`Prompts`]: text, or token ids, for block ids and lengths.
//! - [`Recover`]: the ids of prompts.
//! - `TokenizerArg` (feature `cli`): the flag `--tokenizer`.
//!
//! # What is promised
//!
//! Of a prompt rendered for `hash_ids` and `input_length`:
//!
//! - it has exactly `input_length` tokens, any number of them, counted by the
//!   tokenizer it was made for;
//! - ids that are equal from the start give text that is equal as far, and
//!   equal across runs, machines and versions for the same seed;
//! - a partial last block is the beginning of the full block's text;
//! - what ids do not cover is text of the request's own, shared with nobody;
//! - [`Recover`] finds the same sharing in it again. Blocks of different ids
//!   differ within the first seven words; so two last blocks of fewer words
//!   than that may be equal by chance, of one word once in 512.
//!
//! # Why words
//!
//! Text of n tokens is easy to ask for and hard to have: tokens drawn at
//! random merge with their neighbours when the server encodes them again. The
//! usual way is to draw, encode, cut, and try again, with special tokens as
//! separators. Here every token is a common English word with the space before
//! it, and no tokenizer in use merges across that space. So counts add up
//! whatever the order, nothing has to be tried, and text is made at more than
//! 1 GB/s: faster than a cache of blocks would find it in memory, and with
//! nothing to bound.

mod bpe;
mod class;
#[cfg(feature = "cli")]
mod cli;
#[cfg(feature = "huggingface")]
mod huggingface;
mod merge;
mod pool;
mod prompts;
mod recover;
mod split;
mod tokenizer;
mod vocabulary;
mod words;

#[cfg(feature = "cli")]
pub use cli::TokenizerArg;
pub use prompts::Prompts;
pub use recover::Recover;
pub use tokenizer::{Error, Name, Tokenizer};
