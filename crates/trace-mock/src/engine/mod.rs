//! A model of a serving engine: when each token of each request leaves, under load.
//!
//! Modern engines work in *steps*. In each, every running sequence decodes one token, and what is
//! left of the step's token budget goes to pieces of waiting prompts (continuous batching with
//! chunked prefill). A step takes as long as its work:
//!
//! ```text
//! step = a · prompt tokens + (b + c · sequences + d · their context)
//! ```
//!
//! where the bracket is there if anything decodes. So a request's first token comes after
//! queue + overhead + a · (prompt tokens that were not cached), and each further one after
//! b + c · batch + d · context, longer where others' prompts share its steps. In a memory-bound
//! decode, b reads the weights, d the keys and values of one token, and c is what the batch costs
//! besides: the profiles have figures.
//!
//! Prompts and answers are kept in blocks of the KV cache behind what running sequences hold, the least
//! recently used leaves making room ([`Blocks`]). A sequence that finds no block preempts the one
//! admitted last, which computes its tokens again later, as vLLM does.
//!
//! Everything here is a function of the arrivals and the seed: [`Engine`] knows no clock but the
//! times it is given, no socket and no thread.

mod blocks;
mod cost;
mod jitter;
mod limits;
mod scheduler;
mod sequence;

pub use blocks::Blocks;
pub use cost::{Cost, Load};
pub use jitter::Jitter;
pub use limits::{Gauges, Limits};
pub use scheduler::Engine;
pub use sequence::{Event, Job};
