//! CSV with a header: cells by the name of their column. Tables with tabs,
//! semicolons or bars between their cells are read alike; the header shows it.

use crate::head::{delimiter, one_line};
use crate::input::Opened;
use crate::lines::Lines;
use crate::record::{Name, Record};
use crate::report::{Kind, Report};
use anyhow::bail;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;
use trace_core::{Error, MAX_LINE_BYTES};

/// Reads the rows of a table. Memory is one row, which may have 64 MiB.
///
/// Split by hand: most rows have no quote, and then a cell is what stands
/// between two commas, at more than twice the speed of the `csv` crate. Rows
/// with quotes are read by RFC 4180; line numbers stay those of the file.
pub(crate) struct Table {
    lines: Lines,
    tag: Option<String>,
    /// The names of the columns, no two of them the same.
    header: Vec<String>,
    /// What the header says.
    spelled: Vec<String>,
    /// What stands between two cells.
    delimiter: u8,
    /// The line the row began on.
    line: u64,
    row: Vec<u8>,
    /// The cells of `row`, or of `plain` for a row with quotes.
    cells: Vec<Range<usize>>,
    quoted: bool,
    plain: Vec<u8>,
}

impl Table {
    /// Read the header of `input`.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub(crate) fn open(input: Opened) -> anyhow::Result<Self> {
        let mut table = Self {
            lines: Lines::new(&input.name, input.bytes),
            tag: input.tag,
            header: Vec::new(),
            spelled: Vec::new(),
            delimiter: b',',
            line: 0,
            row: Vec::new(),
            cells: Vec::new(),
            quoted: false,
            plain: Vec::new(),
        };
        if table.read_row()? {
            let name = |i| {
                let text = String::from_utf8_lossy(table.bytes(i));
                text.trim().to_owned()
            };
            if table.cells.len() > MOST_COLUMNS {
                bail!(
                    "{}:1: {} columns, more than {MOST_COLUMNS}",
                    table.name(),
                    table.cells.len()
                );
            }
            table.spelled = (0..table.cells.len()).map(name).collect();
            table.header = told_apart(&table.spelled);
        }
        Ok(table)
    }

    /// The names of the columns.
    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    /// The name of the file.
    pub(crate) fn name(&self) -> &Arc<str> {
        self.lines.name()
    }

    /// The value for the field `source` of its lines.
    pub(crate) fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The place of the column of that name.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }

    /// The places of columns that must be there.
    ///
    /// # Errors
    /// Which of them are missing, and what was found instead.
    pub(crate) fn columns<const N: usize>(&self, names: [&str; N]) -> anyhow::Result<[usize; N]> {
        let missing: Vec<&str> = names
            .iter()
            .filter(|name| self.column(name).is_none())
            .copied()
            .collect();
        if !missing.is_empty() {
            let found = one_line(&self.header.join(", "));
            bail!(
                "{}:1: no column {}; found {found}",
                self.name(),
                missing.join(", ")
            );
        }
        Ok(names.map(|name| self.column(name).expect("seen above")))
    }

    /// Go to the next row; `false` at the end. A header that comes again, as
    /// where files were put together, is passed over.
    ///
    /// # Errors
    /// A row with more or fewer cells than the header.
    pub(crate) fn next(&mut self, report: &mut Report) -> Result<bool, Error> {
        loop {
            if !self.read_row()? {
                return Ok(false);
            }
            if self.cells.len() != self.header.len() {
                let reason = format!(
                    "{} cells where the header has {}",
                    self.cells.len(),
                    self.header.len()
                );
                return Err(self.lines.error(self.line, 1, reason));
            }
            let same = |(i, name): (usize, &String)| self.bytes(i) == name.as_bytes();
            if !self.spelled.iter().enumerate().all(same) {
                return Ok(true);
            }
            report.count(Kind::Noted, "header lines in the middle of a table", 1);
        }
    }

    /// Read and split the next row that is not blank.
    fn read_row(&mut self) -> Result<bool, Error> {
        loop {
            self.row.clear();
            if !self.lines.append(&mut self.row)? {
                return Ok(false);
            }
            if self.lines.number() == 1 && self.row.starts_with("\u{feff}".as_bytes()) {
                self.row.drain(.."\u{feff}".len());
            }
            if !self.row.trim_ascii().is_empty() {
                break;
            }
        }
        if self.line == 0 {
            self.delimiter = delimiter(&self.row);
        }
        let delimiter = self.delimiter;
        self.line = self.lines.number();
        self.cells.clear();
        self.quoted = false;
        // Cells are so short that a search for the next comma costs more than
        // looking at every byte.
        let mut start = 0;
        for (at, byte) in self.row.iter().enumerate() {
            match byte {
                byte if *byte == delimiter => {
                    self.cells.push(start..at);
                    start = at + 1;
                }
                b'"' => {
                    self.quoted = true;
                    self.cells.clear();
                    return self.split_quoted();
                }
                _ => {}
            }
        }
        self.cells.push(start..self.row.len());
        Ok(true)
    }

    /// Split a row in which cells may be quoted, and so hold commas, line ends
    /// and doubled quotes.
    fn split_quoted(&mut self) -> Result<bool, Error> {
        self.plain.clear();
        let (mut at, mut start, mut inside) = (0, 0, false);
        loop {
            let Some(&byte) = self.row.get(at) else {
                if !inside {
                    self.cells.push(start..self.plain.len());
                    return Ok(true);
                }
                self.row.push(b'\n');
                let too_long = self.row.len() > MAX_LINE_BYTES;
                if too_long || !self.lines.append(&mut self.row)? {
                    let reason = "a quote that is not closed";
                    return Err(self.lines.error(self.line, at + 1, reason));
                }
                self.plain.push(b'\n');
                at += 1;
                continue;
            };
            at += 1;
            match byte {
                b'"' if inside && self.row.get(at) == Some(&b'"') => {
                    self.plain.push(b'"');
                    at += 1;
                }
                b'"' if inside => inside = false,
                b'"' if self.plain.len() == start => inside = true,
                byte if byte == self.delimiter && !inside => {
                    self.cells.push(start..self.plain.len());
                    start = self.plain.len();
                }
                byte => self.plain.push(byte),
            }
        }
    }

    /// The line this row began on.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// The bytes of a cell.
    pub(crate) fn bytes(&self, column: usize) -> &[u8] {
        let text = if self.quoted { &self.plain } else { &self.row };
        self.cells
            .get(column)
            .map_or(&[], |cell| &text[cell.clone()])
    }

    /// The text of a cell, without white space around it.
    ///
    /// # Errors
    /// Bytes that are not UTF-8.
    pub(crate) fn text(&self, column: usize) -> Result<&str, Error> {
        match std::str::from_utf8(self.bytes(column)) {
            Ok(text) => Ok(text.trim()),
            Err(_) => Err(self.error(column, "not UTF-8")),
        }
    }

    /// A cell that counts something; integral floats are accepted.
    ///
    /// # Errors
    /// Anything else, an empty cell and NaN among it.
    pub(crate) fn whole(&self, column: usize) -> Result<u64, Error> {
        let cell = self.bytes(column);
        if let Some(number) = digits(cell) {
            return Ok(number);
        }
        let text = self.text(column)?;
        if text.is_empty() {
            return Err(self.error(column, "an empty cell, expected a whole number"));
        }
        let number = text.parse::<f64>().ok();
        let number =
            number.filter(|n| n.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(n));
        number.map(|n| n as u64).ok_or_else(|| {
            self.error(
                column,
                format!("{text:?}, expected a whole number, 0 or more"),
            )
        })
    }

    /// The columns that `used` leaves, and what the line calls them.
    pub(crate) fn others(&self, used: &[usize], renamed: &[(&str, &str)]) -> Vec<(usize, Name)> {
        let left = self.header.iter().enumerate();
        left.filter(|(at, _)| !used.contains(at))
            .map(|(at, name)| {
                let ours = renamed.iter().find(|(theirs, _)| theirs == name);
                (at, Name::new(ours.map_or(name, |(_, ours)| ours)))
            })
            .collect()
    }

    /// Give `record` the cells of other columns that are not empty.
    pub(crate) fn carry(&self, columns: &[(usize, Name)], record: &mut Record) {
        for (column, name) in columns {
            let text = self.bytes(*column).trim_ascii();
            if !text.is_empty() {
                record.add_cell(name, text);
            }
        }
    }

    /// An error about a cell of this row.
    pub(crate) fn error(&self, column: usize, reason: impl Into<String>) -> Error {
        let name = self.header.get(column).map_or("", String::as_str);
        // Of a row with quotes, the place among the bytes without them.
        let byte = self.cells.get(column).map_or(0, |cell| cell.start) + 1;
        let reason = format!("{}: {}", one_line(name), reason.into());
        self.lines.error(self.line, byte, reason)
    }
}

