//! A foreign cell or member that becomes a field of ours.

use crate::json::Members;
use crate::record::Record;
use serde_json::value::RawValue;
use trace_core::{Field, LineError, Micros, SessionId};

/// A value on its way to a field: what it is called, and its JSON.
pub(crate) struct Cell<'a> {
    /// The column or key, for messages.
    pub(crate) name: &'a str,
    pub(crate) raw: &'a [u8],
}

impl Cell<'_> {
    /// Set `field` of `record`; a length may be a number in a string. A
    /// timestamp goes to `time` as it is spelled, since its unit may not be
    /// known yet.
    ///
    /// # Errors
    /// A value the field cannot hold.
    pub(crate) fn set(
        &self,
        field: Field,
        record: &mut Record,
        time: &mut Option<String>,
    ) -> Result<(), LineError> {
        let wrong = |expected: &str, record: &Record| {
            let shown: String = String::from_utf8_lossy(self.raw).chars().take(40).collect();
            record.error(format!("{}: {shown}, expected {expected}", self.name))
        };
        self.put(field, record, time)
            .map_err(|expected| wrong(expected, record))
    }

    /// The same; of a value the field cannot hold, what was expected.
    fn put(
        &self,
        field: Field,
        record: &mut Record,
        time: &mut Option<String>,
    ) -> Result<(), &'static str> {
        match field {
            Field::Timestamp => *time = Some(self.plain()?),
            Field::InputLength => record.change(field).input_length = Some(self.whole()?),
            Field::OutputLength => record.change(field).output_length = Some(self.whole()?),
            Field::Delay => record.change(field).delay = Some(self.millis()?),
            Field::HashIds => record.change(field).hash_ids = Some(self.ids()?),
            Field::SessionId => record.change(field).session_id = Some(self.session()?),
            Field::Model => record.set_model(&self.plain()?),
            Field::TextInput => return self.put_prompt(record),
            // Logs that keep no prompts have something empty there.
            Field::Messages if matches!(self.raw, b"{}" | b"[]" | b"\"\"") => {}
            Field::Messages => record.change(field).messages = Some(self.messages()?),
            Field::Payload => record.change(field).payload = Some(self.object()?),
            Field::Extra => record.change(field).extra = Some(self.object()?),
            _ => record.add(self.name, self.raw),
        }
        Ok(())
    }

    /// A prompt: a text, or messages.
    fn put_prompt(&self, record: &mut Record) -> Result<(), &'static str> {
        if let Ok(messages) = self.messages() {
            record.change(Field::Messages).messages = Some(messages);
            return Ok(());
        }
        let text =
            serde_json::from_slice(self.raw).map_err(|_| "a text or an array of messages")?;
        record.change(Field::TextInput).text_input = Some(text);
        Ok(())
    }

    /// A text's content, or a number or a word as it is written.
    fn plain(&self) -> Result<String, &'static str> {
        if let Ok(text) = serde_json::from_slice::<String>(self.raw) {
            return Ok(text);
        }
        if matches!(self.raw.first(), Some(b'{' | b'[')) {
            return Err("a text or a number");
        }
        Ok(String::from_utf8_lossy(self.raw).into_owned())
    }

    fn number(&self) -> Option<f64> {
        self.plain().ok()?.trim().parse().ok()
    }

    /// A number of tokens, be it as text.
    ///
    /// # Errors
    /// What was expected.
    pub(crate) fn whole(&self) -> Result<u64, &'static str> {
        let whole = |n: &f64| n.fract() == 0.0 && (0.0..9e15).contains(n);
        let number = self.number().filter(whole);
        number.map(|n| n as u64).ok_or("a whole number, 0 or more")
    }

    fn millis(&self) -> Result<Micros, &'static str> {
        let millis = self.number().and_then(Micros::from_millis);
        millis.ok_or("milliseconds, 0 or more")
    }

    fn ids(&self) -> Result<Vec<u64>, &'static str> {
        serde_json::from_slice(self.raw).map_err(|_| "an array of integers")
    }

    fn session(&self) -> Result<SessionId, &'static str> {
        let number = std::str::from_utf8(self.raw).ok();
        match number.and_then(|text| text.parse().ok()) {
            Some(number) => Ok(SessionId::Number(number)),
            None => self.plain().map(SessionId::Text),
        }
    }

    fn messages(&self) -> Result<Box<RawValue>, &'static str> {
        let expected = "an array of messages";
        let all: Vec<Members<'_>> = serde_json::from_slice(self.raw).map_err(|_| expected)?;
        let speak = all.iter().all(|message| message.get("role").is_some());
        let messages = serde_json::from_slice(self.raw).ok();
        messages.filter(|_| speak).ok_or(expected)
    }

    fn object(&self) -> Result<Box<RawValue>, &'static str> {
        let object = self.raw.first() == Some(&b'{');
        let value = serde_json::from_slice(self.raw).ok();
        value.filter(|_| object).ok_or("an object")
    }
}
