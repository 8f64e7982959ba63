//! `--check`: a curve file without a page.

use crate::start;
use std::io::Write;

/// Check the curve file that `file` names, stdin without one, and write it to
/// `output` with its points in order.
///
/// # Errors
/// What is wrong with the curve, as `name:line:column: reason` where it is a
/// matter of JSON and with the model's name where it is one of sense.
pub fn check(file: Option<&str>, mut output: impl Write) -> anyhow::Result<()> {
    let (curve, notes) = start::read(file.unwrap_or("-"))?;
    start::tell(file.unwrap_or("-"), &notes);
    output.write_all(&crate::outlet::text(&curve))?;
    Ok(output.flush()?)
}
