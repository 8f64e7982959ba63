//! Manual pages: clap's, with the examples as they are typed.
//!
//! clap_mangen lets roff fill what stands below the flags like prose, which
//! breaks commands at hyphens and turns quotes into others. What is indented
//! in the help is set here line by line, with characters that can be pasted.

use clap::Command;
use clap::builder::Resettable;
use std::io::{self, Write};

/// Append the page of a tool, and after it those of its subcommands.
///
/// # Errors
/// Those of `page`.
pub(crate) fn write(mut command: Command, page: &mut impl Write) -> io::Result<()> {
    command.build();
    let parts: Vec<Command> = command.get_subcommands().cloned().collect();
    write_one(command, page)?;
    let parts = parts.into_iter().filter(|part| part.get_name() != "help");
    parts.into_iter().try_for_each(|part| write_one(part, page))
}

fn write_one(command: Command, page: &mut impl Write) -> io::Result<()> {
    let more = command
        .get_after_long_help()
        .or_else(|| command.get_after_help());
    let more = more.map(ToString::to_string);
    let flags = command
        .after_help(Resettable::Reset)
        .after_long_help(Resettable::Reset);
    clap_mangen::Man::new(flags).render(page)?;
    match more {
        Some(more) => page.write_all(section(&more).as_bytes()),
        None => Ok(()),
    }
}

/// A section of `text`: what is indented as it is, the rest as paragraphs.
fn section(text: &str) -> String {
    let mut roff = ".SH MORE\n".to_owned();
    let mut as_is = false;
    for line in text.lines() {
        // A blank line is one in both.
        let indented = line.starts_with(' ') || as_is && line.is_empty();
        if indented != as_is {
            roff.push_str(if indented { ".nf\n" } else { ".fi\n" });
            as_is = indented;
        }
        push_line(line, &mut roff);
    }
    if as_is {
        roff.push_str(".fi\n");
    }
    roff
}

/// Append `line` so that each character comes out as itself, and none is taken
/// for a request to roff.
fn push_line(line: &str, roff: &mut String) {
    if line.starts_with(['.', '\'']) {
        roff.push_str("\\&");
    }
    for char in line.chars() {
        match char {
            '\\' => roff.push_str("\\(rs"),
            '-' => roff.push_str("\\-"),
            '\'' => roff.push_str("\\(aq"),
            '`' => roff.push_str("\\(ga"),
            '^' => roff.push_str("\\(ha"),
            '~' => roff.push_str("\\(ti"),
            char => roff.push(char),
        }
    }
    roff.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_keep_their_lines_and_characters() {
        let help = "Examples:\n  a --b \\\n    'c' > `d`\n\n.e f,\ng ^C";
        let roff = ".SH MORE\nExamples:\n.nf\n  a \\-\\-b \\(rs\n    \\(aqc\\(aq > \\(gad\\(ga\n\n\
                    .fi\n\\&.e f,\ng \\(haC\n";
        assert_eq!(section(help), roff);
    }

    #[test]
    fn a_page_has_the_flags_then_the_rest_then_the_subcommands() {
        let part = Command::new("part").about("A part");
        let tool = Command::new("tool").after_help("Examples:\n  tool part");
        let mut page = Vec::new();
        write(tool.subcommand(part), &mut page).unwrap();
        let page = String::from_utf8(page).unwrap();
        let places = [
            ".TH tool 1",
            ".SH SYNOPSIS",
            ".SH MORE",
            ".nf\n  tool part\n.fi",
            ".TH tool-part 1",
        ];
        let places = places.map(|part| page.find(part).unwrap_or_else(|| panic!("{part}: {page}")));
        assert!(places.is_sorted(), "{places:?}");
        assert!(!page.contains("tool-help 1"), "{page}");
    }
}
