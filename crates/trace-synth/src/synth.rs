//! The trace itself: arrivals × lengths × prefixes → requests.

use trace_core::{Request, blocks_of};

use crate::arrival::Arrivals;
use crate::length::Lengths;
use crate::prefix::Prefixes;

/// A trace in the making, one request at a time.
///
/// The parts don't know of each other: any arrival process goes with any
/// lengths and any prefixes. An iterator of [`Request`]s, and for tight loops
/// [`fill`](Self::fill), which reuses one request's memory.
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
}

impl Synth {
    /// Turn `request` into the next one of the trace; false at its end.
    ///
    /// `request` should be a default one or from an earlier call: only what
    /// this trace sets is overwritten.
    pub fn fill(&mut self, request: &mut Request) -> bool {
        let Some(arrival) = self.arrivals.next() else {
            return false;
        };
        let (input, output) = self.lengths.draw(arrival.seconds);
        request.timestamp = Some(arrival.timestamp);
        request.input_length = Some(input);
        request.output_length = Some(output);
        if let Some(prefixes) = &mut self.prefixes {
            let ids = request.hash_ids.get_or_insert_default();
            prefixes.draw(blocks_of(input, self.block_size), ids);
        }
        if request.model != self.model {
            request.model.clone_from(&self.model);
        }
        true
    }
}

impl Iterator for Synth {
    type Item = Request;

    fn next(&mut self) -> Option<Request> {
        let mut request = Request::default();
        self.fill(&mut request).then_some(request)
    }
}
