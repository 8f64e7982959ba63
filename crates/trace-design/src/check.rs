//! `--check`: a curve file without a page.

use crate::generate::Detail;
use crate::start;
use anyhow::anyhow;
use std::io::Write;

/// Check the curve file that `file` names, stdin without one, and write it to
/// `output` with its points in order.
///
/// # Errors
/// What is wrong with the curve, as `name:line:column: reason` where it is a
/// matter of JSON and with the model's name where it is one of sense.
pub fn check(file: Option<&str>, mut output: impl Write) -> anyhow::Result<()> {
    let file = file.unwrap_or("-");
    let (curve, generator) = start::read(file)?;
    generator
        .requests(&curve, Detail::Lengths)
        .map_err(|refusal| anyhow!("{}: {}", start::name(file), refusal.reason()))?;
    output.write_all(&crate::outlet::text(&curve))?;
    Ok(output.flush()?)
}
