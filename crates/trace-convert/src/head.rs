//! What a file begins with: enough to tell its format.

/// The beginning of a file, as far as formats differ there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Head {
    /// Nothing but white space, or an array with nothing in it.
    Empty,
    /// A table: the names in its first line.
    Table(Vec<String>),
    /// JSON: the keys of its first object, or of the first object of its
    /// array.
    Json {
        /// Whether the objects stand in an array rather than one per line.
        array: bool,
        /// Whether the first of them goes over several lines.
        spread: bool,
        /// Every key with those it lies under, arrays left out:
        /// `conversations.from`.
        keys: Vec<String>,
    },
    /// None of these; the name of what it is, if that is known.
    Other(Option<&'static str>),
}

impl Head {
    /// What `start`, the beginning of a file, shows.
    pub(crate) fn of(start: &[u8]) -> Self {
        let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
        let text = start.trim_ascii_start();
        match text {
            [] => return Self::Empty,
            [b'[', rest @ ..] if rest.trim_ascii() == b"]" => return Self::Empty,
            [b'{' | b'[', ..] => {
                let mut walk = Walk::default();
                let end = walk.go(text);
                let first = &text[..end.unwrap_or(text.len())];
                return Self::Json {
                    array: text[0] == b'[',
                    spread: first.contains(&b'\n'),
                    keys: walk.keys,
                };
            }
            _ => {}
        }
        if let Some((_, what)) = MAGIC.iter().find(|(magic, _)| text.starts_with(magic)) {
            return Self::Other(Some(what));
        }
        let line = text.split(|&b| b == b'\n').next().unwrap_or(text);
        // A damaged first line does not make a trace a table.
        let object = text.windows(2).position(|pair| pair == b"\n{");
        if let Some(at) = object
            && !line.contains(&b',')
        {
            return Self::of(&text[at + 1..]);
        }
        let line = line.trim_ascii_end();
        if line.contains(&b'\r') && !line.contains(&b'"') {
            return Self::Other(Some(OLD_MAC));
        }
        match std::str::from_utf8(line) {
            Ok(line) if !line.contains('\0') => Self::Table(names(line)),
            _ => Self::Other(None),
        }
    }

    /// Whether more of the file would not change what [`of`](Self::of) says.
    pub(crate) fn is_enough(start: &[u8]) -> bool {
        let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
        match text.trim_ascii_start() {
            [] => false,
            [b'{' | b'[', ..] => Walk::default().go(text.trim_ascii_start()).is_some(),
            text => text.contains(&b'\n'),
        }
    }

    /// Whether the first object has this key, written as in
    /// [`Json`](Self::Json).
    pub(crate) fn has(&self, path: &str) -> bool {
        matches!(self, Self::Json { keys, .. } if keys.iter().any(|key| key == path))
    }

    /// Whether it is a table with all of these columns.
    pub(crate) fn has_columns(&self, columns: &[&str]) -> bool {
        let Self::Table(header) = self else {
            return false;
        };
        columns.iter().all(|c| header.iter().any(|name| name == c))
    }

    /// What the format was told by.
    pub(crate) fn how(&self) -> &'static str {
        match self {
            Self::Table(_) => "by its header",
            _ => "by its keys",
        }
    }

    /// What was found, for an error message.
    pub(crate) fn describe(&self) -> String {
        let list = |names: &[String]| {
            let shown: Vec<&str> = names.iter().take(12).map(String::as_str).collect();
            let more = if names.len() > shown.len() {
                ", …"
            } else {
                ""
            };
            one_line(&format!("{}{more}", shown.join(", ")))
        };
        match self {
            Self::Empty => "an empty file".to_owned(),
            Self::Table(header) if header.len() == 1 => {
                format!("a first line that is {:?}", list(header))
            }
            Self::Table(header) if header.iter().all(|name| is_datum(name)) => format!(
                "a table without a header, which begins with {}; put the names of the columns there first",
                list(header)
            ),
            Self::Table(header) => format!("a table with the columns {}", list(header)),
            Self::Json { keys, .. } if keys.is_empty() => "JSON without objects".to_owned(),
            Self::Json { keys, .. } => format!("JSON objects with the keys {}", list(keys)),
            Self::Other(Some(what)) => (*what).to_owned(),
            Self::Other(None) => "binary data".to_owned(),
        }
    }
}

/// What a file is whose lines end as they did on old Macs.
const OLD_MAC: &str = "text whose lines end in CR alone (put LF there first, with tr '\\r' '\\n')";

/// Whether a cell can hardly be the name of a column: a number or a date.
fn is_datum(cell: &str) -> bool {
    cell.parse::<f64>().is_ok() || trace_core::date::date(cell).is_some()
}

/// The beginning of foreign text, for a message of one line.
pub(crate) fn one_line(text: &str) -> String {
    let shown = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.chars().take(300).map(shown).collect()
}

/// What a file is that begins so, when it surely holds no requests.
const MAGIC: [(&[u8], &str); 14] = [
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a zip archive (unpack it first)"),
    (b"7z\xbc\xaf", "a 7-Zip archive (unpack it first)"),
    (b"\xfd7zXZ", "xz data (unpack it first, with xz -dc)"),
    (b"BZh91AY", "bzip2 data (unpack it first, with bzip2 -dc)"),
    (b"PAR1", "a Parquet file (export it as CSV or JSONL first)"),
    (b"ARROW1", "an Arrow file (export it as CSV or JSONL first)"),
    (
        b"\xff\xfe",
        "UTF-16 text (convert it first, with iconv -f UTF-16 -t UTF-8)",
    ),
    (
        b"\xfe\xff",
        "UTF-16 text (convert it first, with iconv -f UTF-16 -t UTF-8)",
    ),
    (b"\x80\x04\x95", "a Python pickle"),
    (b"<", "HTML or XML"),
    (
        b"version https://git-lfs",
        "a Git LFS pointer (fetch the file itself with git lfs pull)",
    ),
];

