//! Python's pickles, of plain data alone.
//!
//! A pickle is a program for a stack machine, and some of its instructions
//! import and call whatever they name. This machine has none of those: it
//! knows only the instructions by which Python writes dicts, lists, tuples,
//! strings, numbers, booleans and None, in all protocols from 0 to 5, and
//! stops with the place of anything else. Values live in a table and refer to
//! each other by index, as the memo of a pickle wants, so that shared values
//! cost nothing and a list that holds itself does no harm; memory is bounded
//! by a small multiple of the input.

use std::fmt;

/// The values of a pickle.
#[derive(Clone, Debug, PartialEq)]
pub struct Pickle {
    values: Vec<Value>,
    root: Index,
}

/// Where a value stands in the table.
pub type Index = usize;

/// A plain value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `None`
    None,
    /// `True` or `False`
    Bool(bool),
    /// An `int` of at most 64 bits.
    Int(i64),
    /// A `float`.
    Float(f64),
    /// A `str`.
    Text(String),
    /// A `list`.
    List(Vec<Index>),
    /// A `tuple`.
    Tuple(Vec<Index>),
    /// A `dict`, in the order in which it was filled.
    Dict(Vec<(Index, Index)>),
}

/// Why and where a pickle was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Bytes before the instruction that was refused.
    pub at: usize,
    /// Why.
    pub reason: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}: {}", self.at, self.reason)
    }
}

impl Pickle {
    /// Whether `bytes` begin as a pickle does, whatever comes after.
    ///
    /// Protocol 2 and later have a header; before that, Python writes a dict
    /// as `(d` or `}`, neither of which begins JSON.
    pub fn is_likely(bytes: &[u8]) -> bool {
        matches!(bytes, [0x80, 0..=5, ..] | [b'(', ..] | [b'}', ..])
    }

    /// The values that `bytes` describe.
    ///
    /// # Errors
    /// Anything but plain data, wherever it stands, and a pickle that ends
    /// early or makes no sense.
    pub fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        let mut machine = Machine {
            bytes,
            at: 0,
            values: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: Vec::new(),
        };
        loop {
            let at = machine.at;
            match machine.step() {
                Ok(None) => {}
                Ok(Some(root)) => {
                    let values = machine.values;
                    return Ok(Self { values, root });
                }
                Err(reason) => return Err(Refusal { at, reason }),
            }
        }
    }

    /// The value that the whole pickle stands for.
    pub fn root(&self) -> &Value {
        &self.values[self.root]
    }

    /// The value at `index`, which came from a value of this pickle.
    pub fn at(&self, index: Index) -> &Value {
        &self.values[index]
    }

    /// What `dict` has under the text `key`; the last one, as in Python.
    pub fn get<'a>(&'a self, dict: &Value, key: &str) -> Option<&'a Value> {
        let Value::Dict(entries) = dict else {
            return None;
        };
        let is_key = |index: Index| matches!(self.at(index), Value::Text(text) if text == key);
        let entry = entries.iter().rev().find(|(name, _)| is_key(*name))?;
        Some(self.at(entry.1))
    }
}

impl Value {
    /// The number, if it is one; `True` and `False` are none here.
    pub fn number(&self) -> Option<f64> {
        match *self {
            Self::Int(number) => Some(number as f64),
            Self::Float(number) => Some(number),
            _ => None,
        }
    }
}

type Step<T> = Result<T, String>;

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    values: Vec<Value>,
    stack: Vec<Index>,
    /// Heights of the stack.
    marks: Vec<usize>,
    /// By the number that the pickle gives. Python numbers from 0 without
    /// gaps, so a larger number than there are values is a mistake or malice.
    memo: Vec<Option<Index>>,
}

