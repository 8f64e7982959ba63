//! The text beside the pictures of a preset.

use std::path::PathBuf;

use anyhow::Result;

use crate::{
    output::Output,
    plan::{Draw, Plan},
};

/// Write what was drawn in `words`: which results, which levels, which
/// `pictures`. Gives the file, if the preset has one and the pictures are files.
///
/// # Errors
/// A file that cannot be written.
pub(crate) fn write(
    plan: &Plan,
    output: &Output,
    pictures: &[PathBuf],
    words: &[String],
) -> Result<Option<PathBuf>> {
    let Draw::Preset(preset) = plan.draw else {
        return Ok(None);
    };
    let Some(name) = preset.summary() else {
        return Ok(None);
    };
    output.write_text(name, &text(&plan.input.files, pictures, words))
}

fn text(files: &[String], pictures: &[PathBuf], words: &[String]) -> String {
    let files = if files.is_empty() {
        &["-".to_owned()]
    } else {
        files
    };
    let pictures = pictures.iter().filter_map(|path| path.file_name());
    let pictures: Vec<String> = pictures
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    let title = "Benchmark Results Summary";
    let mut text = format!("{title}\n{}\n", "=".repeat(title.len()));
    for (title, lines) in [
        ("Results:", files),
        ("Levels:", words),
        ("Plots:", &pictures),
    ] {
        text.push_str(&format!("\n{title}\n"));
        for line in lines {
            text.push_str(&format!("  {line}\n"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_levels_and_plots_are_listed() {
        let words = [
            "a: 2 concurrency levels (1-4)",
            "  concurrency 1: 9 requests",
        ];
        let text = text(
            &["a=x.jsonl".to_owned()],
            &[PathBuf::from("out/p.png")],
            &words.map(str::to_owned),
        );
        assert_eq!(
            text,
            "Benchmark Results Summary\n=========================\n\n\
             Results:\n  a=x.jsonl\n\n\
             Levels:\n  a: 2 concurrency levels (1-4)\n    concurrency 1: 9 requests\n\n\
             Plots:\n  p.png\n"
        );
    }
}
