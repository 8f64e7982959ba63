//! JSON objects one by one, out of an array, one per line, or one after the
//! other: memory is one object, never the file.

use crate::lines::waiting;
use std::io::BufRead;
use std::sync::Arc;
use trace_core::{Error, LineError, MAX_LINE_BYTES};

/// Reads the objects of a file.
///
/// ```text
/// [ {…}, {…} ]          an array
/// {…}⏎{…}⏎              one per line
/// {"data": [ {…}, {…} ]}   an array inside an object, after `inside("data")`
/// ```
pub(crate) struct Elements {
    name: Arc<str>,
    bytes: Box<dyn BufRead + Send>,
    /// Line of the next byte, from 1.
    line: u64,
    /// Line the current element began on.
    began: u64,
    /// The name of the array to look for first, in an enclosing object.
    inside: Option<&'static str>,
    /// Whether the elements stand in an array.
    array: Option<bool>,
    over: bool,
    element: Vec<u8>,
}

impl Elements {
    /// The objects of `bytes`, called `name` in errors.
    pub(crate) fn new(name: &Arc<str>, bytes: Box<dyn BufRead + Send>) -> Self {
        Self {
            name: name.clone(),
            bytes,
            line: 1,
            began: 1,
            inside: None,
            array: None,
            over: false,
            element: Vec::new(),
        }
    }

    /// Look for the array under the key `key` of an enclosing object; what
    /// stands before and after it is passed over.
    pub(crate) fn inside(self, key: &'static str) -> Self {
        Self {
            inside: Some(key),
            ..self
        }
    }

    /// The line the last element began on.
    pub(crate) fn began(&self) -> u64 {
        self.began
    }

    /// The name of the file.
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// An error about the last element.
    pub(crate) fn error(&self, reason: impl Into<String>) -> Error {
        Error::Line(LineError {
            name: self.name.clone(),
            line: self.began,
            column: 1,
            reason: reason.into(),
        })
    }

    /// A serde_json error about the last element, at its own line and column.
    pub(crate) fn json_error(&self, error: &serde_json::Error) -> Error {
        let text = error.to_string();
        let reason = text.split(" at line ").next().unwrap_or(&text).to_owned();
        Error::Line(LineError {
            name: self.name.clone(),
            line: self.began + (error.line() as u64).saturating_sub(1),
            column: error.column().max(1),
            reason,
        })
    }

    /// The bytes of the next object; `None` at the end.
    ///
    /// # Errors
    /// Something other than an object between commas or lines; an object that
    /// does not end; a file that cannot be read on.
    pub(crate) fn next(&mut self) -> Result<Option<&[u8]>, Error> {
        if self.over {
            return Ok(None);
        }
        if let Some(key) = self.inside.take() {
            self.enter(key)?;
        }
        loop {
            let Some(byte) = self.peek()? else {
                self.over = true;
                return match self.array {
                    Some(true) => Err(self.here("the file ends inside an array; is it truncated?")),
                    _ => Ok(None),
                };
            };
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => self.skip(),
                0xef | 0xbb | 0xbf if self.line == 1 && self.array.is_none() => self.skip(),
                b'[' if self.array.is_none() => {
                    self.array = Some(true);
                    self.skip();
                }
                b',' if self.array == Some(true) => self.skip(),
                b']' if self.array == Some(true) => {
                    self.over = true;
                    return Ok(None);
                }
                b'{' => {
                    self.array.get_or_insert(false);
                    self.take()?;
                    return Ok(Some(&self.element));
                }
                _ => {
                    let shown = self.rest_of_line()?;
                    self.began = self.line.saturating_sub(1).max(1);
                    return Err(self.error(format!("expected a JSON object, found {shown:?}")));
                }
            }
        }
    }

    /// Go to the array under `key` of the object that begins here. An array
    /// that stands here itself is as good.
    fn enter(&mut self, key: &'static str) -> Result<(), Error> {
        let mut depth = 0;
        let mut text = Vec::new();
        let mut found = false;
        loop {
            let Some(byte) = self.peek()? else {
                return Err(self.here(format!("there is no array {key:?} in this file")));
            };
            match byte {
                b'[' if depth == 0 => return Ok(()),
                b'[' if depth == 1 && found => {
                    return Ok(());
                }
                b'"' => {
                    text.clear();
                    self.skip();
                    self.string(&mut text)?;
                    continue;
                }
                b':' if depth == 1 => found = text == key.as_bytes(),
                b',' if depth == 1 => found = false,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.skip();
        }
    }

    /// The rest of a string whose opening quote has been read.
    fn string(&mut self, text: &mut Vec<u8>) -> Result<(), Error> {
        loop {
            let Some(byte) = self.peek()? else {
                return Err(self.here("the file ends inside a string; is it truncated?"));
            };
            self.skip();
            match byte {
                b'"' => return Ok(()),
                b'\\' => {
                    text.push(byte);
                    if let Some(next) = self.peek()? {
                        text.push(next);
                        self.skip();
                    }
                }
                _ => text.push(byte),
            }
        }
    }

    /// Take one balanced object into `element`.
    fn take(&mut self) -> Result<(), Error> {
        self.element.clear();
        self.began = self.line;
        let mut nesting = Nesting::default();
        loop {
            let chunk = waiting(&mut self.bytes, &self.name, self.line)?;
            if chunk.is_empty() {
                self.over = true;
                return Err(self.error("the file ends inside this object; is it truncated?"));
            }
            let (used, done) = nesting.go_on(chunk);
            self.line += memchr::memchr_iter(b'\n', &chunk[..used]).count() as u64;
            self.element.extend_from_slice(&chunk[..used]);
            self.bytes.consume(used);
            if done {
                return Ok(());
            }
            if self.element.len() > MAX_LINE_BYTES {
                self.over = true;
                return Err(self.error(format!(
                    "an object longer than {} MiB",
                    MAX_LINE_BYTES >> 20
                )));
            }
        }
    }

    fn peek(&mut self) -> Result<Option<u8>, Error> {
        Ok(waiting(&mut self.bytes, &self.name, self.line)?
            .first()
            .copied())
    }

    /// Go past the byte that was peeked at.
    fn skip(&mut self) {
        if let Ok(chunk) = self.bytes.fill_buf()
            && chunk.first() == Some(&b'\n')
        {
            self.line += 1;
        }
        self.bytes.consume(1);
    }

    /// Go past this line; its beginning.
    fn rest_of_line(&mut self) -> Result<String, Error> {
        let mut shown = Vec::new();
        while let Some(byte) = self.peek()? {
            self.skip();
            if byte == b'\n' {
                break;
            }
            if shown.len() < 40 {
                shown.push(byte);
            }
        }
        Ok(String::from_utf8_lossy(&shown).into_owned())
    }

    fn here(&mut self, reason: impl Into<String>) -> Error {
        self.over = true;
        self.began = self.line;
        self.error(reason)
    }
}

