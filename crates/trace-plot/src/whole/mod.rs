//! Pictures of an input as a whole: what a cache would have had, two traces
//! side by side.
//!
//! Other kinds count one line after the other and may share a pass; these read
//! what they need by themselves, in the order of the trace, and hold it.

pub mod cache;
pub mod compare;

use anyhow::Result;
use trace_core::cli;

use crate::{args::Whole, draw::Look, output::Output, picture::Press};

/// Read what `whole` names, draw it, and write the picture.
///
/// # Errors
/// Bad input, nothing to draw, or a file that cannot be written.
pub(crate) fn run(whole: &Whole, by: &str, block_size: u64, scale: f32) -> Result<u8> {
    whole.input.outlast_interrupt()?;
    let press = Press::new();
    let picture = if whole.name == "cache" {
        let figure = cache::figure(&whole.input, by, block_size)?;
        press.picture(&figure, &whole.look)?
    } else {
        let (title, figures) = compare::figures(&whole.input, block_size)?;
        let look = Look {
            width: whole.look.width.div_ceil(2),
            height: whole.look.height.div_ceil(3) * 2,
            theme: whole.look.theme,
        };
        press.sheet(&title, &figures, 2, &look)?
    };
    let written = whole.output.write(whole.name, &picture, scale)?;
    if matches!(whole.output, Output::Directory(..)) {
        let written: Vec<_> = written
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        eprintln!("trace-plot: wrote {}", written.join(" "));
    }
    Ok(cli::DONE)
}
