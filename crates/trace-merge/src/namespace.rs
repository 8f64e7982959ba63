//! Ids and sessions of one input, told apart from those of the others.

use trace_core::{Field, Line, LineError, push_integers, push_string};

/// The largest id that jq and JavaScript can hold.
const LARGEST_ID: u64 = (1 << 53) - 1;

/// The ids of input `input` of `count`: id becomes id · count + input, which
/// no other input can give, and needs no memory of what was seen.
#[derive(Debug, Clone, Copy)]
pub struct Namespace {
    input: u64,
    count: u64,
}

impl Namespace {
    /// The namespace of an input; none is needed when it is the only one.
    pub fn new(input: usize, count: usize) -> Option<Self> {
        (count > 1).then_some(Self {
            input: input as u64,
            count: count as u64,
        })
    }

    /// Move the ids and the session of `line` into the namespace.
    ///
    /// # Errors
    /// An id that would become larger than 2^53.
    pub fn apply(self, line: &mut Line) -> Result<(), LineError> {
        if let Some(ids) = &line.request.hash_ids {
            let moved: Option<Vec<u64>> = ids.iter().map(|&id| self.moved(id)).collect();
            let moved = moved.ok_or_else(|| {
                line.error(1, "a hash id is too large to be kept apart from other inputs; renumber the ids first, or say --shared-ids")
            })?;
            let mut json = Vec::new();
            push_integers(&mut json, &moved);
            line.set(Field::HashIds, &json)?;
        }
        if let Some(session) = &line.request.session_id {
            let mut json = Vec::new();
            push_string(&mut json, &format!("{}:{session}", self.input));
            line.set(Field::SessionId, &json)?;
        }
        Ok(())
    }

    fn moved(self, id: u64) -> Option<u64> {
        let moved = id.checked_mul(self.count)?.checked_add(self.input)?;
        (moved <= LARGEST_ID).then_some(moved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn apply(input: usize, count: usize, text: &str) -> Result<String, String> {
        let mut line = Line::parse("t", text).unwrap();
        let space = Namespace::new(input, count).unwrap();
        space.apply(&mut line).map_err(|error| error.to_string())?;
        Ok(String::from_utf8(line.bytes().to_vec()).unwrap())
    }

    #[test]
    fn ids_and_sessions_are_told_apart() {
        let text = r#"{"input_length": 9, "hash_ids": [0, 4], "session_id": 7}"#;
        assert_eq!(
            apply(1, 2, text).unwrap(),
            r#"{"input_length": 9, "hash_ids": [1,9], "session_id": "1:7"}"#
        );
    }

    #[test]
    fn an_id_beyond_what_jq_can_hold_is_refused() {
        let text = r#"{"input_length":9,"hash_ids":[4503599627370496]}"#;
        assert!(apply(1, 2, text).unwrap_err().contains("too large"));
    }

    proptest! {
        #[test]
        fn two_inputs_never_share_an_id(a in 0..1_000_u64, b in 0..1_000_u64, count in 2..50_usize) {
            let (first, last) = (Namespace::new(0, count).unwrap(), Namespace::new(count - 1, count).unwrap());
            prop_assert_ne!(first.moved(a), last.moved(b));
            prop_assert_eq!(first.moved(a) == first.moved(b), a == b);
        }
    }
}
