//! A flat CSV of whatever the lines hold.
//!
//! One column for every member of a line, under its own name; `--columns`
//! says which, in that order. Without it the columns are those of the first
//! thousand lines, which are held until the header can be written: an
//! outcome that failed has fewer members than one that did not.
//!
//! A string stands as its text, a number or a truth value as it was spelled,
//! an array or an object as its JSON; a member that a line has not, or that
//! is `null`, is an empty cell. Cells with a comma, a quote or a line end
//! are quoted as RFC 4180 says; lines end in LF.

use crate::format::{Encode, Out, Target};
use crate::record::Record;
use crate::report::{Kind, Report};
use anyhow::Context;

/// A table of any lines.
pub(crate) static TARGET: Target = Target {
    name: "csv",
    about: "a flat table, one column per member; --columns chooses",
    encoder: |args, _| {
        let columns = args.columns.clone();
        Ok(Box::new(Csv {
            chosen: columns.is_some(),
            held: columns.is_none().then(Vec::new),
            columns: columns.unwrap_or_default(),
            begun: false,
        }))
    },
};

/// As many lines as the columns are taken from.
const TELLING: usize = 1_000;

type Members = Vec<(String, Vec<u8>)>;

struct Csv {
    /// Whether the columns were named.
    chosen: bool,
    columns: Vec<String>,
    /// Lines that wait for the header.
    held: Option<Vec<Members>>,
    begun: bool,
}

impl Encode for Csv {
    fn write(
        &mut self,
        record: &mut Record,
        out: &mut Out<'_>,
        report: &mut Report,
    ) -> anyhow::Result<bool> {
        let members = record.members()?;
        let Some(held) = &mut self.held else {
            self.row(&members, out, report)?;
            return Ok(true);
        };
        for (name, _) in &members {
            if !self.columns.contains(name) {
                self.columns.push(name.clone());
            }
        }
        held.push(members);
        if held.len() >= TELLING {
            self.release(out, report)?;
        }
        Ok(true)
    }

    fn finish(&mut self, out: &mut Out<'_>, report: &mut Report) -> anyhow::Result<()> {
        self.release(out, report)?;
        if self.chosen {
            self.begin(out)?;
        }
        Ok(())
    }
}

impl Csv {
    fn release(&mut self, out: &mut Out<'_>, report: &mut Report) -> anyhow::Result<()> {
        for members in self.held.take().unwrap_or_default() {
            self.row(&members, out, report)?;
        }
        Ok(())
    }

    /// Write the header, once.
    fn begin(&mut self, out: &mut Out<'_>) -> anyhow::Result<()> {
        if self.begun {
            return Ok(());
        }
        self.begun = true;
        let mut line = Vec::new();
        for (i, column) in self.columns.iter().enumerate() {
            if i > 0 {
                line.push(b',');
            }
            push_cell(&mut line, column);
        }
        out.write_bytes(&line).context("cannot write")
    }

    fn row(
        &mut self,
        members: &Members,
        out: &mut Out<'_>,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        self.begin(out)?;
        let mut line = Vec::new();
        let mut found = 0;
        for (i, column) in self.columns.iter().enumerate() {
            if i > 0 {
                line.push(b',');
            }
            if let Some((_, raw)) = members.iter().find(|(name, _)| name == column) {
                found += 1;
                push_cell(&mut line, &text(raw));
            }
        }
        if found < members.len() && !self.chosen {
            let left = members
                .iter()
                .filter(|(name, _)| !self.columns.contains(name));
            for (name, _) in left {
                report.count(
                    Kind::Dropped,
                    format!("values of {name}, which no line of the first {TELLING} has"),
                    1,
                );
            }
        }
        if found == 0 && self.chosen {
            report.count(Kind::Noted, "lines with none of the columns", 1);
        }
        out.write_bytes(&line).context("cannot write")
    }
}

/// What a cell shows of a JSON value.
fn text(raw: &[u8]) -> String {
    match raw.first() {
        Some(b'"') => serde_json::from_slice(raw)
            .unwrap_or_else(|_| String::from_utf8_lossy(raw).into_owned()),
        _ if raw == b"null" => String::new(),
        _ => String::from_utf8_lossy(raw).into_owned(),
    }
}

/// Append a cell, quoted where it must be.
fn push_cell(line: &mut Vec<u8>, cell: &str) {
    if !cell.contains([',', '"', '\n', '\r']) {
        line.extend_from_slice(cell.as_bytes());
        return;
    }
    line.push(b'"');
    line.extend_from_slice(cell.replace('"', "\"\"").as_bytes());
    line.push(b'"');
}

#[cfg(test)]
mod tests {
    use crate::report::Kind;
    use crate::tests::{convert, convert_with};

    #[test]
    fn every_member_is_a_column() {
        let text = concat!(
            r#"{"input_length":1,"hash_ids":[1, 2],"note":"a \"b\", c"}"#,
            "\n",
            r#"{"input_length":2.0,"late":true,"note":null}"#,
            "\n",
        );
        assert_eq!(
            convert("--to csv", text),
            "input_length,hash_ids,note,late\n1,\"[1, 2]\",\"a \"\"b\"\", c\",\n2.0,,,true\n"
        );
    }

    #[test]
    fn columns_are_those_that_were_named() {
        let text = "{\"input_length\":1,\"x\":1e5}\n";
        let flags = "--to csv --columns x,y,input_length";
        assert_eq!(convert(flags, text), "x,y,input_length\n1e5,,1\n");
        assert_eq!(convert(flags, ""), "x,y,input_length\n");
        assert_eq!(convert("--to csv", ""), "");
    }

    #[test]
    fn a_member_that_comes_late_is_reported() {
        let mut text = "{\"input_length\":1}\n".repeat(1_000);
        text.push_str("{\"input_length\":1,\"x\":2}\n");
        let (out, _, report) = convert_with("--to csv", &text);
        assert_eq!(out.lines().count(), 1_002);
        assert_eq!(report.of(Kind::Dropped, "values of x"), 1);
    }
}