/// More columns are no table of requests, and would take long to tell apart.
const MOST_COLUMNS: usize = 2_000;

/// These names; one that came before with `_2` behind it, or `_3`, …
fn told_apart(names: &[String]) -> Vec<String> {
    let mut taken: HashSet<String> = names.iter().cloned().collect();
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut apart = Vec::new();
    for name in names {
        let times = seen.entry(name).or_default();
        *times += 1;
        let mut own = name.clone();
        if *times > 1 {
            own = format!("{name}_{times}");
            while !taken.insert(own.clone()) {
                *times += 1;
                own = format!("{name}_{times}");
            }
        }
        apart.push(own);
    }
    apart
}

/// The number that up to 18 digits spell, which cannot overflow.
fn digits(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 18 {
        return None;
    }
    let mut number = 0;
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number * 10 + u64::from(digit);
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Input;

    fn table(text: &str) -> Table {
        Table::open(Input::text("t.csv", text).open().unwrap()).unwrap()
    }

    #[test]
    fn cells_go_by_the_name_of_their_column() {
        let mut table = table("\u{feff}\"b\",\"a c\"\r\n7,1.0\r\n\r\n9,\"x,y\"");
        let report = &mut Report::default();
        let [a, b] = table.columns(["a c", "b"]).unwrap();
        assert!(table.next(report).unwrap());
        assert_eq!((table.whole(a).unwrap(), table.whole(b).unwrap()), (1, 7));
        assert!(table.next(report).unwrap());
        assert_eq!(table.text(a).unwrap(), "x,y");
        let error = table.whole(a).unwrap_err().to_string();
        assert_eq!(
            error,
            "t.csv:4:2: a c: \"x,y\", expected a whole number, 0 or more"
        );
        assert!(!table.next(report).unwrap());
    }

    #[test]
    fn quotes_hold_commas_line_ends_and_quotes() {
        let mut table = table("a,b\n\"x,\n\"\"y\"\"\",2\n3,\"4\"\n\"5\n");
        let report = &mut Report::default();
        assert!(table.next(report).unwrap());
        assert_eq!(table.text(0).unwrap(), "x,\n\"y\"");
        assert_eq!((table.line(), table.whole(1).unwrap()), (2, 2));
        assert!(table.next(report).unwrap());
        assert_eq!((table.line(), table.whole(1).unwrap()), (4, 4));
        let error = table.next(report).unwrap_err().to_string();
        assert_eq!(error, "t.csv:5:3: a quote that is not closed");
    }

    #[test]
    fn the_header_shows_what_stands_between_cells() {
        for between in ["\t", ";", "|"] {
            let text = ["a", "b\n1,5", "2\n\"x", "y\"", "3\n"].join(between);
            let mut table = table(&text);
            let report = &mut Report::default();
            assert_eq!(table.header(), ["a", "b"]);
            assert!(table.next(report).unwrap());
            assert_eq!(
                (table.text(0).unwrap(), table.whole(1).unwrap()),
                ("1,5", 2)
            );
            assert!(table.next(report).unwrap());
            assert_eq!(table.text(0).unwrap(), format!("x{between}y"));
        }
    }

    #[test]
    fn missing_columns_are_named_with_what_was_found() {
        let error = table("x,y\n").columns(["y", "z", "w"]).unwrap_err();
        assert_eq!(error.to_string(), "t.csv:1: no column z, w; found x, y");
    }

    #[test]
    fn columns_of_one_name_are_told_apart() {
        let mut table = table("x,x,x_2,x\n1,2,3,4\nx,x,x_2,x\n");
        assert_eq!(table.header(), ["x", "x_3", "x_2", "x_4"]);
        let report = &mut Report::default();
        assert!(table.next(report).unwrap());
        assert!(!table.next(report).unwrap());
        assert_eq!(report.of(Kind::Noted, "header lines"), 1);
    }

    #[test]
    fn a_table_of_a_million_columns_is_refused() {
        let text = "a,".repeat(1_000_000) + "b\n";
        let error = Table::open(Input::text("t.csv", text).open().unwrap());
        let error = error.err().unwrap().to_string();
        assert_eq!(error, "t.csv:1: 1000001 columns, more than 2000");
    }

    #[test]
    fn bad_cells_and_rows_say_where() {
        let report = &mut Report::default();
        let mut table = table("a,b\n1,\nNaN,-1\n1,2,3\na,b\n1,2\n");
        assert!(table.next(report).unwrap());
        assert!(
            table
                .whole(1)
                .unwrap_err()
                .to_string()
                .contains("t.csv:2:3: b: an empty cell")
        );
        assert!(table.next(report).unwrap());
        assert!(
            table
                .whole(0)
                .unwrap_err()
                .to_string()
                .contains("\"NaN\", expected a whole")
        );
        assert!(table.whole(1).is_err());
        let error = table.next(report).unwrap_err().to_string();
        assert_eq!(error, "t.csv:4:1: 3 cells where the header has 2");
        assert!(table.next(report).unwrap());
        assert_eq!(report.of(Kind::Noted, "header lines"), 1);
    }
}
