//! More of the same load: every request several times, with blocks and
//! sessions of its own each time.

use crate::record::Record;
use trace_core::{Field, LineError, SessionId};

/// What a copy is made of.
pub(crate) struct Copies {
    number: u64,
    ids: Option<Vec<u64>>,
    session: Option<SessionId>,
}

impl Copies {
    /// `number` copies of `record`.
    pub(crate) fn of(record: &Record, number: u64) -> Self {
        Self {
            number,
            ids: record.request().hash_ids.clone(),
            session: record.request().session_id.clone(),
        }
    }

    /// Make `record` the copy numbered `copy`: ids are `id · number + copy`,
    /// sessions `copy:id`.
    ///
    /// # Errors
    /// An id beyond what JSON numbers hold.
    pub(crate) fn make(&self, copy: u64, record: &mut Record) -> Result<(), LineError> {
        if let Some(ids) = &self.ids {
            let id = |id: &u64| {
                let moved = id.checked_mul(self.number)?.checked_add(copy)?;
                (moved < 1 << 53).then_some(moved)
            };
            let ids: Option<Vec<u64>> = ids.iter().map(id).collect();
            let ids = ids.ok_or_else(|| record.error(super::TOO_LARGE))?;
            record.change(Field::HashIds).hash_ids = Some(ids);
        }
        if let Some(session) = &self.session {
            let session = SessionId::Text(format!("{copy}:{session}"));
            record.change(Field::SessionId).session_id = Some(session);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::tests::convert_with;

    #[test]
    fn copies_share_nothing_with_each_other() {
        let trace = "{\"timestamp\":1,\"input_length\":600,\"hash_ids\":[0,1],\"session_id\":7}\n{\"input_length\":1}\n";
        let (out, _, report) = convert_with("--repeat 2", trace);
        let expected = "{\"timestamp\":1,\"input_length\":600,\"hash_ids\":[0,2],\"session_id\":\"0:7\"}\n{\"timestamp\":1,\"input_length\":600,\"hash_ids\":[1,3],\"session_id\":\"1:7\"}\n{\"input_length\":1}\n{\"input_length\":1}\n";
        assert_eq!(out, expected);
        assert_eq!((report.read, report.written, report.copies), (2, 4, 2));
    }
}
