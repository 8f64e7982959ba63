//! The formats that can be written.

mod aibrix;
mod aiperf;
mod conversation;
mod csv;
mod mooncake;
mod phase02;
mod prompts;
mod sharegpt;

use crate::format::Target;
pub use phase02::Tpot;

/// Every target; the first is the default.
pub(crate) static ALL: &[&Target] = &[
    &mooncake::TARGET,
    &aiperf::TARGET,
    &aibrix::TARGET,
    &sharegpt::TARGET,
    &prompts::TARGET,
    &phase02::TARGET,
    &csv::TARGET,
];
