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
pub mod scale;
pub mod shrink;
pub mod source;
pub mod tempo;
pub mod tree;

pub use args::Args;
