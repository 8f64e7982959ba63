//! The flag `--tokenizer`, the same in every tool.

use crate::tokenizer::{Error, Name, Tokenizer};

/// Whose tokens are counted and rendered.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct TokenizerArg {
    /// Count tokens as TOKENIZER does: o200k, cl100k, words, or a Hugging Face
    /// tokenizer.json FILE
    #[arg(long, value_name = "TOKENIZER", default_value_t, value_parser = |name: &str| name.parse::<Name>())]
    pub tokenizer: Name,
}

impl TokenizerArg {
    /// The tokenizer. An embedded one is unpacked when it first encodes.
    ///
    /// # Errors
    /// A file that cannot be read or is not a tokenizer.
    pub fn load(&self) -> Result<Tokenizer, Error> {
        Tokenizer::load(&self.tokenizer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Tool {
        #[command(flatten)]
        tokenizer: TokenizerArg,
    }

    fn name(args: &[&str]) -> Name {
        Tool::parse_from(args).tokenizer.tokenizer
    }

    #[test]
    fn o200k_is_the_default() {
        assert_eq!(name(&["tool"]), Name::O200k);
        assert_eq!(name(&["tool", "--tokenizer", "cl100k"]), Name::Cl100k);
        assert_eq!(
            name(&["tool", "--tokenizer", "a/b.json"]),
            Name::File("a/b.json".into())
        );
        assert!(Tool::try_parse_from(["tool", "--tokenizer", ""]).is_err());
    }
}