impl<'a> Machine<'a> {
    /// Do one instruction; the value of the pickle when it ends.
    fn step(&mut self) -> Step<Option<Index>> {
        let code = self.take(1)?[0];
        match code {
            b'.' => return self.pop().map(Some),
            // PROTO: what follows tells itself, so the number says little
            0x80 => match self.take(1)?[0] {
                0..=5 => {}
                other => return Err(format!("protocol {other} is not known; 0 to 5 are")),
            },
            // FRAME: only how much to read at once
            0x95 => {
                self.take(8)?;
            }
            b'(' => self.marks.push(self.stack.len()),
            b'N' => self.push(Value::None),
            0x88 => self.push(Value::Bool(true)),
            0x89 => self.push(Value::Bool(false)),
            b'I' | b'L' | b'F' | b'S' | b'V' => self.line_value(code)?,
            b'J' | b'K' | b'M' | 0x8a | 0x8b | b'G' => self.number(code)?,
            b'X' | 0x8c | 0x8d | b'T' | b'U' => self.text(code)?,
            b'}' => self.push(Value::Dict(Vec::new())),
            b']' => self.push(Value::List(Vec::new())),
            b')' => self.push(Value::Tuple(Vec::new())),
            b'd' | b'l' | b't' | 0x85..=0x87 => self.collect(code)?,
            b'a' | b'e' => self.append(code)?,
            b's' | b'u' => self.set(code)?,
            b'p' | b'q' | b'r' | 0x94 => self.put(code)?,
            b'g' | b'h' | b'j' => self.get(code)?,
            b'0' => {
                self.pop()?;
            }
            b'1' => {
                self.above_mark()?;
            }
            b'2' => {
                let top = self.pop()?;
                self.stack.extend([top, top]);
            }
            _ => return Err(self.refused(code)),
        }
        Ok(None)
    }

    /// What an instruction that is not for plain data would do.
    fn refused(&self, code: u8) -> String {
        let what = match code {
            b'c' => {
                let names = self.bytes[self.at..].split(|&byte| byte == b'\n').take(2);
                let names: Vec<_> = names.map(|name| name.escape_ascii().to_string()).collect();
                return import("GLOBAL", &names.join("."));
            }
            b'i' => "INST would import and call",
            b'R' => "REDUCE would call a function",
            b'b' => "BUILD would change an object",
            b'o' | 0x81 | 0x92 => "OBJ would make an object",
            0x93 => return self.refused_import(),
            0x82..=0x84 => "EXT would import",
            b'P' | b'Q' => "PERSID would ask another program",
            b'B' | b'C' | 0x8e | 0x96 => "bytes are not part of a drawn curve",
            0x8f..=0x91 => "sets are not part of a drawn curve",
            _ => return format!("{code:#04x} is no instruction of a pickle"),
        };
        format!("{what}; only plain data is read")
    }

    /// As [`refused`](Self::refused), for a name that lies on the stack.
    fn refused_import(&self) -> String {
        let top = &self.stack[self.stack.len().saturating_sub(2)..];
        let names = top.iter().map(|&index| match &self.values[index] {
            Value::Text(name) => name.escape_default().to_string(),
            _ => "?".to_owned(),
        });
        import("STACK_GLOBAL", &names.collect::<Vec<_>>().join("."))
    }

