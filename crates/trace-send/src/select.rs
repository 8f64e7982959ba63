//! Which requests of an input are this run's.

use crate::order::{Place, place};
use std::collections::HashSet;
use trace_core::seed::fnv1a;
use trace_core::{Error, ErrorKind, Line, Reader, SessionId};

/// One of several runs that share an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Which one, from 0.
    pub index: u64,
    /// Of how many.
    pub count: u64,
}

impl std::str::FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shard = text.split_once('/').and_then(|(index, count)| {
            let (index, count) = (index.parse().ok()?, count.parse().ok()?);
            (index < count).then_some(Self { index, count })
        });
        shard.ok_or_else(|| format!("{text:?} is no I/N with I from 0 to N − 1"))
    }
}

impl Shard {
    /// Whether the line with index `seq` is this shard's. The turns of a
    /// session are all the same shard's.
    pub fn has(self, session: Option<&SessionId>, seq: u64) -> bool {
        let number = match session {
            Some(SessionId::Number(number)) => spread(*number as u64),
            Some(SessionId::Text(text)) => spread(fnv1a(text)),
            None => seq,
        };
        number % self.count == self.index
    }
}

/// The same number on every machine and in every version, of which each bit
/// depends on each bit of `id`: ids that differ only here or there are spread
/// over any count of shards (the finalizer of MurmurHash3).
fn spread(mut id: u64) -> u64 {
    for factor in [0xff51_afd7_ed55_8ccd, 0xc4ce_b9fe_1a85_ec53] {
        id = (id ^ (id >> 33)).wrapping_mul(factor);
    }
    id ^ (id >> 33)
}

/// What earlier runs have done.
#[derive(Debug, Default)]
pub(crate) struct Done(HashSet<Place>);

impl Done {
    /// The requests that have an outcome in `outcomes` which is the server's:
    /// not those that were cancelled or never tried. A last line that broke
    /// off is none.
    ///
    /// # Errors
    /// As the reader has them.
    pub(crate) fn read(outcomes: &mut Reader<'_>) -> Result<Self, Error> {
        let mut done = HashSet::new();
        for line in outcomes {
            let line = line?;
            let Some(outcome) = line.outcome()? else {
                continue;
            };
            let unserved = |kind: ErrorKind| kind.is_unserved();
            if !outcome.error.is_some_and(|failure| unserved(failure.kind)) {
                done.insert(place(&line)?);
            }
        }
        Ok(Self(done))
    }

    /// Whether that one is done.
    pub(crate) fn has(&self, place: &Place) -> bool {
        self.0.contains(place)
    }

    /// How many are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// What is left of an input.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    /// One shard of it.
    pub shard: Option<Shard>,
    /// Without what is done.
    pub done: Done,
}

impl Selection {
    /// Whether `line` with this identity is to be sent.
    pub(crate) fn has(&self, line: &Line, identity: &Place, seq: u64) -> bool {
        let session = line.request.session_id.as_ref();
        self.shard.is_none_or(|shard| shard.has(session, seq)) && !self.done.has(identity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_one_shards_and_turns_stay_together() {
        let shards: Vec<Shard> = ["0/3", "1/3", "2/3"].map(|s| s.parse().unwrap()).into();
        for seq in 0..50_u64 {
            let session = SessionId::Text(format!("s{}", seq % 7));
            for session in [None, Some(&session)] {
                let owners = shards.iter().filter(|shard| shard.has(session, seq));
                assert_eq!(owners.count(), 1);
            }
            let owner = |seq| {
                shards
                    .iter()
                    .position(|shard| shard.has(Some(&session), seq))
            };
            assert_eq!(owner(seq), owner(seq + 1));
        }
        for text in ["3/3", "1", "a/2", "0/0", "-1/2"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }

    #[test]
    fn ids_of_any_kind_are_spread_over_any_count_of_shards() {
        type Id = fn(i64) -> SessionId;
        let kinds: [Id; 4] = [
            |n| SessionId::Number(n),
            |n| SessionId::Number(2 * n),
            |n| SessionId::Number(n << 32),
            |n| SessionId::Text(format!("{:04}", 2 * n)),
        ];
        for id in kinds {
            for count in [2, 3, 4, 8] {
                let mut sessions = vec![0_u64; count as usize];
                for session in (0..1_000).map(id) {
                    let of = |index| Shard { index, count }.has(Some(&session), 0);
                    sessions[(0..count).position(of).unwrap()] += 1;
                }
                // Six standard deviations of a fair draw.
                let (mean, share) = (1_000.0 / count as f64, 1.0 / count as f64);
                let bound = 6.0 * (1_000.0 * share * (1.0 - share)).sqrt();
                let fair = |n: &u64| (*n as f64 - mean).abs() < bound;
                assert!(sessions.iter().all(fair), "{sessions:?}");
            }
        }
    }

    #[test]
    fn what_was_cancelled_is_not_done() {
        let text = "{\"input_length\":1,\"seq\":0,\"status\":200}\n{\"input_length\":1,\"seq\":1,\"error\":{\"kind\":\"cancelled\",\"message\":\"\"}}\n{\"input_length\":1,\"seq\":2,\"error\":{\"kind\":\"http\",\"message\":\"\"}}\n";
        let done = Done::read(&mut Reader::new("t", text.as_bytes())).unwrap();
        let has = |seq| done.has(&(None, None, None, Some(seq)));
        assert_eq!([has(0), has(1), has(2)], [true, false, true]);
    }
}
