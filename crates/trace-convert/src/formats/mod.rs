//! The formats that can be read. The first whose `detect` says yes is taken:
//! the particular stand before the general.

mod agentic;
mod azure;
mod bailian;
mod burstgpt;
mod generic;
mod mooncake;
mod otel;
mod weka;

use crate::format::Format;
pub use generic::Mapping;
pub(crate) use generic::parse_mapping;

/// Every format.
pub(crate) static ALL: &[&Format] = &[
    &burstgpt::FORMAT,
    &azure::FORMAT,
    &bailian::FORMAT,
    &agentic::FORMAT,
    &weka::FORMAT,
    &otel::FORMAT,
    &mooncake::FORMAT,
    &generic::CSV,
    &generic::JSONL,
];
