//! `trace-synth like`: more of what a trace shows.
//!
//! ```text
//! trace → Source       rows in time order, and the tree of what they share   source.rs, tree.rs
//!       → Knobs        what to scale, filter and clip                        knobs.rs, scale.rs
//!       → Iid          rows drawn one by one, as Dynamo does                 iid.rs
//!       → Faithful     whole conversations dealt anew                        faithful.rs
//! ```
//!
//! # The two methods
//!
//! *iid* is the model of Dynamo's `datagen synthesize`: walk the tree of
//! shared blocks by how often each branch was taken, add an unshared tail, an
//! output length and a gap, each drawn on its own. Marginal laws are kept;
//! who comes after whom is not, so that a finite cache sees other reuse than
//! in the source, and a longer trace hits ever more.
//!
//! *faithful* keeps conversations together: the rows that meet below the
//! blocks everybody shares ([`group`]). Conversations are dealt to the
//! source's own starting times, each once per pass and not far from its old
//! place ([`deck`]); their blocks get fresh ids; arrivals are runs of the
//! source's gaps in a new order ([`tempo`]).
//!
//! # How well it keeps, and where not
//!
//! Lengths are the source's exactly when as many requests are made as it has,
//! and so are hits in a cache without end. Hit rates of finite LRU caches, on
//! the published conversation trace and five seeds: within 0.0035 on average,
//! 0.0053 at worst. On made traces (chat, agents, system prompts, contents
//! drawn from a pool, documents, a rising load): within 0.01 at worst. At 15
//! times the requests the hit rate moves by at most 0.003. The dispersion of
//! arrivals over windows of 1, 10 and 60 seconds stays within a tenth.
//!
//! - One conversation that is a large part of the source keeps its inner
//!   order; if it is all of it, the source is replayed with other gaps.
//! - Whatever comes back periodically behind public blocks comes back
//!   irregularly: 0.016 off at the capacity of one period.
//! - Prompts that are asked again in full at random times (300 of them, by
//!   Zipf's law) are 0.008 off on average, 0.012 at worst.
//! - Traces shorter than a few hundred requests are hardly mixed: things move
//!   by up to 16 places.
//! - A trace much shorter than its source is made of whole conversations that
//!   last longer than it does; their late turns wrap round its end.

pub mod args;
pub mod conversation;
pub mod deal;
pub mod deck;
pub mod faithful;
pub mod group;
pub mod ids;
pub mod iid;
pub mod instant;
pub mod knobs;
pub mod names;
pub mod path;
pub mod public;
pub mod scale;
pub mod shrink;
pub mod source;
pub mod tempo;
pub mod tree;

pub use args::Args;
