//! How many tokens a block has, where the lines say so themselves.

use crate::args::Args;
use crate::input::Opened;
use crate::record::Record;
use crate::report::Report;
use anyhow::bail;
use trace_core::{BLOCK_TOKENS, LineError};

/// The member that says it.
pub(crate) const NAME: &str = "block_size";

/// Tokens per block of the ids of all inputs: what was typed, else what the
/// first line says, else ours.
pub(crate) struct BlockSize {
    given: Option<u64>,
    /// What an input was read with.
    size: Option<u64>,
}

impl BlockSize {
    pub(crate) fn new(args: &Args) -> Self {
        Self {
            given: args.from_block_size,
            size: None,
        }
    }

    /// Tokens per block.
    pub(crate) fn get(&self) -> u64 {
        self.given.or(self.size).unwrap_or(BLOCK_TOKENS)
    }

    /// Take what the first line of `input` says.
    ///
    /// # Errors
    /// Another size than that of the input before.
    pub(crate) fn open(&mut self, input: &mut Opened, report: &mut Report) -> anyhow::Result<()> {
        if self.given.is_some() {
            return Ok(());
        }
        let raw = input.first_member(NAME);
        let said = raw.and_then(|raw| size(&raw));
        let now = said.unwrap_or(BLOCK_TOKENS);
        if let Some(before) = self.size.filter(|before| *before != now) {
            bail!(
                "{}:1: blocks of {now} tokens, and of {before} in the file before",
                input.name
            );
        }
        self.size = Some(now);
        if now != BLOCK_TOKENS {
            report.assume(format!("blocks of {now} tokens, as {NAME} says"));
        }
        Ok(())
    }

    /// Look whether a line has blocks of another size.
    ///
    /// # Errors
    /// Which.
    pub(crate) fn check(&self, record: &Record) -> Result<(), LineError> {
        let Some(raw) = record.line.raw(NAME).filter(|_| self.given.is_none()) else {
            return Ok(());
        };
        match size(raw) {
            Some(other) if other != self.get() => Err(record.error(format!(
                "{NAME}: blocks of {other} tokens among those of {}",
                self.get()
            ))),
            _ => Ok(()),
        }
    }
}

/// A number of tokens above 0.
fn size(raw: &[u8]) -> Option<u64> {
    let size: Option<u64> = serde_json::from_slice(raw).ok();
    size.filter(|size| *size > 0)
}

#[cfg(test)]
mod tests {
    use crate::tests::convert_with;

    #[test]
    fn a_line_may_say_the_size_of_its_blocks() {
        let line = r#"{"block_size":64,"hash_ids":[7,8],"input_length":128}"#;
        let (out, error, report) = convert_with("", line);
        assert_eq!((out, error), (format!("{line}\n"), None));
        assert!(report.line().unwrap().contains("blocks of 64 tokens"));
        let (out, error, _) = convert_with("--block-size 32", line);
        assert_eq!(error, None);
        assert_eq!(
            out,
            "{\"input_length\":128,\"hash_ids\":[14,15,16,17],\"block_size\":32}\n"
        );
        let (_, error, _) = convert_with("--from-block-size 16", line);
        assert_eq!(error, None);
    }

    #[test]
    fn lines_of_different_sizes_are_not_mixed() {
        let lines = concat!(
            r#"{"input_length":600,"hash_ids":[1,2]}"#,
            "\n",
            r#"{"block_size":64,"hash_ids":[7,8],"input_length":128}"#,
        );
        let (_, error, _) = convert_with("", lines);
        let expected = "in:2:1: block_size: blocks of 64 tokens among those of 512";
        assert_eq!(error.as_deref(), Some(expected));
    }
}