/// Where in an object its bytes have come to.
#[derive(Default)]
struct Nesting {
    depth: u32,
    in_string: bool,
    escaped: bool,
}

impl Nesting {
    /// Go on through `bytes`. Gives how many belong to the object, and whether
    /// it is at its end.
    fn go_on(&mut self, bytes: &[u8]) -> (usize, bool) {
        let mut used = 0;
        while used < bytes.len() {
            if self.in_string && !self.escaped {
                let rest = &bytes[used..];
                used += memchr::memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
                if used == bytes.len() {
                    break;
                }
            }
            let byte = bytes[used];
            used += 1;
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_string => self.escaped = true,
                b'"' => self.in_string = !self.in_string,
                _ if self.in_string => {}
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return (used, true);
                    }
                }
                _ => {}
            }
        }
        (used, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::{BufReader, Cursor};

    fn elements(text: &str, buffer: usize) -> Elements {
        let bytes = BufReader::with_capacity(buffer, Cursor::new(text.as_bytes().to_vec()));
        Elements::new(&"t.json".into(), Box::new(bytes))
    }

    fn all(mut elements: Elements) -> Result<Vec<String>, String> {
        let mut found = Vec::new();
        while let Some(bytes) = elements.next().map_err(|e| e.to_string())? {
            found.push(String::from_utf8(bytes.to_vec()).unwrap());
        }
        Ok(found)
    }

    #[test]
    fn arrays_lines_and_wrapped_arrays_hold_the_same() {
        let two = vec![r#"{"a":"]}\""}"#.to_owned(), r#"{"b":[{}]}"#.to_owned()];
        for buffer in [1, 3, 4096] {
            for text in [
                format!("[{},\n {}\n]\n", two[0], two[1]),
                format!("{}\n\n{}\n", two[0], two[1]),
                format!("\u{feff}{}{}", two[0], two[1]),
            ] {
                assert_eq!(all(elements(&text, buffer)).unwrap(), two, "{text}");
            }
            let wrapped = format!(
                r#"{{"x": {{"data": [1]}}, "y": "data", "data": [{}, {}], "z": 1}}"#,
                two[0], two[1]
            );
            assert_eq!(all(elements(&wrapped, buffer).inside("data")).unwrap(), two);
        }
    }

    #[test]
    fn what_is_no_object_is_told_by_its_line() {
        assert_eq!(
            all(elements("{}\noops\n{}", 64)).unwrap_err(),
            "t.json:2:1: expected a JSON object, found \"oops\""
        );
        assert!(
            all(elements("[{}", 64))
                .unwrap_err()
                .contains("inside an array")
        );
        assert!(
            all(elements("[{\n\"a\":", 64))
                .unwrap_err()
                .starts_with("t.json:1:1: the file ends")
        );
        assert!(
            all(elements("{\"a\":1}", 64).inside("data"))
                .unwrap_err()
                .contains("no array")
        );
        assert_eq!(all(elements("", 64)).unwrap(), Vec::<String>::new());
    }

    proptest! {
        #[test]
        fn every_object_comes_out_as_it_went_in(
            texts in proptest::collection::vec("[a-z\"\\\\{}\\[\\]\n]{0,9}", 0..5),
            buffer in 1_usize..20,
        ) {
            let objects: Vec<String> = texts
                .iter()
                .map(|text| serde_json::json!({"k": text, "l": [text, {}]}).to_string())
                .collect();
            prop_assert_eq!(&all(elements(&objects.join("\n"), buffer)).unwrap(), &objects);
            let array = format!("[{}]", objects.join(" ,\n"));
            prop_assert_eq!(&all(elements(&array, buffer)).unwrap(), &objects);
        }
    }
}