    fn take(&mut self, count: usize) -> Step<&'a [u8]> {
        let end = self.at.checked_add(count);
        let taken = end.and_then(|end| self.bytes.get(self.at..end));
        let taken = taken.ok_or("the pickle ends too early")?;
        self.at += count;
        Ok(taken)
    }

    /// Bytes up to the end of the line, which is gone past.
    fn line(&mut self) -> Step<&'a [u8]> {
        let rest = &self.bytes[self.at..];
        let end = memchr::memchr(b'\n', rest).ok_or("the pickle ends too early")?;
        self.at += end + 1;
        Ok(&rest[..end])
    }

    fn length(&mut self, bytes: usize) -> Step<usize> {
        let taken = self.take(bytes)?;
        let number = taken
            .iter()
            .rev()
            .fold(0_u64, |n, &b| n << 8 | u64::from(b));
        usize::try_from(number).map_err(|_| "the pickle ends too early".to_owned())
    }

    fn push(&mut self, value: Value) {
        self.values.push(value);
        self.stack.push(self.values.len() - 1);
    }

    fn pop(&mut self) -> Step<Index> {
        let floor = self.marks.last().copied().unwrap_or(0);
        match self.stack.pop() {
            Some(top) if self.stack.len() >= floor => Ok(top),
            _ => Err("the stack is empty".to_owned()),
        }
    }

    fn above_mark(&mut self) -> Step<Vec<Index>> {
        let mark = self.marks.pop().ok_or("there is no mark on the stack")?;
        Ok(self.stack.split_off(mark))
    }

    fn top(&mut self) -> Step<&mut Value> {
        let top = self.stack.last().ok_or("the stack is empty")?;
        Ok(&mut self.values[*top])
    }

    /// Protocol 0: numbers and strings as lines of text.
    fn line_value(&mut self, code: u8) -> Step<()> {
        let line = self.line()?;
        let shown = || line.escape_ascii().to_string();
        let text = std::str::from_utf8(line).unwrap_or("");
        let value = match code {
            b'I' if line == b"00" => Value::Bool(false),
            b'I' if line == b"01" => Value::Bool(true),
            b'I' | b'L' => {
                let digits = text.strip_suffix('L').unwrap_or(text);
                let number = digits.parse();
                Value::Int(number.map_err(|_| format!("{:?} is no int of 64 bits", shown()))?)
            }
            b'F' => {
                let number = text.trim().parse();
                Value::Float(number.map_err(|_| format!("{:?} is no float", shown()))?)
            }
            b'V' => Value::Text(raw_unicode(line)?),
            _ => Value::Text(quoted(line).ok_or_else(|| format!("{} is no string", shown()))?),
        };
        self.push(value);
        Ok(())
    }

    /// Numbers as bytes.
    fn number(&mut self, code: u8) -> Step<()> {
        let value = match code {
            b'J' => Value::Int(self.length(4)? as u32 as i32 as i64),
            b'K' => Value::Int(self.length(1)? as i64),
            b'M' => Value::Int(self.length(2)? as i64),
            b'G' => {
                let bytes = self.take(8)?.try_into().map_err(|_| "no float")?;
                Value::Float(f64::from_be_bytes(bytes))
            }
            _ => {
                let length = self.length(if code == 0x8a { 1 } else { 4 })?;
                Value::Int(signed(self.take(length)?)?)
            }
        };
        self.push(value);
        Ok(())
    }

    fn text(&mut self, code: u8) -> Step<()> {
        let length = self.length(match code {
            0x8c | b'U' => 1,
            0x8d => 8,
            _ => 4,
        })?;
        let bytes = self.take(length)?;
        let text = std::str::from_utf8(bytes).map_err(|_| "a string is not UTF-8")?;
        self.push(Value::Text(text.to_owned()));
        Ok(())
    }

    /// A collection of what lies on the stack.
    fn collect(&mut self, code: u8) -> Step<()> {
        let items = match code {
            0x85..=0x87 => {
                let count = usize::from(code - 0x84);
                let floor = self.marks.last().copied().unwrap_or(0);
                let start = self.stack.len().checked_sub(count);
                let start = start.filter(|&start| start >= floor);
                self.stack.split_off(start.ok_or("the stack is empty")?)
            }
            _ => self.above_mark()?,
        };
        let value = match code {
            b'd' => Value::Dict(pairs(&items)?),
            b'l' => Value::List(items),
            _ => Value::Tuple(items),
        };
        self.push(value);
        Ok(())
    }

    fn append(&mut self, code: u8) -> Step<()> {
        let items = if code == b'a' {
            vec![self.pop()?]
        } else {
            self.above_mark()?
        };
        match self.top()? {
            Value::List(list) => list.extend(items),
            _ => return Err("only lists can be appended to".to_owned()),
        }
        Ok(())
    }

    fn set(&mut self, code: u8) -> Step<()> {
        let items = if code == b's' {
            let value = self.pop()?;
            vec![self.pop()?, value]
        } else {
            self.above_mark()?
        };
        let new = pairs(&items)?;
        match self.top()? {
            Value::Dict(entries) => entries.extend(new),
            _ => return Err("only dicts have entries".to_owned()),
        }
        Ok(())
    }

    /// Remember the top of the stack.
    fn put(&mut self, code: u8) -> Step<()> {
        let at = match code {
            b'p' => self.memo_number()?,
            b'q' => self.length(1)?,
            b'r' => self.length(4)?,
            _ => self.memo.len(),
        };
        // Every value is remembered at most once by what Python writes.
        if at > self.values.len() {
            return Err(format!("{at} is too high a number to remember by"));
        }
        if self.memo.len() <= at {
            self.memo.resize(at + 1, None);
        }
        self.memo[at] = Some(*self.stack.last().ok_or("the stack is empty")?);
        Ok(())
    }

    fn get(&mut self, code: u8) -> Step<()> {
        let at = match code {
            b'g' => self.memo_number()?,
            b'h' => self.length(1)?,
            _ => self.length(4)?,
        };
        let found = self.memo.get(at).copied().flatten();
        let found = found.ok_or_else(|| format!("nothing is remembered by {at}"))?;
        self.stack.push(found);
        Ok(())
    }

    fn memo_number(&mut self) -> Step<usize> {
        let line = self.line()?;
        let number = std::str::from_utf8(line)
            .ok()
            .and_then(|text| text.parse().ok());
        number.ok_or_else(|| format!("{:?} is no number", line.escape_ascii().to_string()))
    }
}

