//! What changes in the lines of one input.
//!
//! The rest of a line goes through byte for byte, and a line in which nothing
//! changes is not looked at again.

use crate::members::Members;
use crate::namespace::Namespace;
use crate::shift::Shift;
use std::ops::Range;
use trace_core::push_string;

/// The changes to the lines of one input.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Edit {
    pub(crate) shift: Shift,
    namespace: Option<Namespace>,
    /// Names of fields that are set on every line, and their values.
    labels: Vec<String>,
    values: Vec<Vec<u8>>,
}

impl Edit {
    /// Move in time and into a namespace.
    pub(crate) fn new(shift: Shift, namespace: Option<Namespace>) -> Self {
        Self {
            shift,
            namespace,
            ..Self::default()
        }
    }

    /// Set the field `name` to the string `value` on every line; the last
    /// value of a name counts.
    pub(crate) fn label(&mut self, name: &str, value: &str) {
        let mut json = Vec::new();
        push_string(&mut json, value);
        match self.labels.iter().position(|label| label == name) {
            Some(at) => self.values[at] = json,
            None => {
                self.labels.push(name.to_owned());
                self.values.push(json);
            }
        }
    }

    /// The names of the fields that are set.
    pub(crate) fn labels(&self) -> &[String] {
        &self.labels
    }

    /// Whether all lines stay as they are.
    pub(crate) fn is_none(&self) -> bool {
        self.shift.is_none() && self.namespace.is_none() && self.labels.is_empty()
    }

    /// Append `line`, changed, to `out`.
    ///
    /// # Errors
    /// A time or an id that cannot be moved; what stands in `out` is then
    /// half a line.
    pub(crate) fn apply(
        &self,
        line: &[u8],
        members: &Members,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        let mut changes = Changes::default();
        if !self.shift.is_none() && members.time.is_some() {
            changes.add(&members.timestamp, Change::Timestamp);
        }
        if !self.shift.keeps_spans() && members.wait.is_some() {
            changes.add(&members.delay, Change::Delay);
        }
        if self.namespace.is_some() {
            changes.add(&members.hash_ids, Change::Ids);
            changes.add(&members.session_id, Change::Session);
        }
        for (at, place) in members.labels.iter().enumerate() {
            changes.add(place, Change::Label(at));
        }
        let mut from = 0;
        for (place, change) in changes.sorted() {
            out.extend_from_slice(&line[from..place.start]);
            self.change(*change, &line[place.clone()], members, out)?;
            from = place.end;
        }
        out.extend_from_slice(&line[from..]);
        if members.labels.iter().any(Range::is_empty) {
            self.append(members, out);
        }
        Ok(())
    }

    fn change(
        &self,
        change: Change,
        value: &[u8],
        members: &Members,
        out: &mut Vec<u8>,
    ) -> Result<(), String> {
        match (change, self.namespace) {
            (Change::Timestamp, _) => {
                let time = members.time.unwrap_or_default();
                self.time(time)?.push_millis(out);
            }
            (Change::Delay, _) => {
                let wait = members.wait.unwrap_or_default();
                self.shift.span(wait).push_millis(out);
            }
            (Change::Ids, Some(space)) => space.push_ids(value, members.plain_ids, out)?,
            (Change::Session, Some(space)) => space.push_session(value, out)?,
            (Change::Label(at), _) => out.extend_from_slice(&self.values[at]),
            (_, None) => out.extend_from_slice(value),
        }
        Ok(())
    }

    /// Where `time` goes.
    ///
    /// # Errors
    /// One line that says why it cannot.
    pub(crate) fn time(&self, time: trace_core::Micros) -> Result<trace_core::Micros, String> {
        let moved = self.shift.time(time);
        moved.ok_or_else(|| {
            format!("timestamp {time} would be moved before 0 or beyond 2^53 ms; see --offset and --speed")
        })
    }

    /// Add the labels whose field the line did not have.
    fn append(&self, members: &Members, out: &mut Vec<u8>) {
        // Behind the brace stands at most a space.
        while let Some(last) = out.pop() {
            if last == b'}' {
                break;
            }
        }
        let all = self.labels.iter().zip(&self.values).zip(&members.labels);
        for ((name, value), _) in all.filter(|(_, place)| place.is_empty()) {
            out.push(b',');
            push_string(out, name);
            out.push(b':');
            out.extend_from_slice(value);
        }
        out.push(b'}');
    }
}

#[derive(Debug, Clone, Copy)]
enum Change {
    Timestamp,
    Delay,
    Ids,
    Session,
    Label(usize),
}

/// The changes to one line, in the order of their places.
#[derive(Default)]
struct Changes {
    all: Vec<(Range<usize>, Change)>,
}

impl Changes {
    /// Change what stands at `place`, if anything does.
    fn add(&mut self, place: &Range<usize>, change: Change) {
        if !place.is_empty() {
            self.all.push((place.clone(), change));
        }
    }

    fn sorted(&mut self) -> &[(Range<usize>, Change)] {
        self.all.sort_unstable_by_key(|(place, _)| place.start);
        &self.all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shift::parse_offset;

    fn applied(edit: &Edit, line: &str) -> Result<String, String> {
        let mut members = Members::default();
        members
            .thorough("t", 1, line.as_bytes(), edit.labels())
            .unwrap();
        let mut out = Vec::new();
        edit.apply(line.as_bytes(), &members, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn only_what_changes_is_spelled_anew() {
        let mut edit = Edit {
            shift: Shift::new(2.0, parse_offset("1s").unwrap()),
            namespace: Namespace::new(1, 2),
            ..Edit::default()
        };
        edit.label("source", "first");
        edit.label("source", "a\"b");
        edit.label("tenant", "x");
        let line = r#"{ "session_id" : "s","x": 1e5, "source":null, "hash_ids": [1,  2], "timestamp": 3 , "delay":5,"input_length": 9 } "#;
        assert_eq!(
            applied(&edit, line).unwrap(),
            r#"{ "session_id" : "1:s","x": 1e5, "source":"a\"b", "hash_ids": [3,5], "timestamp": 1001.5 , "delay":2.5,"input_length": 9 ,"tenant":"x"}"#
        );
    }

    #[test]
    fn a_time_that_cannot_be_moved_is_refused() {
        let edit = Edit {
            shift: Shift::new(1.0, parse_offset("-1s").unwrap()),
            ..Edit::default()
        };
        let error = applied(&edit, r#"{"timestamp":999,"input_length":9}"#).unwrap_err();
        assert!(error.contains("timestamp 999 would be moved"), "{error}");
        let without = r#"{"input_length":9}"#;
        assert_eq!(applied(&edit, without).unwrap(), without);
    }
}
