//! What made a report: commands, files, machine.

use std::{env, fs, str::FromStr, thread};

use super::when::When;
use crate::number::exact;

/// Something the user wants to be read beside the numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What it is about.
    pub name: String,
    /// What there is to say.
    pub text: String,
}

impl FromStr for Note {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((name, text)) if !name.trim().is_empty() => Ok(Self {
                name: name.trim().to_owned(),
                text: text.to_owned(),
            }),
            _ => Err("expected NAME=TEXT, such as 'server=vLLM 0.11, TP 2'".to_owned()),
        }
    }
}

/// Names and what they stand for, to be shown as a table.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) rows: Vec<(String, String)>,
}

impl Made {
    /// What the user said, then this command, what it read, and where it ran.
    pub(super) fn of(files: &[String], notes: &[Note], when: &When) -> Self {
        let told = notes
            .iter()
            .map(|note| (note.name.clone(), note.text.clone()));
        let mut rows: Vec<_> = told.collect();
        if let Some(words) = when.in_words() {
            rows.push(("requests sent".to_owned(), words));
        }
        rows.push(("drawn by".to_owned(), command(env::args())));
        rows.extend(files.iter().map(|file| ("input".to_owned(), size(file))));
        rows.push((
            "trace-plot".to_owned(),
            format!(
                "{} on {} {}, {} processors",
                env!("CARGO_PKG_VERSION"),
                env::consts::OS,
                env::consts::ARCH,
                thread::available_parallelism().map_or(1, usize::from)
            ),
        ));
        Self { rows }
    }
}

/// The words of a command as they could be typed again.
fn command(words: impl Iterator<Item = String>) -> String {
    let typed = words.enumerate().map(|(place, word)| {
        let word = match (place, word.rsplit_once('/')) {
            (0, Some((_, name))) => name.to_owned(),
            _ => word,
        };
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
        if !word.is_empty() && word.chars().all(plain) {
            word
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    });
    typed.collect::<Vec<_>>().join(" ")
}

/// The file and its size; of a pipe there is none.
fn size(file: &str) -> String {
    let path = file.split_once('=').map_or(file, |(_, path)| path);
    match fs::metadata(path).or_else(|_| fs::metadata(file)) {
        Ok(data) if data.is_file() => format!("{file}, {} bytes", exact(data.len())),
        _ => file.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_can_be_typed_again() {
        let words = [
            "/usr/bin/trace-plot",
            "--html",
            "it's.html",
            "",
            "a=b.jsonl",
        ];
        assert_eq!(
            command(words.map(str::to_owned).into_iter()),
            r"trace-plot --html 'it'\''s.html' '' a=b.jsonl"
        );
    }

    #[test]
    fn a_note_has_a_name() {
        let note: Note = "send=trace-send --url http://h/?a=b".parse().unwrap();
        assert_eq!(
            (note.name.as_str(), &note.text[..10]),
            ("send", "trace-send")
        );
        assert!("=x".parse::<Note>().is_err());
        assert!("x".parse::<Note>().is_err());
    }
}
