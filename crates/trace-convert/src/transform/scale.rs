//! Longer and shorter prompts and answers, their blocks in step.

use super::{Fate, Transform};
use crate::limit;
use crate::record::Record;
use crate::report::{Kind, Report};
use trace_core::{Field, blocks_of};

/// Multiplies lengths, rounded, at least 1 where there was anything.
///
/// A prompt's blocks stretch with it: block `p` of the new prompt comes from
/// block ⌊p / factor⌋ of the old one, so what two prompts shared they still
/// share, in proportion.
pub(crate) struct Scale {
    pub(crate) input: f64,
    pub(crate) output: f64,
    pub(crate) block_size: u64,
}

impl Transform for Scale {
    fn apply(&mut self, record: &mut Record, report: &mut Report) -> anyhow::Result<Fate> {
        if let Some(length) = record.request().output_length
            && self.output != 1.0
        {
            let scaled = scaled(length, self.output);
            report.count(Kind::Changed, "output lengths by --scale-output", 1);
            record.change(Field::OutputLength).output_length = Some(scaled);
        }
        let Some(length) = record.request().input_length.filter(|_| self.input != 1.0) else {
            return Ok(Fate::Kept);
        };
        let length = scaled(length, self.input);
        report.count(Kind::Changed, "input lengths by --scale-input", 1);
        record.change(Field::InputLength).input_length = Some(length);
        let Some(ids) = record
            .request()
            .hash_ids
            .as_ref()
            .filter(|ids| !ids.is_empty())
        else {
            return Ok(Fate::Kept);
        };
        let parts = self.input.ceil() as u64;
        let mut stretched = Vec::new();
        let (mut last, mut part) = (0, 0);
        let blocks = limit::blocks(length, self.block_size).map_err(|why| record.error(why))?;
        for block in 0..blocks {
            let from = ((block as f64 / self.input) as usize).min(ids.len() - 1);
            part = if from == last && block > 0 {
                part + 1
            } else {
                0
            };
            last = from;
            let id = ids[from]
                .checked_mul(parts)
                .and_then(|id| id.checked_add(part));
            let id = id.filter(|id| *id < 1 << 53);
            stretched.push(id.ok_or_else(|| record.error(super::TOO_LARGE))?);
        }
        record.change(Field::HashIds).hash_ids = Some(stretched);
        Ok(Fate::Kept)
    }
}

fn scaled(length: u64, factor: f64) -> u64 {
    let least = u64::from(length > 0);
    ((length as f64 * factor).round() as u64).max(least)
}

/// Cuts lengths down, or raises an answer's to a minimum.
pub(crate) struct Clip {
    pub(crate) input: u64,
    pub(crate) output_min: u64,
    pub(crate) output_max: u64,
    pub(crate) block_size: u64,
}

impl Transform for Clip {
    fn apply(&mut self, record: &mut Record, report: &mut Report) -> anyhow::Result<Fate> {
        if let Some(length) = record.request().output_length {
            let clipped = length.clamp(self.output_min, self.output_max);
            if clipped != length {
                report.count(Kind::Changed, "output lengths clipped", 1);
                record.change(Field::OutputLength).output_length = Some(clipped);
            }
        }
        let length = record.request().input_length;
        if length.is_some_and(|length| length > self.input) {
            report.count(Kind::Changed, "input lengths clipped", 1);
            record.change(Field::InputLength).input_length = Some(self.input);
            let blocks = blocks_of(self.input, self.block_size) as usize;
            let ids = record.request().hash_ids.as_ref();
            if ids.is_some_and(|ids| ids.len() > blocks) {
                let ids = record.change(Field::HashIds).hash_ids.as_mut();
                ids.expect("seen above").truncate(blocks);
            }
        }
        Ok(Fate::Kept)
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::convert;

    const TRACE: &str = "{\"input_length\":1536,\"output_length\":10,\"hash_ids\":[4,5,6]}\n";

    #[test]
    fn blocks_stretch_with_the_prompt() {
        assert_eq!(
            convert("--scale-input 2 --scale-output 0.05", TRACE),
            "{\"input_length\":3072,\"output_length\":1,\"hash_ids\":[8,9,10,11,12,13]}\n"
        );
        assert_eq!(
            convert("--scale-input 1.5", TRACE),
            "{\"input_length\":2304,\"output_length\":10,\"hash_ids\":[8,9,10,12,13]}\n"
        );
        assert_eq!(
            convert("--scale-input 0.5", TRACE),
            "{\"input_length\":768,\"output_length\":10,\"hash_ids\":[4,6]}\n"
        );
    }

    #[test]
    fn clipped_prompts_lose_their_last_blocks() {
        assert_eq!(
            convert(
                "--clip --max-input-length 600 --min-output-length 20",
                TRACE
            ),
            "{\"input_length\":600,\"output_length\":20,\"hash_ids\":[4,5]}\n"
        );
    }
}
