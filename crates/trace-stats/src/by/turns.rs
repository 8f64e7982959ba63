//! Which turn of its session a line is.

use hashbrown::HashMap;
use trace_core::Line;

/// What tells two sends of one session apart.
const LABELS: [&str; 4] = ["source", "stage", "concurrency", "round"];

/// Counts the lines of each session: an entry per session, and per round of a
/// sweep.
#[derive(Debug, Default)]
pub(super) struct Turns {
    counts: HashMap<Vec<u8>, u64, foldhash::fast::FixedState>,
    key: Vec<u8>,
}

impl Turns {
    /// The number of `line` in its session, from 1; none without a session.
    /// Turns of a session end one after the other, so outcomes are in order.
    pub(super) fn next(&mut self, line: &Line) -> Option<u64> {
        line.request.session_id.as_ref()?;
        self.key.clear();
        for label in LABELS.into_iter().chain(["session_id"]) {
            self.key
                .extend_from_slice(line.raw(label).unwrap_or_default());
            self.key.push(b'\n');
        }
        if let Some(count) = self.counts.get_mut(&self.key) {
            *count += 1;
            return Some(*count);
        }
        self.counts.insert(self.key.clone(), 1);
        Some(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_counted_per_session_and_round() {
        let mut turns = Turns::default();
        let mut next = |text: &str| turns.next(&Line::parse("t", text).unwrap());
        assert_eq!(next(r#"{"input_length":1,"session_id":"a"}"#), Some(1));
        assert_eq!(next(r#"{"input_length":1,"session_id":"b"}"#), Some(1));
        assert_eq!(next(r#"{"input_length":1,"session_id":"a"}"#), Some(2));
        assert_eq!(next(r#"{"input_length":1}"#), None);
        let second = r#"{"input_length":1,"session_id":"a","round":2}"#;
        assert_eq!(next(second), Some(1));
    }
}
