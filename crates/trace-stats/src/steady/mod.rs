//! The part of a run in which the server was in a steady state.

pub mod load;
pub mod mser;