fn import(instruction: &str, name: &str) -> String {
    let name: String = name.chars().take(60).collect();
    format!("{instruction} would import {name}; only plain data is read")
}

/// Keys and values in turn.
fn pairs(items: &[Index]) -> Step<Vec<(Index, Index)>> {
    let (pairs, rest) = items.as_chunks::<2>();
    if !rest.is_empty() {
        return Err("a key has no value".to_owned());
    }
    Ok(pairs.iter().map(|&[key, value]| (key, value)).collect())
}

/// A little-endian integer in two's complement.
fn signed(bytes: &[u8]) -> Step<i64> {
    let Some(last) = bytes.last() else {
        return Ok(0);
    };
    let fill = if last & 0x80 == 0 { 0 } else { 0xff };
    if bytes.len() > 8 {
        return Err("an int has more than 64 bits".to_owned());
    }
    let mut word = [fill; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    Ok(i64::from_le_bytes(word))
}

/// Python's raw-unicode-escape: Latin-1, and `\uXXXX` or `\UXXXXXXXX`.
fn raw_unicode(line: &[u8]) -> Step<String> {
    let mut text = String::new();
    let mut at = 0;
    while let Some(&byte) = line.get(at) {
        let digits = match line.get(at..at + 2) {
            Some(b"\\u") => 4,
            Some(b"\\U") => 8,
            _ => {
                text.push(char::from(byte));
                at += 1;
                continue;
            }
        };
        let hex = line.get(at + 2..at + 2 + digits);
        let hex = hex.and_then(|hex| std::str::from_utf8(hex).ok());
        let code = hex.and_then(|hex| u32::from_str_radix(hex, 16).ok());
        let found = code.and_then(char::from_u32);
        text.push(found.ok_or("a string has a \\u that is no character")?);
        at += 2 + digits;
    }
    Ok(text)
}

/// A Python 2 string in quotes, with the escapes of its `repr`.
fn quoted(line: &[u8]) -> Option<String> {
    let inner = match line {
        [b'\'', inner @ .., b'\''] | [b'"', inner @ .., b'"'] => inner,
        _ => return None,
    };
    let mut bytes = Vec::new();
    let mut rest = inner.iter();
    while let Some(&byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next()? {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'x' => {
                let hex = [*rest.next()?, *rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&hex).ok()?, 16).ok()?
            }
            same @ (b'\\' | b'\'' | b'"') => *same,
            _ => return None,
        });
    }
    String::from_utf8(bytes).ok()
}
