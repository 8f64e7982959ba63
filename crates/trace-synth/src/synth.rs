//! The trace itself: arrivals × lengths × prefixes → requests.

use trace_core::{Request, blocks_of};

use crate::arrival::Arrivals;
use crate::length::Lengths;
use crate::prefix::Prefixes;
use crate::requests::{Requests, Row};

/// A trace in the making, one request at a time.
///
/// The parts don't know of each other: any arrival process goes with any
/// lengths and any prefixes. See [`Requests`] for what to do with it.
pub struct Synth {
    /// When.
    pub arrivals: Arrivals,
    /// How long.
    pub lengths: Box<dyn Lengths + Send>,
    /// What is shared; nothing leaves `hash_ids` out.
    pub prefixes: Option<Box<dyn Prefixes + Send>>,
    /// Tokens per block, at least 1.
    pub block_size: u64,
    /// The model every request asks for.
    pub model: Option<String>,
    /// Members that every line gets beside the fields of the format; see
    /// [`Row::members`].
    pub members: Vec<u8>,
}

impl Requests for Synth {
    fn fill(&mut self, row: &mut Row) -> bool {
        // Not `!=`: to compare nothing with nothing, glibc's memcmp on a machine
        // with AVX-512 reads address 1 under an empty mask, which the CPU
        // takes 100 ns to ignore; it was a fifth of all time.
        row.members.clear();
        row.members.extend_from_slice(&self.members);
        row.request.session_id = None;
        row.request.delay = None;
        row.request.text_input = None;
        self.fill_request(&mut row.request)
    }
}

impl Synth {
    fn fill_request(&mut self, request: &mut Request) -> bool {
        let Some(arrival) = self.arrivals.next() else {
            return false;
        };
        let (input, output) = self.lengths.draw(arrival.seconds);
        request.timestamp = Some(arrival.timestamp);
        request.input_length = Some(input);
        request.output_length = Some(output);
        match &mut self.prefixes {
            Some(prefixes) => {
                let ids = request.hash_ids.get_or_insert_default();
                prefixes.draw(blocks_of(input, self.block_size), ids);
            }
            None => request.hash_ids = None,
        }
        if request.model != self.model {
            request.model.clone_from(&self.model);
        }
        true
    }
}