/// The cells of a header line.
fn names(line: &str) -> Vec<String> {
    let cell = |cell: &str| cell.trim().trim_matches('"').to_owned();
    let line = line.trim_end_matches('\r');
    let between = char::from(delimiter(line.as_bytes()));
    line.split(between).map(cell).collect()
}

/// What stands between the cells of a table with this header: a comma, and
/// only where there is none, a tab, a semicolon or a bar.
pub(crate) fn delimiter(header: &[u8]) -> u8 {
    let found = b",\t;|".iter().find(|byte| header.contains(byte));
    found.copied().unwrap_or(b',')
}

/// No format is told by a key that lies deeper.
const DEPTH: usize = 8;

/// Collects the keys of the first object.
#[derive(Default)]
struct Walk {
    keys: Vec<String>,
    /// The key each open bracket was opened under; "" in an array.
    path: Vec<(u8, String)>,
}

impl Walk {
    /// Walk through `text`; where the first object ends, if it does.
    fn go(&mut self, text: &[u8]) -> Option<usize> {
        let mut at = 0;
        let mut key = String::new();
        let outer_array = text.first() == Some(&b'[');
        while at < text.len() {
            match text[at] {
                b'"' => {
                    let end = string_end(text, at)?;
                    let content = &text[at + 1..end];
                    at = end + 1;
                    while text.get(at).is_some_and(u8::is_ascii_whitespace) {
                        at += 1;
                    }
                    if text.get(at) == Some(&b':') {
                        key = String::from_utf8_lossy(content).into_owned();
                        self.note(&key);
                    }
                    continue;
                }
                open @ (b'{' | b'[') => {
                    self.path.push((open, std::mem::take(&mut key)));
                }
                b',' => key.clear(),
                b'}' | b']' => {
                    key.clear();
                    self.path.pop();
                    let outer = usize::from(outer_array);
                    if self.path.len() <= outer {
                        return Some(at);
                    }
                }
                _ => {}
            }
            at += 1;
        }
        None
    }

    fn note(&mut self, key: &str) {
        if self.path.len() > DEPTH {
            return;
        }
        // The outermost bracket and array elements have no name of their own.
        let mut path = String::new();
        for (_, name) in self.path.iter().filter(|(_, name)| !name.is_empty()) {
            path.push_str(name);
            path.push('.');
        }
        path.push_str(key);
        if self.keys.len() < 200 && !self.keys.contains(&path) {
            self.keys.push(path);
        }
    }
}

/// Where the string that opens at `at` closes.
fn string_end(text: &[u8], at: usize) -> Option<usize> {
    let mut from = at + 1;
    loop {
        let found = from + memchr::memchr2(b'"', b'\\', &text[from..])?;
        if text[found] == b'"' {
            return Some(found);
        }
        from = found + 2;
        if from > text.len() {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str) -> Vec<String> {
        match Head::of(text.as_bytes()) {
            Head::Json { keys, .. } => keys,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn keys_are_those_of_the_first_object() {
        assert_eq!(
            keys(
                "[\n {\"id\": \"a\\\"b\", \"conversations\": [{\"from\": \"x\"}, {\"value\":1}]}, {\"z\":1}]"
            ),
            [
                "id",
                "conversations",
                "conversations.from",
                "conversations.value"
            ]
        );
        assert_eq!(keys("{\"a\":1}\n{\"b\":2}"), ["a"]);
        assert_eq!(keys("{\"a\": {\"b\": 2"), ["a", "a.b"]);
    }

    #[test]
    fn deep_objects_are_passed_over() {
        let text = "{\"a\":".repeat(200_000);
        assert_eq!(keys(&text).len(), DEPTH);
    }

    #[test]
    fn a_table_is_known_by_its_header() {
        let head = Head::of(b"\xef\xbb\xbfTIMESTAMP,\"Context Tokens\"\r\n1,2\r\n");
        assert!(head.has_columns(&["Context Tokens", "TIMESTAMP"]));
        assert!(!head.has_columns(&["NumImages"]));
        for between in ["\t", ";", "|"] {
            let head = Head::of(["a b", "c"].join(between).as_bytes());
            assert!(head.has_columns(&["c", "a b"]));
        }
    }

    #[test]
    fn other_files_are_named() {
        assert_eq!(Head::of(b"\x89PNG\r\n"), Head::Other(Some("a PNG image")));
        assert_eq!(Head::of(b" \n"), Head::Empty);
        assert_eq!(Head::of(b"[ ]\n"), Head::Empty);
        assert_eq!(Head::of(b"\0\x01\xfe\n"), Head::Other(None));
        assert_eq!(Head::of(b"a,b\r1,2\r"), Head::Other(Some(OLD_MAC)));
        let data = Head::of(b"2023-11-16 18:17:03,5,1.5\n").describe();
        assert!(data.starts_with("a table without a header"), "{data}");
    }

    #[test]
    fn a_first_line_is_enough_where_lines_are_the_format() {
        assert!(Head::is_enough(b"{\"a\":1}"));
        assert!(!Head::is_enough(b"{\"a\":[1]"));
        assert!(!Head::is_enough(b"[{\"a\":1"));
        assert!(Head::is_enough(b"[{\"a\":1}"));
        assert!(Head::is_enough(b"a,b\n"));
        assert!(!Head::is_enough(b"a,b"));
    }
}
